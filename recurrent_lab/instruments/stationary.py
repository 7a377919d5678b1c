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

from typing import Any, NamedTuple

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
from recurrent_lab.sequences._steps import check_width

# A point is fixed if F moves it by less than this many roundings of its size.
ROUNDINGS = 100
# At a slow point, the gradient of ‖F(S, x) - S‖ is at most this. It has no unit, and is about 1 elsewhere.
LEVEL = 1e-3
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
  slope: Float[Array, "K"]  # ‖∇ ‖r‖ ‖ = ‖Aᵀ r‖ / ‖r‖, 0 at a minimum of q that is not 0
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

  def step(_: Any, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
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
    slope = jnp.linalg.norm((jacobian - one).T @ r) / length
    return _Ends(s, length**2 / 2, slope, jnp.sqrt(size + jnp.sum(s**2)), jacobian)

  return jax.vmap(search)(jax.vmap(lambda s: ravel_pytree(s)[0])(starts))


def _check(params: Params, x: Any, options: dict[str, float]) -> None:
  """Raises a `ValueError` that names the first impossible value."""
  if jnp.ndim(x) != 1:
    raise ValueError(f"x has shape {jnp.shape(x)}; a constant input is one vector [I].")
  check_width(params, jnp.asarray(x), f"x has {jnp.shape(x)[0]} inputs; these params take")
  for name, value in options.items():
    if not (np.isfinite(value) and value >= 0):
      raise ValueError(f"{name} is {value}; it must be a finite number of at least 0.")


def _starts(cell: Cell, params: Params, starts: State | int, key: PRNGKeyArray | None, spread: float) -> State:
  """Returns the starts with a leading axis, drawn around the initial state if only their number is given."""
  if not isinstance(starts, int):
    counts = {jnp.shape(leaf)[:1] for leaf in jax.tree.leaves(starts)}
    if len(counts) != 1 or counts & {(), (0,)}:
      raise ValueError(
        f"starts has leading axes {sorted(counts)}; all its arrays need the same leading axis of at least one start."
      )
    return starts
  if starts < 1:
    raise ValueError(f"starts is {starts}; the search needs at least one start.")
  begin, unravel = ravel_pytree(cell.initial_state(params, ()))
  noise = jax.random.normal(jax.random.key(0) if key is None else key, (starts, begin.size), begin.dtype)
  return jax.vmap(unravel)(begin + spread * noise)


def _merged(ends: _Ends, is_found: np.ndarray, distance: float) -> tuple[np.ndarray, np.ndarray]:
  """Returns (labels, unique): every end joins the most accurate one within its distance."""
  chosen: list[int] = []
  owner = np.full(len(is_found), -1)
  for k in np.argsort(ends.speed, kind="stable"):
    if not is_found[k]:
      continue
    near = np.linalg.norm(ends.states[chosen] - ends.states[k], axis=1) <= distance * ends.size[chosen]
    if not near.any():
      chosen.append(int(k))
    owner[k] = chosen[np.argmax(near)] if near.any() else k
  unique = np.sort(np.asarray(chosen, int))
  return np.where(owner >= 0, np.searchsorted(unique, owner), -1), unique


def _eigenvalues(jacobians: np.ndarray, is_found: np.ndarray) -> np.ndarray:
  """Returns the eigenvalues of the found points, of decreasing modulus."""
  values = np.full(jacobians.shape[:2], np.nan, complex)
  values[is_found] = np.linalg.eigvals(jacobians[is_found])
  return np.take_along_axis(values, np.argsort(-np.abs(values), axis=1, kind="stable"), axis=1)


def fixed_points(
  cell: Cell,
  params: Params,
  x: Array,
  starts: State | int = 64,
  *,
  key: PRNGKeyArray | None = None,
  spread: float = 1.0,
  iterations: int = 200,
  slow_speed: float = 1e-4,
  distance: float = 1e-3,
) -> FixedPoints:
  """Searches the fixed and slow points of a net with a constant input.

  A search finds the points near its starts, and does not show that there are no others. States that the net visits are good
  starts, such as rows of `trajectory`. The eigenvalues come from NumPy, so the function does not run under `jit` or `vmap`.

  Args:
    cell: any `Cell`.
    params: its parameters.
    x: the constant input `[I]`; zeros for an autonomous net.
    starts: states with a leading axis K, or the number of starts to draw.
    key: of the drawn starts; by default a fixed one.
    spread: standard deviation of the drawn starts around the cell's initial state, per entry.
    iterations: steps of the search from every start.
    slow_speed: the largest q of a slow point.
    distance: two ends a, b are the same point if ‖a - b‖ ≤ distance · √(n + ‖b‖²).

  Returns:
    The end from every start with its status, and which ends are different points.

  Raises:
    ValueError: if `x` is not one vector of the input size of the params, if there is no start, if the starts do not fit the
      cell, and if a number is out of bounds.
  """
  _check(params, x, {"spread": spread, "slow_speed": slow_speed, "distance": distance})
  if iterations < 1:
    raise ValueError(f"iterations is {iterations}; it must be at least 1.")
  batch = _starts(cell, params, starts, key, spread)
  xs, first = jnp.asarray(x)[None], jax.tree.map(lambda s: s[0], batch)
  checked_start(cell, params, xs, first)
  ends = jax.tree.map(np.asarray, _search(cell, params, xs, batch, iterations))
  rounding = ROUNDINGS * np.finfo(ends.states.dtype).eps * ends.size
  is_fixed = ends.speed <= rounding**2 / 2
  is_slow = ~is_fixed & (ends.speed <= slow_speed) & (ends.slope <= LEVEL)
  labels, unique = _merged(ends, is_fixed | is_slow, distance)
  _, unravel = ravel_pytree(promoted(first))
  return FixedPoints(
    jax.vmap(unravel)(ends.states),
    ends.speed,
    np.where(is_fixed, "fixed", np.where(is_slow, "slow", "none")),
    _eigenvalues(ends.jacobians, is_fixed | is_slow),
    labels,
    unique,
  )
