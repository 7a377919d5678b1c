"""Gradients that are finite whenever they are representable, even where a factor on the way to them is not.

    ∂L/∂θ = 2^e · Σ_k (2^-e ∂L/∂S_k) · ∂S_k/∂θ

A saturated unit has a slope of 10⁻⁵, say, so ∂L/∂S_k may be out of range where the gradient of the parameters is not. A gradient
is linear in the number that its backward pass starts from. If one that starts from 1 is not finite although the loss is, it is
computed once more from 2^-64 (in float32; the root of the range) and multiplied by 2^64 at the end.
"""

from collections.abc import Callable
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from recurrent_lab.scaled import shift

Gradient = Callable[[Any, Any], tuple[Array, Any]]  # (params, batch) -> (loss, gradient)


def all_finite(tree: Any) -> Bool[Array, ""]:
  """Returns True if every entry of every array is a finite number."""
  return jax.tree.reduce(lambda so_far, a: so_far & jnp.all(jnp.isfinite(a)), tree, jnp.array(True))


def value_and_grad(loss: Callable[[Any, Any], Float[Array, ""]]) -> Gradient:
  """`jax.value_and_grad` of `(params, batch) -> loss`, compiled, as `within_range` has it."""

  def backward(scale: Array, params: Any, batch: Any) -> tuple[Array, Any]:
    value, pullback = jax.vjp(lambda params: loss(params, batch), params)
    return value, pullback(scale.astype(value.dtype))[0]

  return within_range(backward)


def within_range(backward: Callable[[Array, Any, Any], tuple[Array, Any]]) -> Gradient:
  """Makes a gradient of a backward pass that can start from any number.

  Both passes are turns of one loop: they are one program, and `vmap` makes a second pass only if a member needs it. Such a loop
  has no reverse mode, so this gradient cannot itself be differentiated by `jax.grad`.

  Args:
    backward: `(scale, params, batch) -> (loss, scale times the gradient)`.
  """
  backward = jax.jit(backward)

  @jax.jit
  def gradient(params: Any, batch: Any) -> tuple[Array, Any]:
    one = jnp.ones((), jnp.result_type(*jax.tree.leaves(params)))
    shapes = jax.eval_shape(backward, one, params, batch)
    half = min(jnp.finfo(leaf.dtype).maxexp for leaf in jax.tree.leaves((one, shapes))) // 2

    def is_needed(loop: tuple[Array, tuple[Array, Any]]) -> Array:
      passes, (value, scaled) = loop
      return (passes == 0) | ((passes == 1) & jnp.isfinite(value) & ~all_finite(scaled))

    def run(loop: tuple[Array, Any]) -> tuple[Array, Any]:
      passes, _ = loop
      return passes + 1, backward(jnp.ldexp(one, -half * passes), params, batch)

    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    passes, (value, scaled) = lax.while_loop(is_needed, run, (jnp.zeros((), jnp.int32), nothing))
    return value, jax.tree.map(lambda g: shift(g, half * (passes - 1)), scaled)

  return gradient
