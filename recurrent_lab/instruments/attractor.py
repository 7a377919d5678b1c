"""Attractors: the dimension and entropy that a Lyapunov spectrum implies, and the number of directions that states fill."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._compiled import compiled
from recurrent_lab.scaled import promoted


@compiled()
def kaplan_yorke_dimension(exponents: Float[Array, "*batch k"]) -> Float[Array, "*batch"]:
  """Returns D = j + Σ_{i≤j} λ_i / |λ_{j+1}|, where j is the largest number of exponents whose sum is not negative.

  This is the dimension of a set whose volume neither grows nor shrinks. D = 0 if λ₁ < 0. D = k if the sum of all k exponents is
  0 or more; if k < n, the exact D is then larger. Exponents of -inf never count towards j. `exponents` is `[..., k]`, nats per
  step.

  Reference: Kaplan & Yorke, "Chaotic behavior of multidimensional difference equations" (1979).
  """
  exponents = promoted(exponents)
  k = exponents.shape[-1]
  ordered = -jnp.sort(-exponents, axis=-1)
  sums = jnp.cumsum(ordered, axis=-1)
  j = jnp.sum(sums >= 0, axis=-1)
  at = lambda array, index: jnp.take_along_axis(array, jnp.clip(index, 0, k - 1)[..., None], axis=-1)[..., 0]
  fraction = jnp.where((j == 0) | (j == k), 0, at(sums, j - 1) / jnp.abs(at(ordered, j)))
  return jnp.where(jnp.any(jnp.isnan(exponents), axis=-1), jnp.nan, j + fraction)


@compiled()
def entropy_rate(exponents: Float[Array, "*batch k"]) -> Float[Array, "*batch"]:
  """Returns Σ max(λ_i, 0) in nats per step, the entropy rate by Pesin's formula. `exponents` is `[..., k]`."""
  return jnp.sum(jnp.maximum(promoted(exponents), 0), axis=-1)


@compiled()
def positive_share(exponents: Float[Array, "*batch k"]) -> Float[Array, "*batch"]:
  """Returns the share of the exponents `[..., k]` that are above 0, or NaN if any is NaN."""
  exponents = promoted(exponents)
  share = jnp.mean((exponents > 0).astype(exponents.dtype), axis=-1)
  return jnp.where(jnp.any(jnp.isnan(exponents), axis=-1), jnp.nan, share)


@compiled()
def participation_ratio(states: Float[Array, "T n"]) -> Float[Array, ""]:
  """Returns (Σ λ_i)² / Σ λ_i² = (tr C)² / tr C², where λ_i are the eigenvalues of the covariance C of the states.

  This is the effective number of directions that the states fill, between 1 and n. It is 0 if the states do not move, and NaN if
  an entry is not finite.

  Raises:
    ValueError: if `states` is not `[T, n]`.
  """
  if jnp.ndim(states) != 2:
    raise ValueError(f"states has shape {jnp.shape(states)}; one trajectory is [T, n], so use vmap for a batch.")
  states = promoted(states)
  moved = states - states[0]  # exactly 0 if nothing moves
  centered = moved - jnp.mean(moved, axis=0)
  size = jnp.max(jnp.abs(centered))
  centered = centered / jnp.where(size == 0, 1, size)
  covariance = centered.T @ centered
  still = jnp.where(size == 0, 1, 0)
  return jnp.trace(covariance) ** 2 / (jnp.sum(covariance**2) + still)
