"""Nested tangent subspaces that follow a trajectory, for Jacobians without rows or columns of zeros.

QR follows the spans of the first 1, 2, …, k tangents. Every other triangular factor follows the same spans. The tangents X are
unit lower triangular up to the order of their rows, and come from LU with partial pivoting, in a third of the time of QR:

    J_j … J_i X = X' U,      X' = P L,      X = Q C,      X' = Q' C',      ln |R_ii| = ln |U_ii| + ln |C'_ii| - ln |C_ii|

The QR of X is needed only at the ends of a block. LU keeps the digits of every row, however small, where Householder's QR has
errors of the size of the column. Rows of J that saturated units make small therefore cost no digits.

An interval of m steps does cost digits, because U_ii is what remains of terms that are e^loss times larger. The loss is measured
at every LU and chooses the next interval. An interval that loses too much is computed again in shorter ones.

Tangents are rows here, the transposes of X, because a product of rows and an LU then need no transposed copy.

References: Trefethen & Schreiber, "Average-case stability of Gaussian elimination", SIAM J. Matrix Anal. Appl. 11 (1990), for the
condition of L; Terao, Ozaki & Ogita, "LU-Cholesky QR algorithms for thin QR decomposition", Parallel Computing 92 (2020), for
QR by way of LU.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from recurrent_lab._generic import generic_directions
from recurrent_lab.instruments._flat import FlatTrajectory, pull_rows
from recurrent_lab.instruments._interval import Pace, adapted, begin_pace
from recurrent_lab.scaled import norm

# Steps at the beginning of the sequence that align the first directions: a tenth of all steps, within these bounds.
FEWEST, MOST = 10, 40


class _Factors(NamedTuple):
  rows: Float[Array, "k n"]  # the transpose of X'
  log_r: Float[Array, "k"]  # ln |U_ii|
  loss: Float[Array, ""]  # the largest ln of (the largest entry of the row of V that holds the pivot / |U_ii|), nats


def log_diagonal(r: Float[Array, "n k"]) -> Float[Array, "k"]:
  return jnp.log(jnp.abs(jnp.diagonal(r)))


def factor(rows: Float[Array, "k n"]) -> _Factors:
  """Computes Vᵀ = Uᵀ Xᵀ. A single vector is divided by its norm; a vector of zeros stays zero."""
  k, n = rows.shape
  if k == 1:
    size = norm(rows)
    return _Factors(rows / jnp.where(size == 0, 1, size), jnp.log(size)[None], jnp.zeros((), rows.dtype))
  packed, _, order = lax.linalg.lu(rows.T)
  sizes = jnp.abs(jnp.diagonal(packed))
  largest = jnp.max(jnp.abs(rows), axis=0)[order[:k]]
  place = jnp.zeros_like(order).at[order].set(jnp.arange(n, dtype=order.dtype), unique_indices=True)
  column = jnp.arange(k)[:, None]
  x = jnp.where(column < place, packed.T[:, place], (column == place).astype(rows.dtype))
  return _Factors(x, jnp.log(sizes), jnp.max(jnp.log(largest / sizes)))


def follow(
  multiply: Callable[[Int[Array, ""], Float[Array, "k n"]], Float[Array, "k n"]],
  rows: Float[Array, "k n"],
  start: Int[Array, ""] | int,
  stop: Int[Array, ""] | int,
  pace: Pace,
  is_fixed: bool = False,
) -> tuple[Float[Array, "k n"], Float[Array, "k"], Pace]:
  """Follows tangents over the steps start ≤ j < stop.

  Args:
    multiply: `(j, rows) -> rows J_jᵀ`.
    rows: the transposes of any well-conditioned tangents.
    start: the first step.
    stop: the end of the steps.
    pace: the interval to begin with.
    is_fixed: whether the interval stays as it is.

  Returns:
    `(rows, Σ ln |U_ii|, pace)`.
  """

  def interval(carry: tuple[Array, Array, Array, Pace]) -> tuple[Array, Array, Array, Pace]:
    at, kept, log_r, pace = carry
    end = jnp.minimum(at + pace.every, stop)
    new = factor(lax.fori_loop(at, end, multiply, kept))
    found, is_lost = adapted(pace, end - at, new.loss, new.log_r)
    if is_fixed:
      return end, new.rows, log_r + new.log_r, found._replace(every=pace.every)
    shorter = pace._replace(every=jnp.minimum(found.every, end - at - 1), rate=found.rate)
    accepted = (end, new.rows, log_r + new.log_r, found)
    return jax.tree.map(lambda again, new: jnp.where(is_lost, again, new), (at, kept, log_r, shorter), accepted)

  carry = (jnp.asarray(start, jnp.int32), rows, jnp.zeros(len(rows), rows.dtype), pace)
  _, rows, log_r, pace = lax.while_loop(lambda carry: carry[0] < stop, interval, carry)
  return rows, log_r, pace


def follow_blocks(
  multiply: Callable[[Int[Array, ""], Float[Array, "k n"]], Float[Array, "k n"]],
  rows: Float[Array, "k n"],
  edges: np.ndarray,
  burn_in: bool,
  pace: Pace,
  is_fixed: bool,
) -> tuple[Float[Array, "B k"], Pace]:
  """Follows orthonormal tangents over successive blocks of steps.

  Args:
    multiply: `(j, rows) -> rows J_jᵀ`.
    rows: the transposes of orthonormal tangents.
    edges: `[B + 1]`, the first step of every block, and the end of the last.
    burn_in: whether the first block does not count towards the pace, and a single tangent that it loses starts again.
    pace: the interval to begin with.
    is_fixed: whether the interval stays as it is.

  Returns:
    `(Σ ln |R_ii| of every block, pace)`.
  """
  k, n = rows.shape
  fresh = generic_directions(n, k, rows.dtype).T if k == 1 else rows

  def block(carry: tuple[Array, Array, Pace], at: tuple[Array, Array, Array]) -> tuple[Any, Array]:
    rows, before, pace = carry
    start, stop, counts = at
    rows, log_r, pace = follow(multiply, rows, start, stop, pace, is_fixed)
    after = before if k == 1 else log_diagonal(jnp.linalg.qr(rows.T, mode="r"))
    pace = jax.tree.map(
      lambda a, b: jnp.where(counts, a, b), pace, begin_pace(0, rows.dtype)._replace(every=pace.every)
    )
    rows = jnp.where(~counts & jnp.all(rows == 0), fresh, rows) if k == 1 else rows
    return (rows, after, pace), log_r + after - before

  counts = np.arange(len(edges) - 1) >= burn_in
  start = (rows, jnp.zeros(k, rows.dtype), pace)
  edges = edges.astype(np.int32)
  (_, _, pace), log_r = lax.scan(block, start, (jnp.asarray(edges[:-1]), jnp.asarray(edges[1:]), jnp.asarray(counts)))
  return log_r, pace


def aligned_directions(
  flat: FlatTrajectory, pull: Callable[[Array, Array, Array], Array]
) -> tuple[Float[Array, "n n"], Pace]:
  """Returns (orthonormal columns that the first steps stretch in decreasing order, the pace of this run).

  They are those of J_p … J_1, found by following its transpose from generic directions. `pull` is `(rows, s, x) -> rows J`.
  """
  (steps, size), dtype = flat.states.shape, flat.states.dtype
  first = min(MOST, max(FEWEST, steps // 10), steps)
  back = lambda j, rows: pull(rows, flat.states[first - 1 - j], flat.xs[first - 1 - j])
  rows, _, pace = follow(back, generic_directions(size, size, dtype).T, 0, first, begin_pace(1, dtype))
  return jnp.linalg.qr(rows.T)[0], pace


def first_directions(flat: FlatTrajectory, k: int) -> Float[Array, "n k"]:
  """Returns generic directions. For k = n, aligns them with those that the first steps stretch most: a shorter transient."""
  size, dtype = flat.states.shape[1], flat.states.dtype
  if k < size:
    return generic_directions(size, k, dtype)
  return aligned_directions(flat, lambda rows, s, x: pull_rows(flat, rows, s, x))[0]
