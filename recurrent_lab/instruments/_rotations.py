"""Singular values of a graded matrix by one-sided Jacobi rotations, which need no LAPACK.

Rotations act on pairs of log norms and unit rows, n / 2 disjoint pairs at a time.

References: Demmel et al., "Computing the singular value decomposition with high relative accuracy", LAA 299 (1999); Golub & Van
Loan, "Matrix Computations", 4th ed., 8.5.2 and 8.6.3, for the rotations and their parallel order.
"""

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from recurrent_lab.instruments._graded import Graded, normalize, transposed


def _rotate(top: Graded, bottom: Graded) -> tuple[Graded, Graded, Float[Array, ""]]:
  """Makes two sets of rows orthogonal, pair by pair. Also returns the largest cosine that it found.

  Take unit rows u, v with norms a ≥ b, and let ρ = b / a and γ = u·v. The Jacobi rotation that makes a u and b v orthogonal has
  tangent -ρκ with κ = 2γ / (1 - ρ² + √((1 - ρ²)² + 4ρ²γ²)). It gives

      a' u' = a c (u + ρ²κ v),   b' v' = b c (v - κ u),   c = 1 / √(1 + ρ²κ²),

  which is finite for every ρ. For ρ → 0 it is Gram-Schmidt.
  """
  swap = (top.log_norms < bottom.log_norms)[:, None]
  u, v = jnp.where(swap, bottom.rows, top.rows), jnp.where(swap, top.rows, bottom.rows)
  log_a = jnp.maximum(top.log_norms, bottom.log_norms)
  log_b = jnp.minimum(top.log_norms, bottom.log_norms)
  alive = ~jnp.isneginf(log_b)
  rho = jnp.where(alive, jnp.exp(jnp.where(alive, log_b - log_a, 0)), 0)
  gamma = jnp.where(alive, jnp.sum(u * v, axis=-1), 0)
  gap = 1 - rho**2
  denominator = gap + jnp.sqrt(gap**2 + (2 * rho * gamma) ** 2)
  kappa = 2 * gamma / jnp.where(denominator == 0, 1, denominator)
  cosine = lax.rsqrt(1 + (rho * kappa) ** 2)
  larger = normalize(log_a, cosine[:, None] * (u + (rho**2 * kappa)[:, None] * v))
  remainder = cosine[:, None] * (v - kappa[:, None] * u)
  smaller = normalize(log_b, remainder)
  # A remainder at rounding level has a random direction. It never becomes orthogonal, so it does not count.
  noise = 10 * u.shape[1] ** 0.5 * jnp.finfo(u.dtype).eps
  found = jnp.where(jnp.linalg.norm(remainder, axis=-1) > noise, jnp.abs(gamma), 0)
  # Restore the original order, so that every pair meets in the tournament.
  places = lambda first, second: Graded(
    jnp.where(swap[:, 0], second.log_norms, first.log_norms), jnp.where(swap, second.rows, first.rows)
  )
  return places(larger, smaller), places(smaller, larger), jnp.max(found, initial=0.0)


TRANSPOSITIONS = 6  # cheap compared with the sweeps that they save
MAX_SWEEPS = 4


def by_rotations(matrix: Graded) -> Float[Array, "n"]:
  """Computes ln σ_i in decreasing order by one-sided Jacobi, n / 2 disjoint pairs at a time, until rows are orthogonal."""
  size = matrix.rows.shape[0]
  if size == 1:
    return matrix.log_norms
  matrix = lax.fori_loop(0, TRANSPOSITIONS, lambda _, m: transposed(m), matrix)
  even = size + size % 2  # for an odd size, a zero row is added
  log_norms = jnp.full(even, -jnp.inf, matrix.rows.dtype).at[:size].set(matrix.log_norms)
  rows = jnp.zeros((even, matrix.rows.shape[1]), matrix.rows.dtype).at[:size].set(matrix.rows)
  half = even // 2
  # Rounding alone makes cosines of a few √n ε. Their effect on a logarithm is of the same size.
  tolerance = 10 * size**0.5 * jnp.finfo(matrix.rows.dtype).eps

  def play_round(_: Int[Array, ""], carry: tuple[Graded, Array]) -> tuple[Graded, Array]:
    players, worst = carry
    # A round-robin tournament: i meets even-1-i, then all except the first move by one place.
    top = jax.tree.map(lambda p: p[:half], players)
    bottom = jax.tree.map(lambda p: p[half:][::-1], players)
    top, bottom, cosine = _rotate(top, bottom)
    players = jax.tree.map(
      lambda t, b: jnp.concatenate([t[:1], jnp.roll(jnp.concatenate([t[1:], b[::-1]]), 1, 0)]), top, bottom
    )
    return Graded(*players), jnp.maximum(worst, cosine)

  def sweep(carry: tuple[Graded, Array, Array]) -> tuple[Graded, Array, Array]:
    players, _, count = carry
    players, worst = lax.fori_loop(0, even - 1, play_round, (players, jnp.zeros((), rows.dtype)))
    return players, worst, count + 1

  def unfinished(carry: tuple[Graded, Array, Array]) -> Array:
    _, worst, count = carry
    return (worst > tolerance) & (count < MAX_SWEEPS)

  start = (Graded(log_norms, rows), jnp.asarray(jnp.inf, rows.dtype), jnp.asarray(0))
  players, _, _ = lax.while_loop(unfinished, sweep, start)
  return jnp.sort(players.log_norms)[::-1][:size]
