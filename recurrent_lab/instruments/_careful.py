"""Lyapunov sums of a trajectory on which tangents may be lost, with a QR of columns that stay in the image of the product."""

from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float
import numpy as np

from recurrent_lab.instruments._flat import FlatTrajectory
from recurrent_lab.instruments._nested import log_diagonal
from recurrent_lab.instruments._tangents import Tangents, any_of_batch, begin, orthonormalize, push, renew


def _decompose(tangents: Tangents, counts: Array) -> tuple[Tangents, Array, Array]:
  """Returns (orthonormal tangents, ln |R_ii|, their spread)."""
  tangents, r = orthonormalize(tangents)
  log_r = log_diagonal(r)
  highest = jnp.max(log_r, where=tangents.live, initial=-jnp.inf)
  spread = jnp.where(jnp.any(tangents.live), highest - jnp.min(log_r, where=tangents.live, initial=jnp.inf), 0)
  # Directions that are lost during the burn-in start again.
  tangents = lax.cond(any_of_batch(~counts & ~jnp.all(tangents.live)), renew, lambda kept: kept, tangents)
  return tangents, log_r, spread


def _only_multiply(tangents: Tangents, counts: Array) -> tuple[Tangents, Array, Array]:
  dtype = tangents.coordinates.dtype
  return tangents, jnp.zeros(tangents.live.shape, dtype), jnp.zeros((), dtype)


def careful_blocks(
  flat: FlatTrajectory,
  has_zeros: Bool[Array, "T"],
  directions: Float[Array, "n k"],
  edges: np.ndarray,
  burn_in: bool,
  every: int,
) -> tuple[Float[Array, "B k"], Float[Array, ""]]:
  """Follows orthonormal tangents over successive blocks of steps, with a QR at every `every`-th step of a block and at its end.

  Args:
    flat: the trajectory.
    has_zeros: whether J_j has a row or a column of zeros.
    directions: the first tangents, orthonormal.
    edges: `[B + 1]`, the first step of every block, and the end of the last.
    burn_in: whether tangents that are lost in the first block start again.
    every: the re-orthonormalization interval in steps.

  Returns:
    `(Σ ln |R_ii| of every block, the largest spread of an interval)`. Lost tangents have -inf.
  """
  lengths, dtype = np.diff(edges), directions.dtype
  block = np.repeat(np.arange(len(lengths)), lengths)
  since = np.arange(1, len(block) + 1) - edges[block]
  due = (since % every == 0) | (since == lengths[block])

  def step(carry: tuple[Tangents, Array, Array], at: tuple[Array, ...]) -> tuple[Any, None]:
    tangents, sums, largest = carry
    s, x, zeros, is_due, b = at
    _, linear = jax.linearize(lambda s: flat.step(s, x), s)
    pushed, r = push(jax.vmap(linear, in_axes=1, out_axes=1), zeros, tangents)
    counts = b >= burn_in
    tangents, log_r, spread = lax.cond(is_due, _decompose, _only_multiply, pushed, counts)
    # In float32, sums over a block are accurate enough; a sum over 10⁴ steps is not.
    sums = sums.at[b].add(log_r + log_diagonal(r))
    return (tangents, sums, jnp.where(counts, jnp.maximum(largest, spread), largest)), None

  carry = (begin(directions), jnp.zeros((len(lengths), directions.shape[1]), dtype), jnp.zeros((), dtype))
  taken = (flat.states, flat.xs, has_zeros, jnp.asarray(due), jnp.asarray(block))
  (_, sums, spread), _ = lax.scan(step, carry, taken)
  return sums, spread
