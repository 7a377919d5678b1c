"""Jacobians J_j = ∂S_j/∂S_{j-1} of a cell along a trajectory, and their products ∏ J_j, which carry the gradients.

Every function takes one example `xs [T, I]`; use `vmap` for a batch. The state is flattened to one vector of size n: n = H for an
RNN, n = 2H for the pair (h, c) of an LSTM. Products are stored as `Scaled` matrices and norms as natural logarithms.

A net in half precision (float16, bfloat16) runs its trajectory in half precision. Its params, inputs and states are then cast
exactly to float32, and Jacobians and products are computed in float32.

The product over lag l is J_T … J_{T-l+1}: the effect of a change of the state l steps before the end on the last state.
"""

from collections.abc import Callable
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._checks import check_choice, say_size
from recurrent_lab._compiled import compiled
from recurrent_lab._generic import generic_vector
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments import _structure
from recurrent_lab.instruments._flat import FlatTrajectory, checked_start, flat_trajectory, pull_rows
from recurrent_lab.instruments.norms import NORMS, ScaledMatrix, frobenius_of_normal, normal, spectral_of_normal
from recurrent_lab.scaled import Scaled, log_scale, rescale

Part = str | int  # the name of a part of a state, or the number of a layer of a stack, from 1 on


@compiled("cell")
def state_jacobians(
  cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None
) -> Float[Array, "T n n"]:
  """Computes the dense Jacobians J_j = ∂S_j/∂S_{j-1} for j = 1 … T. More than 4 GiB are said first (`MemoryWarning`).

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state.

  Returns:
    `[T, n, n]`.

  Raises:
    ValueError: if `xs` is not `[T, I]`, if the state is empty or not floating, and in the cases of `unroll`.
  """
  flat = flat_trajectory(cell, params, xs, state)
  steps, size = flat.states.shape
  say_size(
    f"The Jacobians of {steps} steps",
    steps * size**2 * flat.states.dtype.itemsize,
    "products_by_lag measures their products with one matrix in memory",
  )
  return jax.vmap(jax.jacfwd(flat.step))(flat.states, flat.xs)


@compiled("measure", "cell")
def products_by_lag(
  measure: Callable[[ScaledMatrix], Any],
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  state: State | None = None,
) -> tuple[ScaledMatrix, Any]:
  """Computes the Jacobian product over all T steps, and `measure` of the product over every lag.

  The scan runs from the last step to the first and multiplies on the right, P_l = P_{l-1} J_{T-l+1}, so the product over every
  lag ends at T. Only one n×n matrix is in memory at a time. Define `measure` once, outside a loop, because every new function
  is compiled as a new program.

  Args:
    measure: a function of a `ScaledMatrix`; it returns a pytree of arrays.
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state.

  Returns:
    `(J_T … J_1, measures)`. The measures are stacked on a leading axis of length T, and entry l-1 belongs to lag l.

  Raises:
    ValueError: in the cases of `state_jacobians`.
  """
  flat = flat_trajectory(cell, params, xs, state)
  return _scan_products(flat, lambda product, _: (measure(product), None), None)


def _scan_products(
  flat: FlatTrajectory, measure: Callable[[ScaledMatrix, Any], tuple[Any, Any]], memory: Any
) -> tuple[ScaledMatrix, Any]:
  """Returns the whole product, and for every lag what `(product, memory) -> (measured, memory)` measures of its product."""

  def to_matrix(product: Scaled) -> ScaledMatrix:
    return ScaledMatrix(product.array, log_scale(product))

  def multiply(carry: tuple[Scaled, Any], at: tuple[Array, Array]) -> tuple[tuple[Scaled, Any], Any]:
    product, memory = carry
    product = rescale(pull_rows(flat, product.array, *at), product.exponent)
    measured, memory = measure(to_matrix(product), memory)
    return (product, memory), measured

  identity = rescale(jnp.eye(flat.states.shape[1], dtype=flat.states.dtype))
  (product, _), measures = lax.scan(multiply, (identity, memory), (flat.states, flat.xs), reverse=True)
  return to_matrix(product), jax.tree.map(lambda m: m[::-1], measures)


@compiled("cell")
def jacobian_product(cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None) -> ScaledMatrix:
  """Computes the Jacobian product J_T … J_1, `[n, n]` in log scale. Arguments and errors are those of `state_jacobians`."""
  product, _ = products_by_lag(lambda _: None, cell, params, xs, state)
  return product


def _named_parts(state: Any) -> dict[Part, Any]:
  """Returns the parts of a state by name, in the order of `ravel_pytree`."""
  if hasattr(state, "_fields"):
    return dict(zip(state._fields, state, strict=True))
  if isinstance(state, dict):
    return dict(sorted(state.items()))
  if isinstance(state, tuple):
    return dict(enumerate(state, start=1))
  raise ValueError(
    f"A state of type {type(state).__name__} has no named parts; blocks need a NamedTuple, a dict, or the tuple of a stack."
  )


def state_blocks(product: ScaledMatrix, state: Any) -> dict[tuple[Part, Part], ScaledMatrix]:
  """Splits a Jacobian product into its blocks ∂a_T/∂b_0, for a state with parts a, b. Returns {(a, b): block}.

  An `LSTMState` has four blocks, of hidden and cell. The block ("cell", "cell") is the constant error carousel. The parts of a
  stack are its layers, from 1 on: the block (2, 1) is ∂S²/∂S¹, the effect of the first layer on the second.

  Args:
    product: `[n, n]`.
    state: any state of the cell, a NamedTuple, a dict, or the tuple of a stack. Its fields, its keys or the numbers of the
      layers are the names of the parts, and its arrays give their sizes.

  Raises:
    ValueError: if the state has no named parts, or does not have the size of the product.
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


@compiled("cell", "norm", "block", "structured")
def product_log_norms(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  state: State | None = None,
  *,
  norm: str | tuple[str, ...] = "spectral",
  block: tuple[Part, Part] | None = None,
  structured: bool = True,
) -> Array:
  """Computes the log norms ln ‖J_T … J_{T-l+1}‖ of Jacobian products, in nats. Entry l-1 belongs to lag l.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state.
    norm: `spectral`, or `frobenius`, which is divided by √n so that an orthogonal product gives 0. Several norms share the
      products.
    block: if given, only the block ∂a/∂b of the product is measured, such as ("cell", "cell") of an LSTM or (2, 1) of a stack;
      see `state_blocks`.
    structured: whether a cell with a `transition` multiplies the factors that it declares instead of whole Jacobians. Blocks
      always come from whole Jacobians.

  Returns:
    `[T]`, or `[T, len(norm)]` if `norm` is a tuple.

  Raises:
    ValueError: for an unknown norm or block, for an empty tuple of norms, and in the cases of `state_jacobians`.
  """
  names = (norm,) if isinstance(norm, str) else norm
  if not names:
    raise ValueError("norm is an empty tuple; it must name at least one norm.")
  for name in names:
    check_choice("norm", name, NORMS)
  state = checked_start(cell, params, xs, state)
  if structured and cell.transition is not None and block is None:
    log_norms = _structured_log_norms(cell, params, xs, state, names)
    return log_norms[:, 0] if isinstance(norm, str) else log_norms
  flat = flat_trajectory(cell, params, xs, state)

  def part(product: ScaledMatrix) -> ScaledMatrix:
    if block is None:
      return product
    blocks = state_blocks(product, state)
    check_choice("block", block, blocks)
    return normal(blocks[block])

  def measure(product: ScaledMatrix, direction: Array) -> tuple[Array, Array]:
    product, found = part(product), {}
    if "frobenius" in names:
      found["frobenius"] = frobenius_of_normal(product)
    if "spectral" in names:
      found["spectral"], direction = spectral_of_normal(product, direction)
    return jnp.stack([found[name] for name in names]), direction

  (_, size), dtype = flat.states.shape, flat.states.dtype
  rows = part(ScaledMatrix(jnp.zeros((size, size), dtype), jnp.zeros((), dtype))).matrix.shape[0]
  _, log_norms = _scan_products(flat, measure, generic_vector(rows, dtype))
  return log_norms[:, 0] if isinstance(norm, str) else log_norms


def _structured_log_norms(
  cell: Cell, params: Params, xs: Float[Array, "T I"], state: State, names: tuple[str, ...]
) -> Float[Array, "T norms"]:
  """Returns the log norms of the products of a cell with a transition, in its structure."""
  if _structure.is_diagonal(cell, params, xs):
    return _structure.diagonal_log_norms(_structure.log_moduli(cell, params, state), xs, names)
  small = _structure.factors(cell, params, state, xs)
  by_head = jax.vmap(lambda xs: product_log_norms(small.cell, small.params, xs, norm=names))(small.xs)
  return _structure.joined_log_norms(by_head, names)
