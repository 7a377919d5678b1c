"""Tangent directions that follow a trajectory. Some of them may be lost on the way.

    V_j = J_j V_{j-1},      V = Q R,      ∏ J = Q R_T … R_1 Q_0ᵀ

The start Q_0 is generic. Unit vectors would never leave the blocks of a block-triangular J, and R would be ordered by block
instead of by size.

A Jacobian with rows or columns of zeros (dead relu units) loses directions, and they must stay lost. QR alone does not ensure
this: it leaves a column of rounding noise, which grows again and looks like a slow direction. From the first zero on, tangents
are therefore written as V = B Y. The columns of B span the image of the product in echelon form. B has an identity at `free`
entries of the state, one for each dimension of the image. Gauss-Jordan elimination of J B keeps every zero that the structure
of J implies. Its pivots count the remaining dimensions, and no tangent can leave the image. A column of V has lost its
direction if J turns it into rounding noise.

References: Demmel, Dumitriu & Holtz, "Fast linear algebra is stable", Numerische Mathematik 108 (2007), for QR from a generic
start, which reveals the rank; Duff, Erisman & Reid, "Direct Methods for Sparse Matrices" (1986), ch. 7, for the pivots.
"""

from collections.abc import Callable
from typing import NamedTuple

from jax import lax
from jax.custom_batching import custom_vmap
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from recurrent_lab._generic import generic_directions
from recurrent_lab.scaled import norm

# Pivots come from the row with the fewest entries. A pivot must be at least this share of the largest entry of its column.
SMALLEST_PIVOT = 0.01
# A sum that cancels to this many ε of its terms counts as zero.
NOISE = 16


class Tangents(NamedTuple):
  """V = `basis @ coordinates`."""

  coordinates: Float[Array, "n k"]  # Y; rows that are not free are zero
  basis: Float[Array, "n n"]  # B; column i belongs to entry i of the state. The identity until a direction is lost
  free: Bool[Array, "n"]  # entries of the state at which B is the identity; the other columns of B are zero
  live: Bool[Array, "k"]  # columns of V that still have a direction


def begin(directions: Float[Array, "n k"]) -> Tangents:
  """Returns tangents that start with these orthonormal columns. No direction is lost yet."""
  size, k = directions.shape
  return Tangents(directions, jnp.eye(size, dtype=directions.dtype), jnp.ones(size, bool), jnp.ones(k, bool))


@custom_vmap
def any_of_batch(flag: Bool[Array, ""]) -> Bool[Array, ""]:
  """Returns the flag; under `vmap`, whether any flag of the batch is set. `lax.cond` then still skips a branch."""
  return flag


@any_of_batch.def_vmap
def _(axis_size: int, in_batched: list[bool], flag: Array) -> tuple[Array, bool]:
  return any_of_batch(jnp.any(flag)), False


def _by_columns(vectors: Float[Array, "n k"]) -> tuple[Float[Array, "n k"], Float[Array, "k k"]]:
  """Computes V = Q R with Q = V R⁻¹, so that every row of Q is as accurate as the same row of V, however small.

  Householder's Q has errors of the size of its columns. They would hide a component that is small now and grows later, such as
  that of a lower layer below a stronger upper layer. A column of zeros stays zero.
  """
  if vectors.shape[1] == 1:
    size = norm(vectors)
    return vectors / jnp.where(size == 0, 1, size), size[None, None]
  first = jnp.linalg.qr(vectors, mode="r")
  q = _solved(vectors, first)
  second = jnp.linalg.qr(q, mode="r")  # two passes give an orthonormal Q
  return _solved(q, second), second @ first


def _solved(vectors: Float[Array, "n k"], r: Float[Array, "k k"]) -> Float[Array, "n k"]:
  """Computes V R⁻¹. A zero on the diagonal of R means a column of zeros, which stays zero."""
  r = r + jnp.diag(jnp.where(jnp.diagonal(r) == 0, 1, 0).astype(r.dtype))
  return lax.linalg.triangular_solve(r, vectors, left_side=False)


def orthonormalize(tangents: Tangents) -> tuple[Tangents, Float[Array, "k k"]]:
  """Computes V = Q R without the lost columns of V; their rows of R are zero."""
  vectors = tangents.basis @ tangents.coordinates
  order = jnp.argsort(~tangents.live, stable=True)
  back = jnp.argsort(order)
  q, r = _by_columns(jnp.where(tangents.live, vectors, 0)[:, order])
  q, r = q[:, back], jnp.where(tangents.live[:, None], r[back][:, back], 0)
  q = jnp.where(tangents.free[:, None] & tangents.live, q, 0)
  return tangents._replace(coordinates=q), r


def renew(tangents: Tangents) -> Tangents:
  """Returns orthonormal tangents, with generic directions in place of the lost ones."""
  size, k = tangents.coordinates.shape
  generic = generic_directions(size, k, tangents.coordinates.dtype)
  vectors = jnp.where(tangents.live, tangents.basis @ tangents.coordinates, generic)
  order = jnp.argsort(~tangents.live, stable=True)
  return begin(jnp.linalg.qr(vectors[:, order])[0][:, jnp.argsort(order)])


class _Elimination(NamedTuple):
  matrix: Float[Array, "n n"]
  terms: Float[Array, "n n"]  # the sum of the absolute values of the terms that add up to `matrix`
  column: Int[Array, "n"]  # the pivot column of every row, or -1
  used: Bool[Array, "n"]  # the columns that are pivot columns


def _open(state: _Elimination) -> Bool[Array, "n n"]:
  """Returns the entries that may become pivots."""
  return (state.matrix != 0) & (state.column < 0)[:, None] & ~state.used


def _eliminate(state: _Elimination) -> _Elimination:
  """Performs one step of Gauss-Jordan elimination by columns."""
  matrix, noise = state.matrix, NOISE * jnp.finfo(state.matrix.dtype).eps
  is_open = _open(state)
  size = jnp.where(is_open, jnp.abs(matrix), 0)
  allowed = is_open & (size >= SMALLEST_PIVOT * jnp.max(size, axis=0))
  entries = jnp.where(jnp.any(allowed, axis=1), jnp.sum(is_open, axis=1), len(matrix) + 1)
  score = jnp.where(allowed & (entries == jnp.min(entries))[:, None], size, -1)
  row, column = jnp.unravel_index(jnp.argmax(score), score.shape)
  pivot = matrix[:, column] / matrix[row, column]
  factors = matrix[row].at[column].set(0)
  change = pivot[:, None] * factors
  terms = state.terms + jnp.abs(change)
  matrix = matrix - change
  is_noise = (jnp.abs(matrix) <= noise * terms) & (state.column < 0)[:, None] & ~state.used
  matrix = jnp.where(is_noise, 0, matrix).at[row].set(0)
  matrix = matrix.at[:, column].set(pivot).at[row, column].set(1)
  return _Elimination(matrix, terms, state.column.at[row].set(column), state.used.at[column].set(True))


def echelon(matrix: Float[Array, "n n"], terms: Float[Array, "n n"]) -> tuple[Float[Array, "n n"], Bool[Array, "n"]]:
  """Returns a basis of the image with an identity at its free entries, and the free entries.

  Rows with few entries give the first pivots, which keeps the blocks of a block-triangular matrix apart. `terms` holds, for every
  entry, the sum of the absolute values of its terms. A small entry with small terms is not noise: it may be the only trace of a
  direction once the unit that hides it dies.
  """
  none = jnp.full(len(matrix), -1)
  start = _Elimination(matrix, terms, none, none >= 0)
  done = lax.while_loop(lambda state: jnp.any(_open(state)), _eliminate, start)
  free = done.column >= 0
  return jnp.where(free, done.matrix[:, done.column], 0), free


def _drop(
  vectors: Float[Array, "n k"],
  live: Bool[Array, "k"],
  rank: Int[Array, ""],
  lost: Int[Array, ""],
  terms: Float[Array, "n k"],
) -> tuple[Float[Array, "n k"], Float[Array, "k k"], Bool[Array, "k"]]:
  """Orthonormalizes at most `rank` columns by two passes of Gram-Schmidt.

  Drops up to `lost` columns that are rounding noise after the projection. `terms` is as in `echelon`.
  """
  noise = NOISE * jnp.finfo(vectors.dtype).eps

  def column(j: Array, carry: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
    q, r, kept, budget = carry
    x = vectors[:, j]
    first = q.T @ x
    x = x - q @ first
    second = q.T @ x
    x = x - q @ second
    rounding = noise * (terms[:, j] + jnp.abs(q) @ jnp.abs(first))
    is_noise = jnp.all(jnp.abs(x) <= rounding) & (budget > 0)
    keep = live[j] & ~is_noise & (jnp.sum(kept) < rank)
    size = norm(x)
    q = q.at[:, j].set(jnp.where(keep, x / jnp.where(size == 0, 1, size), 0))
    r = r.at[:, j].set((first + second).at[j].set(jnp.where(keep, size, 0)))
    return q, r, kept.at[j].set(keep), budget - (live[j] & ~keep)

  k = vectors.shape[1]
  zeros = jnp.zeros((k, k), vectors.dtype)
  q, r, kept, _ = lax.fori_loop(0, k, column, (jnp.zeros_like(vectors), zeros, jnp.zeros(k, bool), lost))
  return q, r, kept


def push(
  apply: Callable[[Float[Array, "n m"]], Float[Array, "n m"]], has_zeros: Bool[Array, ""], tangents: Tangents
) -> tuple[Tangents, Float[Array, "k k"]]:
  """Computes J V, and the R of the decompositions that are needed if a direction is lost, else the identity.

  Args:
    apply: `matrix -> J @ matrix`.
    has_zeros: whether J has a row or a column of zeros.
    tangents: V.
  """
  k = tangents.coordinates.shape[1]
  nothing = jnp.eye(k, dtype=tangents.coordinates.dtype)

  def plain(tangents: Tangents) -> tuple[Tangents, Array]:
    return tangents._replace(coordinates=apply(tangents.coordinates)), nothing

  def careful(tangents: Tangents) -> tuple[Tangents, Array]:
    jacobian = apply(jnp.eye(len(tangents.basis), dtype=tangents.basis.dtype))
    image = jacobian @ tangents.basis
    broken = jnp.any(jnp.isnan(image))
    terms = jnp.abs(jacobian) @ jnp.abs(tangents.basis)
    basis, free = echelon(image, terms)
    basis, free = jnp.where(broken, jnp.nan, basis), jnp.where(broken, tangents.free, free)
    lost = jnp.sum(tangents.free) - jnp.sum(free)

    def keep(tangents: Tangents) -> tuple[Tangents, Array]:
      coordinates = jnp.where(free[:, None], image @ tangents.coordinates, 0)
      return Tangents(coordinates, basis, free, tangents.live), nothing

    def lose(tangents: Tangents) -> tuple[Tangents, Array]:
      tangents, before = orthonormalize(tangents)
      vectors, added = image @ tangents.coordinates, terms @ jnp.abs(tangents.coordinates)
      q, after, live = _drop(vectors, tangents.live, jnp.sum(free), lost, added)
      return Tangents(jnp.where(free[:, None], q, 0), basis, free, live), after @ before

    return lax.cond(any_of_batch(lost > 0), lose, keep, tangents)

  return lax.cond(any_of_batch(has_zeros | ~jnp.all(tangents.free)), careful, plain, tangents)
