"""Singular values of a Jacobian product, all of them and over any range.

    P_lᵀ = J_{T-l+1}ᵀ P_{l-1}ᵀ = V_l M_l,      J_{T-l+1}ᵀ V_{l-1} = V_l R_l,      M_l = R_l M_{l-1}

One LU at every step keeps the columns of V well conditioned, in less time than QR (`_nested.py`). The triangle M is graded: each
row has its own scale (`_graded.py`). At a lag that is asked for, a QR makes V orthonormal, and `_windows.py` finds the singular
values.

References: Stewart, "On graded QR decompositions of products of matrices", ETNA 3 (1995); Trefethen & Schreiber, "Average-case
stability of Gaussian elimination", SIAM J. Matrix Anal. Appl. 11 (1990), for the condition of the factor V.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._compiled import compiled
from recurrent_lab._generic import generic_directions
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments import _graded, _structure
from recurrent_lab.instruments._flat import FlatTrajectory, checked_start, flat_trajectory
from recurrent_lab.instruments._graded import Graded
from recurrent_lab.instruments._tangents import Tangents, any_of_batch, begin, orthonormalize, push
from recurrent_lab.instruments._windows import log_singular_values

# Steps that align the start of the QR with the directions that grow most.
ALIGNING_STEPS = 4


def _checked_lags(lags: Sequence[int] | None, steps: int) -> tuple[int, ...]:
  """The lags to measure, all steps by default; raises a `ValueError` unless they increase and lie between 1 and T."""
  chosen = (steps,) if lags is None else tuple(lags)
  if not chosen or any(b <= a for a, b in zip((0, *chosen), chosen, strict=False)) or chosen[-1] > steps:
    raise ValueError(f"lags are {chosen}; they must increase and lie between 1 and the {steps} steps.")
  return chosen


class _Factors(NamedTuple):
  """Pᵀ = V M: well-conditioned columns V, times a graded triangle M."""

  tangents: Tangents  # V
  product: Graded  # M


def _triangular(vectors: Float[Array, "n n"]) -> tuple[Float[Array, "n n"], Float[Array, "n n"]]:
  """Computes V = X U by LU.

  X is unit lower triangular up to the order of its rows. Each row is as accurate as that of V, however small.
  """
  packed, _, order = lax.linalg.lu(vectors)
  column = jnp.arange(len(order), dtype=order.dtype)
  place = jnp.zeros_like(order).at[order].set(column, unique_indices=True)[:, None]
  return jnp.where(column < place, packed[place[:, 0]], (column == place).astype(packed.dtype)), jnp.triu(packed)


def _pull(jacobian: Float[Array, "n n"], tangents: Tangents) -> tuple[Tangents, Float[Array, "n n"]]:
  """Computes Jᵀ V = V' R. Returns V' and R."""
  is_zero = jacobian == 0
  has_zeros = jnp.any(jnp.all(is_zero, axis=0)) | jnp.any(jnp.all(is_zero, axis=1))

  def plain(tangents: Tangents) -> tuple[Tangents, Array]:
    q, r = _triangular(jacobian.T @ tangents.coordinates)
    return tangents._replace(coordinates=q), r

  def careful(tangents: Tangents) -> tuple[Tangents, Array]:
    tangents, before = push(lambda matrix: jacobian.T @ matrix, jnp.ones((), bool), tangents)
    tangents, after = orthonormalize(tangents)
    return tangents, after @ before

  return lax.cond(any_of_batch(has_zeros | ~jnp.all(tangents.free)), careful, plain, tangents)


def _aligned_directions(flat: FlatTrajectory) -> Float[Array, "n n"]:
  """Returns orthonormal columns that the last steps have turned towards the directions that grow most."""
  (steps, size), dtype = flat.states.shape, flat.states.dtype
  last = steps - min(steps, ALIGNING_STEPS)
  # Its factor X has full rank even where a Jacobian has lost directions.
  turn = lambda x, at: (_triangular(flat.jacobian(*at) @ x)[0], None)
  turned = lax.scan(turn, generic_directions(size, size, dtype), (flat.states[last:], flat.xs[last:]))[0]
  return jnp.linalg.qr(turned)[0]


def _whole(factors: _Factors) -> Graded:
  """Returns a graded matrix with the singular values of V M."""
  (coordinates, basis, _, live), product = factors
  # Columns of lost directions come last, where their rows of R are zero.
  order = jnp.argsort(~live, stable=True)
  r = jnp.linalg.qr(jnp.where(live, basis @ coordinates, 0)[:, order], mode="r")
  return _graded.multiply(r, Graded(product.log_norms[order], product.rows[order]))


@compiled("cell", "lags", "structured")
def product_log_singular_values(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  state: State | None = None,
  *,
  lags: Sequence[int] | None = None,
  structured: bool = True,
) -> Array:
  """Computes the log singular values ln σ_i of a Jacobian product in nats, all n of them, in decreasing order.

  A singular value decomposition of the product loses every σ_i below ~1e-7 σ_1 in float32. Here the product is stored as V
  times a graded triangular matrix, in which each row has its own scale. Its singular values are found to high relative accuracy,
  however far apart they are (`_windows.py`).

  Two limits remain. A single Jacobian cannot resolve σ_i below ~1e-7 of its own σ_1 in float32, and these stay noise at that
  level. Directions that Jacobians with rows or columns of zeros lose, as with dead units, give -inf.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state.
    lags: increasing lags l. If given, measures J_T … J_{T-l+1} for each of them instead of the whole product.
    structured: whether a cell with a `transition` uses the factors that it declares instead of whole Jacobians.

  Returns:
    `[n]`, or `[len(lags), n]` if `lags` is given.

  Raises:
    ValueError: if the lags do not increase within 1 … T, and in the cases of `state_jacobians`.
  """
  state = checked_start(cell, params, xs, state)
  chosen = _checked_lags(lags, xs.shape[0])
  if structured and cell.transition is not None:
    results = _structured(cell, params, xs, state, chosen)
    return results[0] if lags is None else results
  flat = flat_trajectory(cell, params, xs, state)
  steps, size = flat.states.shape

  def multiply(lag: Array, factors: _Factors) -> _Factors:
    # P_lᵀ = J_{T-l+1}ᵀ P_{l-1}ᵀ grows on the left, as LU requires.
    tangents, r = _pull(flat.jacobian(flat.states[steps - lag], flat.xs[steps - lag]), factors.tangents)
    return _Factors(tangents, _graded.multiply(r, factors.product))

  def measure(factors: _Factors, between: tuple[Array, Array]) -> tuple[_Factors, Array]:
    shorter, lag = between
    factors = lax.fori_loop(shorter + 1, lag + 1, multiply, factors)
    return factors, log_singular_values(_whole(factors))

  start = _aligned_directions(flat)
  identity = _graded.from_matrix(jnp.eye(size, dtype=start.dtype))
  _, results = lax.scan(measure, _Factors(begin(start), identity), (jnp.array((0, *chosen[:-1])), jnp.array(chosen)))
  return results[0] if lags is None else results


def _structured(
  cell: Cell, params: Params, xs: Float[Array, "T I"], state: State, lags: Sequence[int]
) -> Float[Array, "lags n"]:
  """Returns the log singular values of a cell with a transition, in its structure."""
  if _structure.is_diagonal(cell, params, xs):
    return _structure.diagonal_log_singular_values(_structure.log_moduli(cell, params, state), xs, lags)
  small = _structure.factors(cell, params, state, xs)
  by_head = jax.vmap(lambda xs: product_log_singular_values(small.cell, small.params, xs, lags=lags))(small.xs)
  return -jnp.sort(-_structure.repeated(by_head, small.copies))
