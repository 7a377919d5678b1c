"""What a network moves on: the dimension and the entropy that its Lyapunov spectrum implies, and the directions it fills."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._compiled import compiled
from recurrent_lab.scaled import promoted


@compiled()
def kaplan_yorke_dimension(exponents: Float[Array, "*batch k"]) -> Float[Array, "*batch"]:
  """D = j + Σ_{i≤j} λ_i / |λ_{j+1}|, j the largest number of exponents whose sum is not negative.

  The dimension of a set whose volume neither grows nor shrinks: 0 where λ₁ < 0, and all k where the sum of all is 0 or more
  (for k < n, D is then only known to be larger). Entries of -inf contract at once: they add nothing to j.

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
  """Σ max(λ_i, 0), nats per step: Pesin's formula for the rate at which the network makes information of its initial state."""
  return jnp.sum(jnp.maximum(promoted(exponents), 0), axis=-1)


@compiled()
def positive_share(exponents: Float[Array, "*batch k"]) -> Float[Array, "*batch"]:
  """The share of the exponents given that are above 0; NaN where one is NaN."""
  exponents = promoted(exponents)
  share = jnp.mean((exponents > 0).astype(exponents.dtype), axis=-1)
  return jnp.where(jnp.any(jnp.isnan(exponents), axis=-1), jnp.nan, share)


@compiled()
def participation_ratio(states: Float[Array, "T n"]) -> Float[Array, ""]:
  """(Σ λ_i)² / Σ λ_i² = (tr C)² / tr C² for the covariance C of the states and its eigenvalues λ_i: the directions they fill.

  Between 1 and n; 0 where the states do not move, NaN where one is not finite.

  Raises:
    ValueError: if `states` is not `[T, n]`.
  """
  if jnp.ndim(states) != 2:
    raise ValueError(f"states has shape {jnp.shape(states)}; one trajectory is [T, n], so use vmap for a batch.")
  states = promoted(states)
  moved = states - states[0]  # exactly 0 where nothing moves
  centered = moved - jnp.mean(moved, axis=0)
  size = jnp.max(jnp.abs(centered))
  centered = centered / jnp.where(size == 0, 1, size)
  covariance = centered.T @ centered
  still = jnp.where(size == 0, 1, 0)
  return jnp.trace(covariance) ** 2 / (jnp.sum(covariance**2) + still)
