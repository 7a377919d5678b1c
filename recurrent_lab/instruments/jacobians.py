"""The Jacobians J_j = ∂S_j/∂S_{j-1} of a cell along a trajectory, and the products ∏ J_j that carry its gradients.

Every function takes one example (`xs [T, I]`; `vmap` outside) and sees the state as one flat vector of size n: n = H for an
RNN, n = 2H for an LSTM, whose (h, c) belong together. Products are kept as `Scaled` matrices and norms as natural logs.
A net of half precision (float16, bfloat16) has the trajectory that its own steps take; the Jacobians at those states, and all
that is computed of them, are in float32, to which params, inputs and states are promoted exactly.

A product over lag l is J_T … J_{T-l+1}: what a change of the state l steps before the end still does at the end.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from recurrent_lab._checks import check_choice
from recurrent_lab._compiled import compiled
from recurrent_lab._generic import generic_directions
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments import _graded
from recurrent_lab.instruments._flat import FlatTrajectory, flat_trajectory, pull_rows
from recurrent_lab.instruments._tangents import begin, orthonormalize, push
from recurrent_lab.instruments.norms import NORMS, ScaledMatrix
from recurrent_lab.scaled import Scaled, log_scale, rescale
from recurrent_lab.sequences._steps import start

# Steps that turn the start of a QR towards the directions that grow most.
ALIGNING_STEPS = 10


@compiled("cell")
def state_jacobians(
  cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None
) -> Float[Array, "T n n"]:
  """J_j = ∂S_j/∂S_{j-1} for j = 1 … T, dense.

  Raises:
    ValueError: if `xs` is not `[T, I]`, if the state is empty or not of floats, or as `unroll` does.
  """
  flat = flat_trajectory(cell, params, xs, state)
  return jax.vmap(jax.jacfwd(flat.step))(flat.states, flat.xs)


@compiled("measure", "cell")
def products_by_lag(
  measure: Callable[[ScaledMatrix], Any],
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  state: State | None = None,
) -> tuple[ScaledMatrix, Any]:
  """The product over all T steps, and `measure` of the product over every lag.

  The scan runs from the last step to the first and multiplies on the right, so that the product over lag l ends at T:
  P_l = P_{l-1} J_{T-l+1}. Only one n×n matrix is alive at a time. Define `measure` once, outside of a loop: another function is
  another program to compile.

  Returns:
    `(J_T … J_1, measures)`, the measures stacked on a leading axis of length T whose entry l-1 belongs to lag l.
  """
  flat = flat_trajectory(cell, params, xs, state)

  def to_matrix(product: Scaled) -> ScaledMatrix:
    return ScaledMatrix(product.array, log_scale(product))

  def multiply(product: Scaled, at: tuple[Array, Array]) -> tuple[Scaled, Any]:
    product = rescale(pull_rows(flat, product.array, *at), product.exponent)
    return product, measure(to_matrix(product))

  identity = rescale(jnp.eye(flat.states.shape[1], dtype=flat.states.dtype))
  product, measures = lax.scan(multiply, identity, (flat.states, flat.xs), reverse=True)
  return to_matrix(product), jax.tree.map(lambda m: m[::-1], measures)


@compiled("cell")
def jacobian_product(cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None) -> ScaledMatrix:
  """J_T … J_1."""
  product, _ = products_by_lag(lambda _: None, cell, params, xs, state)
  return product


def _named_parts(state: Any) -> dict[str, Any]:
  """The parts of a state by name, in the order in which `ravel_pytree` lays them out."""
  if hasattr(state, "_fields"):
    return dict(zip(state._fields, state, strict=True))
  if isinstance(state, dict):
    return dict(sorted(state.items()))
  raise ValueError(f"A state of type {type(state).__name__} has no named parts; blocks need a NamedTuple or a dict.")


def state_blocks(product: ScaledMatrix, state: Any) -> dict[tuple[str, str], ScaledMatrix]:
  """Splits a product into the blocks ∂a_T/∂b_0 of a state with named parts, as {(a, b): block}.

  For `LSTMState` these are the four of (hidden, cell): ("cell", "cell") is the constant error carousel.

  Args:
    product: `[n, n]`.
    state: any state of the cell, a NamedTuple or a dict: its fields or keys give the names, and their arrays the sizes.

  Raises:
    ValueError: if the state has no named parts, or its size is not that of the product.
  """
  parts = _named_parts(state)
  sizes = [sum(jnp.size(leaf) for leaf in jax.tree.leaves(part)) for part in parts.values()]
  if product.matrix.shape != (sum(sizes), sum(sizes)):
    raise ValueError(f"The product is {product.matrix.shape}, but the state has {sum(sizes)} entries.")
  ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
  slices = {name: slice(end - size, end) for name, size, end in zip(parts, sizes, ends, strict=True)}
  return {
    (a, b): ScaledMatrix(product.matrix[rows, columns], product.log_scale)
    for a, rows in slices.items()
    for b, columns in slices.items()
  }


@compiled("cell", "norm", "block")
def product_log_norms(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  state: State | None = None,
  *,
  norm: str = "spectral",
  block: tuple[str, str] | None = None,
) -> Float[Array, "T"]:
  """ln ‖J_T … J_{T-l+1}‖ in nats; entry l-1 belongs to lag l.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; the cell's initial state by default.
    norm: `spectral`, or `frobenius` divided by √n so that an orthogonal product gives 0.
    block: measure only the block ∂a/∂b of the product, as ("cell", "cell") for an LSTM (see `state_blocks`).

  Raises:
    ValueError: for an unknown norm or block, or as `state_jacobians` does.
  """
  check_choice("norm", norm, NORMS)
  state = start(cell, params, xs, state)

  def measure(product: ScaledMatrix) -> Array:
    if block is None:
      return NORMS[norm](product)
    blocks = state_blocks(product, state)
    check_choice("block", block, blocks)
    return NORMS[norm](blocks[block])

  _, log_norms = products_by_lag(measure, cell, params, xs, state)
  return log_norms


def _checked_lags(lags: Sequence[int] | None, steps: int) -> tuple[int, ...]:
  """The lags to measure, all steps by default; raises a `ValueError` unless they increase and lie between 1 and T."""
  chosen = (steps,) if lags is None else tuple(lags)
  if not chosen or any(b <= a for a, b in zip((0, *chosen), chosen, strict=False)) or chosen[-1] > steps:
    raise ValueError(f"lags are {chosen}; they must increase and lie between 1 and the {steps} steps.")
  return chosen


def _transposed(flat: FlatTrajectory, s: Array, x: Array) -> tuple[Array, Array]:
  """(Jᵀ, whether it has a row or a column of zeros)."""
  jacobian = pull_rows(flat, jnp.eye(s.size, dtype=s.dtype), s, x)
  is_zero = jacobian == 0
  return jacobian.T, jnp.any(jnp.all(is_zero, axis=0)) | jnp.any(jnp.all(is_zero, axis=1))


def _aligned_directions(flat: FlatTrajectory) -> Float[Array, "n n"]:
  """Orthonormal columns that the last steps have turned towards the directions that grow most."""
  (steps, size), dtype = flat.states.shape, flat.states.dtype
  last = steps - min(steps, ALIGNING_STEPS)
  turn = lambda q, at: (jnp.linalg.qr(_transposed(flat, *at)[0].T @ q)[0], None)
  return lax.scan(turn, generic_directions(size, size, dtype), (flat.states[last:], flat.xs[last:]))[0]


@compiled("cell", "lags")
def product_log_singular_values(
  cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None, *, lags: Sequence[int] | None = None
) -> Array:
  """ln σ_i of a product of Jacobians, decreasing, all n of them however far apart.

  A singular value decomposition of the product itself loses every σ_i below ~1e-7 σ_1 in float32. Here the product is kept
  as Q times a graded triangular matrix, whose rows each have their own scale, and one-sided Jacobi rotations find its
  singular values to high relative accuracy (`_graded.py`). What a single Jacobian cannot resolve in its precision (σ_i below
  ~1e-7 of its own σ_1 in float32) stays noise at that level; what Jacobians with rows or columns of zeros lose, as
  dead units do, at the same step or at different ones, is lost for good and gives -inf.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; the cell's initial state by default.
    lags: measure J_T … J_{T-l+1} for each of these lags l, increasing, instead of the whole product.

  Returns:
    `[n]`, or `[len(lags), n]` where `lags` are given.

  Raises:
    ValueError: if the lags do not increase from 1 or more to T or less, or as `state_jacobians` does.
  """
  flat = flat_trajectory(cell, params, xs, state)
  steps, size = flat.states.shape
  chosen = _checked_lags(lags, steps)
  first = steps - chosen[-1]
  slots = np.full(chosen[-1], len(chosen))  # the last one is for all the products that nobody asked for
  slots[chosen[-1] - np.array(chosen)] = np.arange(len(chosen))

  def multiply(carry: tuple[Any, ...], at: tuple[Array, Array, Array]) -> tuple[Any, None]:
    tangents, product, kept = carry
    s, x, slot = at
    jacobian, has_zeros = _transposed(flat, s, x)
    # P_lᵀ = J_{T-l+1}ᵀ P_{l-1}ᵀ grows on the left, as QR needs it.
    tangents, before = push(lambda matrix: jacobian @ matrix, has_zeros, tangents)
    tangents, after = orthonormalize(tangents)
    product = _graded.multiply(after @ before, product)
    put = lambda all_kept, one: lax.dynamic_update_index_in_dim(all_kept, one, slot, axis=0)
    return (tangents, product, jax.tree.map(put, kept, product)), None

  product = _graded.from_matrix(jnp.eye(size, dtype=flat.states.dtype))
  room = jax.tree.map(lambda a: jnp.zeros((len(chosen) + 1, *a.shape), a.dtype), product)
  taken = (flat.states[first:], flat.xs[first:], jnp.asarray(slots))
  (_, _, kept), _ = lax.scan(multiply, (begin(_aligned_directions(flat)), product, room), taken, reverse=True)
  results = lax.map(_graded.log_singular_values, jax.tree.map(lambda a: a[:-1], kept))
  return results[0] if lags is None else results
