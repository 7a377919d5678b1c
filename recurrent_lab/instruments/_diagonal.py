"""Lyapunov sums of a cell whose units do not see each other, so that every Jacobian is diagonal.

    ∏ J = diag(∏_j J_j,ii),        λ_i = 1/T Σ_j ln |J_j,ii|,        sorted

No matrix is formed, no direction has to align itself, and no interval loses digits.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from recurrent_lab.instruments._flat import FlatTrajectory, pull_rows


def _sums(log_sizes: Float[Array, "T n"], edges: np.ndarray) -> Float[Array, "B n"]:
  """Sums the steps of every block."""
  lengths = np.diff(edges)
  block = np.repeat(np.arange(len(lengths)), lengths)
  return jax.ops.segment_sum(log_sizes[edges[0] :], block, len(lengths), indices_are_sorted=True)


def diagonal_blocks(flat: FlatTrajectory, k: int, edges: np.ndarray) -> tuple[Float[Array, "B k"], Float[Array, "B"]]:
  """Returns (Σ ln |J_ii| of the k units with the largest sums, Σ ln |det J_j|) of every block of steps.

  The first comes from a product J 1, the second from a product 1ᵀ J. A unit that has been lost stays lost, with -inf.

  Args:
    flat: the trajectory.
    k: the number of exponents.
    edges: `[B + 1]`, the first step of every block that counts, and the end of the last.
  """
  ones = jnp.ones_like(flat.states[0])
  forward = jax.vmap(lambda s, x: jax.jvp(lambda s: flat.step(s, x), (s,), (ones,))[1])(flat.states, flat.xs)
  backward = jax.vmap(lambda s, x: pull_rows(flat, ones[None], s, x)[0])(flat.states, flat.xs)
  log_r, log_dets = (_sums(jnp.log(jnp.abs(diagonal)), edges) for diagonal in (forward, backward))
  log_r = jnp.where(jnp.cumsum(jnp.isneginf(log_r), axis=0) > 0, -jnp.inf, log_r)
  order = jnp.argsort(-jnp.sum(log_r, axis=0))
  return log_r[:, order[:k]], jnp.sum(log_dets, axis=1)
