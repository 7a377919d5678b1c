"""Fixed and slow points: the states at which a net with a constant input stands still, or almost.

A state S moves at the speed

    q(S) = ½ ‖F(S, x) - S‖².

At a fixed point q = 0. A slow point is a minimum of q that is small but not 0; trajectories linger there. Close to either, the
net is S_t - S ≈ J (S_{t-1} - S), and the eigenvalues of J = ∂F/∂S say how the difference grows and turns at each step.

Minima of q are found by the Levenberg-Marquardt method with A = J - 1 and r = F(S, x) - S,

    (Aᵀ A + μ) d = -Aᵀ r,

where μ falls after a step that lowers q, and rises instead of a step that does not.

References: Sussillo & Barak, "Opening the black box: low-dimensional dynamics in high-dimensional recurrent neural networks",
Neural Computation 25 (2013); Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", J. SIAM 11 (1963).
"""

from typing import NamedTuple

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Int, PRNGKeyArray, Shaped
import numpy as np

from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments._flat import checked_start, flat_trajectory
from recurrent_lab.scaled import promoted

# A point is fixed if F moves it by less than this many roundings of its size.
ROUNDINGS = 100
# The damping μ: at the start, and the factors after a step that lowers q and after one that does not.
DAMPING, EASE, BRAKE = 1e-2, 0.2, 5.0


class FixedPoints(NamedTuple):
  """The end of the search from every one of K starts.

  Attributes:
    states: the states of the ends, as the cell has them, with a leading axis K.
    speed: q = ½ ‖F(S, x) - S‖² there.
    status: `fixed` if F moves the state by at most 100 roundings of its size, `slow` if it is a minimum of q of at most
      `slow_speed`, and `none` if the search found neither.
    eigenvalues: those of the Jacobian ∂F/∂S, of decreasing modulus. NaN for `none`.
    labels: which of the U different points the start led to, and -1 for `none`. The slowest point has label 0.
    unique: for each of the U different points, the start that led to it most accurately.
  """

  states: State
  speed: Float[np.ndarray, "K"]
  status: Shaped[np.ndarray, "K"]
  eigenvalues: Complex[np.ndarray, "K n"]
  labels: Int[np.ndarray, "K"]
  unique: Int[np.ndarray, "U"]


class _Ends(NamedTuple):
  """The flat ends of the searches."""

  states: Float[Array, "K n"]
  speed: Float[Array, "K"]
  slope: Float[Array, "K"]  # ‖∇q‖ / (‖A‖ ‖r‖), 0 at a minimum of q that is not 0
  size: Float[Array, "K"]  # √(n + ‖S‖²)
  jacobians: Float[Array, "K n n"]


@compiled("cell", "iterations")
def _search(cell: Cell, params: Params, xs: Float[Array, "1 I"], starts: State, iterations: int) -> _Ends:
  """Lowers q from every start."""
  starts = promoted(starts)
  flat = flat_trajectory(cell, params, xs, jax.tree.map(lambda s: s[0], starts))
  x, size = flat.xs[0], flat.states.shape[1]
  one = jnp.eye(size, dtype=flat.states.dtype)
  motion = lambda s: flat.step(s, x) - s

  def step(_: int, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    s, r, damping = carry
    stacked = jnp.concatenate([flat.jacobian(s, x) - one, jnp.sqrt(damping) * one])
    basis, triangle = jnp.linalg.qr(stacked)
    d = -lax.linalg.triangular_solve(triangle, (basis[:size].T @ r)[:, None], left_side=True, lower=False)[:, 0]
    new, is_better = motion(s + d), jnp.zeros((), bool)
    is_better = jnp.sum(new**2) < jnp.sum(r**2)
    damping = jnp.clip(damping * jnp.where(is_better, EASE, BRAKE), jnp.finfo(s.dtype).eps ** 2, 1e12)
    return jnp.where(is_better, s + d, s), jnp.where(is_better, new, r), damping

  def search(s: Array) -> _Ends:
    first = (s, motion(s), jnp.asarray(DAMPING, s.dtype))
    s, r, _ = lax.fori_loop(0, iterations, step, first)
    jacobian, length = flat.jacobian(s, x), jnp.linalg.norm(r)
    a = jacobian - one
    slope = jnp.linalg.norm(a.T @ r) / (jnp.linalg.norm(a) * length)
    return _Ends(s, length**2 / 2, slope, jnp.sqrt(size + jnp.sum(s**2)), jacobian)

  return jax.vmap(search)(jax.vmap(lambda s: ravel_pytree(s)[0])(starts))
