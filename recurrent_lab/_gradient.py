"""Gradients that are finite whenever they are representable, even if an intermediate adjoint is not.

    ∂L/∂θ = 2^e · Σ_k (2^-e ∂L/∂S_k) · ∂S_k/∂θ

If the units are saturated with slopes of 10⁻⁵, for example, ∂L/∂S_k may overflow where ∂L/∂θ does not. A gradient is linear in
the number that its backward pass starts from. A backward pass that starts from 1 and overflows, although the loss is finite, is
therefore repeated from 2^-64, and the result is multiplied by 2^64. (2^64 is the square root of the range of float32.)
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
  """Returns a compiled `jax.value_and_grad` of `(params, batch) -> loss` that does not overflow on the way."""

  def backward(scale: Array, params: Any, batch: Any) -> tuple[Array, Any]:
    value, pullback = jax.vjp(lambda params: loss(params, batch), params)
    return value, pullback(scale.astype(value.dtype))[0]

  return within_range(backward)


def within_range(backward: Callable[[Array, Any, Any], tuple[Array, Any]]) -> Gradient:
  """Makes a gradient from a backward pass that can start from any number.

  Both passes are iterations of one `while_loop`, so they are one program. Under `vmap` the second pass runs only if a member
  needs it. A `while_loop` has no reverse mode, so `jax.grad` cannot differentiate this gradient again.

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
