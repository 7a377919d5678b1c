"""Backpropagation through time with a few large matrix products.

    a_t = affine(θ, S_{t-1}, x_t),     (S_t, o_t) = pointwise(θ, S_{t-1}, a_t)          the two halves of a step

    δ_t = ∂L/∂a_t = (∂L/∂S_t, ∂L/∂o_t) · ∂pointwise/∂a_t                                from the last step to the first
    ∂L/∂S_{t-1} = (∂L/∂S_t, ∂L/∂o_t) · ∂pointwise/∂S_{t-1} + δ_t · ∂affine/∂S_{t-1}
    ∂L/∂θ = Σ_t δ_t · ∂affine/∂θ   (+ Σ_t … · ∂pointwise/∂θ if pointwise uses θ)

The reverse pass that JAX derives from a scan adds a matrix of the size of θ at every step. Here the loop only stores the δ_t, and
one product over all steps computes the sum over t. The forward pass stores S_{t-1} and a_t. The reverse pass recomputes the
nonlinearities, which is cheaper than writing and reading all their slopes.

For long sequences, the first use of memory costs as much as the products. One array therefore holds x_t W of all steps before the
forward pass, a_t after it, and δ_t after the reverse pass. A single sequence uses plain scans instead, see `_is_single`.

Reference: Appleyard, Kočiský & Blunsom, "Optimizing performance of recurrent neural networks on GPUs" (2016), section 3.
"""

import functools
import math
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._chain import join, split
from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Chain, Halves, Params, State
from recurrent_lab.sequences._steps import start
from recurrent_lab.sequences.alignment import Identity
from recurrent_lab.sequences.unrolling import unroll

# Matrices of at most this many bytes are transposed once for the reverse pass. A product of a few rows with a larger matrix is
# faster without (20 rows, 2600 x 650: 1.3 against 3.6 ms; 16 rows, 512 x 128: 52 against 38 µs; AMD EPYC, jaxlib 0.10.2).
SMALL = 2**21


@compiled("cell")
def reverse_unroll(
  cell: Cell, params: Params, xs: Float[Array, "T *batch I"], state: State | None = None
) -> tuple[State, Any]:
  """Computes `unroll` with a faster reverse pass. Values and gradients are those of `unroll` to rounding.

  Supports reverse mode only, not `jax.jvp`. A combined cell runs each of its cells over the whole sequence, one after the other.
  For a cell without halves this is `unroll` itself.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: inputs `[T, ..., I]`.
    state: S_0; by default the cell's initial state.

  Returns:
    `(S_T, outputs [T, ..., H])`.

  Raises:
    ValueError: in the cases of `unroll`.
  """
  if cell.halves is None and cell.chain is None:
    return unroll(cell, params, xs, state)
  state = start(cell, params, xs, state)
  if cell.chain is not None:
    return _by_link(cell.chain, params, xs, state)
  kernel = getattr(params, "input_kernel", None)
  if kernel is not None and not isinstance(kernel, Identity):
    # All steps and the batch are one axis, because XLA would transpose the δ_t to contract two axes.
    products = xs.reshape(-1, xs.shape[-1]) @ kernel
    params, xs = params._replace(input_kernel=Identity(kernel.shape[-1])), products.reshape(*xs.shape[:-1], -1)
  assert cell.halves is not None
  return _gathered(cell.halves, params, xs, state)


def _by_link(chain: Chain, params: Params, xs: Array, state: State) -> tuple[State, Any]:
  """Runs `reverse_unroll` of every link over the outputs of the link before.

  A step accepts leading axes, so all steps enter and leave a link at once.
  """
  states = []
  for link, s in zip(chain.links, split(chain, state), strict=True):
    s, outputs = reverse_unroll(link.cell, link.params(params), link.enter(params, xs), s)
    xs = link.leave(params, outputs)
    states.append(s)
  return join(chain, states), xs


def _row(arrays: Any, t: Any) -> Any:
  """Returns step t of every array."""
  return jax.tree.map(lambda array: lax.dynamic_index_in_dim(array, t, keepdims=False), arrays)


def _write(array: Array, new: Array, t: Any, column: int = 0) -> Array:
  """Writes `new` into step t of an array, from this column of its last axis on."""
  start = (t, *[0] * (new.ndim - 1), column)
  return lax.dynamic_update_slice(array, new[None], start)


def _is_single(xs: Array) -> bool:
  """Returns True for a single sequence, whose products are of a vector with a matrix.

  `lax.scan` runs their reverse pass in half the time of the loops here (LSTM and GRU of 64 units: 10 against 20 ms and 6 against
  13 ms of CPU time for 1000 steps; AMD EPYC, jaxlib 0.10.2). From four sequences on, the loops here are faster.
  """
  return math.prod(xs.shape[1:-1]) == 1


def _run(halves: Halves, params: Params, xs: Array, state: State) -> tuple[tuple[State, Any], tuple[State, Any]]:
  """Returns ((S_T, (o_1 … o_T)), (S_0 … S_{T-1}, a_1 … a_T)). A part of a with the shape of `xs` overwrites `xs`."""

  def step(s: State, x: Array) -> tuple[State, Any]:
    a = halves.affine(params, s, x)
    new, output = halves.pointwise(params, s, a)
    return new, (a, output, s)

  if _is_single(xs):
    final, (affine, outputs, states) = lax.scan(step, state, xs)
    return (final, outputs), (states, affine)
  likes, structure = jax.tree.flatten(jax.eval_shape(step, state, xs[0])[1])
  fits = [like.shape == xs.shape[1:] and like.dtype == xs.dtype for like in likes]
  place = fits.index(True) if any(fits) else len(likes)
  # If all arrays started from the same number, XLA would make one of them and copy it.
  kept = [jnp.full((len(xs), *like.shape), i, like.dtype) for i, like in enumerate(likes, start=1)]
  kept[place : place + 1] = [xs]

  def advance(t: Array, loop: Any) -> Any:
    s, x, kept = loop
    s, made = step(s, x)
    kept = [_write(array, new, t) for array, new in zip(kept, [*jax.tree.leaves(made), x], strict=False)]
    # Reading the next row from the new array ensures that XLA never keeps two versions of it.
    return s, _row(kept[place], jnp.minimum(t + 1, len(xs) - 1)), kept

  final, _, kept = lax.fori_loop(0, len(xs), advance, (state, xs[0], kept))
  affine, outputs, states = jax.tree.unflatten(structure, kept[: len(likes)])
  return (final, outputs), (states, affine)


def _parts(array: Array, width: int) -> list[Array]:
  """Splits the last axis into parts of this width, or returns it whole if that is not possible."""
  return jnp.split(array, array.shape[-1] // width, axis=-1) if array.shape[-1] % width == 0 else [array]


def _back_alone(
  halves: Halves, params: Params, xs: Array, kept: tuple[State, Any], d_final: State, d_outputs: Any
) -> Any:
  """Computes `_back` of a single sequence."""
  turned = jax.tree.map(lambda p: lax.optimization_barrier(p.T).T if p.nbytes <= SMALL else p, params)

  def back(carry: Any, row: Any) -> Any:
    d_state, d_params = carry
    d_output, x, (s, a) = row
    _, pull = jax.vjp(halves.pointwise, params, s, a)
    d_here, direct, delta = pull((d_state, d_output))
    _, through = jax.vjp(lambda s: halves.affine(turned, s, x), s)
    return (jax.tree.map(jnp.add, direct, *through(delta)), jax.tree.map(jnp.add, d_params, d_here)), delta

  none = jax.tree.map(jnp.zeros_like, params)
  (d_state, d_params), deltas = lax.scan(back, (d_final, none), (d_outputs, xs, kept), reverse=True)
  return d_state, d_params, deltas


def _back(halves: Halves, params: Params, xs: Array, kept: tuple[State, Any], d_final: State, d_outputs: Any) -> Any:
  """Returns (∂L/∂S_0, Σ_t … · ∂pointwise/∂θ, δ_1 … δ_T), where the δ_t overwrite the a_t."""
  states, affine = kept
  # The loop multiplies by transposed matrices. Transpose small ones once here, not at every step. Turning them back inside the
  # loop costs nothing, because XLA makes it a part of the product.
  turned = jax.tree.map(lambda p: lax.optimization_barrier(p.T) if p.nbytes <= SMALL else p, params)
  upright = lambda: jax.tree.map(lambda p: p.T if p.nbytes <= SMALL else p, turned)
  width = jax.tree.leaves(states)[0].shape[-1]
  leaves, structure = jax.tree.flatten(affine)
  joined = lambda parts: jax.tree.unflatten(structure, [jnp.concatenate(part, axis=-1) for part in parts])

  def back(i: Array, loop: Any) -> Any:
    d_state, d_params, held, a = loop
    t = len(xs) - 1 - i
    d_output, s, x = _row((d_outputs, states, xs), t)
    _, pull = jax.vjp(
      lambda p, s, parts: halves.pointwise(p, s, joined(parts)), params, s, [_parts(leaf, width) for leaf in a]
    )
    d_here, direct, deltas = pull((d_state, d_output))
    # XLA lets the result of a fused operation overwrite an operand of the same shape, and LLVM does not vectorise such a loop.
    # Every part is therefore written where it stays, and the whole row is read from there. This halves the time of this loop.
    held = [
      functools.reduce(lambda array, k: _write(array, parts[k], t, k * width), range(len(parts)), array)
      for array, parts in zip(held, deltas, strict=True)
    ]
    _, through = jax.vjp(lambda s: halves.affine(upright(), s, x), s)
    d_state = jax.tree.map(jnp.add, direct, *through(jax.tree.unflatten(structure, _row(held, t))))
    # Reading the next row from the new `held` ensures that XLA never keeps two versions of it.
    return d_state, jax.tree.map(jnp.add, d_params, d_here), held, _row(held, jnp.maximum(t - 1, 0))

  none = jax.tree.map(jnp.zeros_like, params)
  d_state, d_params, deltas, _ = lax.fori_loop(0, len(xs), back, (d_final, none, leaves, _row(leaves, len(xs) - 1)))
  return d_state, d_params, jax.tree.unflatten(structure, deltas)


def _gathered(halves: Halves, params: Params, xs: Array, state: State) -> tuple[State, Any]:
  """Computes `reverse_unroll` of a cell with these halves."""

  @jax.custom_vjp
  def gathered(params: Params, xs: Array, state: State) -> tuple[State, Any]:
    return _run(halves, params, xs, state)[0]

  def forward(params: Params, xs: Array, state: State) -> tuple[Any, Any]:
    result, kept = _run(halves, params, xs, state)
    return result, (params, xs, kept)

  def backward(saved: Any, cotangents: Any) -> tuple[Params, Array, State]:
    params, xs, (states, affine) = saved
    back = _back_alone if _is_single(xs) else _back
    d_state, d_params, deltas = back(halves, params, xs, (states, affine), *cotangents)
    # Flatten steps and batch into one axis, so that the products below contract a single long axis.
    rows = lambda tree: jax.tree.map(lambda a: a.reshape(-1, *a.shape[xs.ndim - 1 :]), tree)
    _, pull = jax.vjp(lambda p, x: halves.affine(p, rows(states), x), params, rows(xs))
    d_gathered, d_xs = pull(rows(deltas))
    return jax.tree.map(jnp.add, d_params, d_gathered), d_xs.reshape(xs.shape), d_state

  gathered.defvjp(forward, backward)
  return gathered(params, xs, state)
