"""The sums of a Lyapunov spectrum over blocks of steps, and the two sides of its determinant identity."""

from typing import NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from recurrent_lab._generic import generic_directions
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments import _structure
from recurrent_lab.instruments._careful import careful_blocks
from recurrent_lab.instruments._diagonal import diagonal_blocks
from recurrent_lab.instruments._flat import FlatTrajectory, zero_directions
from recurrent_lab.instruments._interval import begin_pace
from recurrent_lab.instruments._linear import StepJacobian
from recurrent_lab.instruments._nested import aligned_directions, follow_blocks
from recurrent_lab.instruments._tangents import any_of_batch

# The determinants of every eighth block certify all of them, but of at least this many steps.
STRIDE, FEWEST_DETERMINANTS = 8, 20


class Sums(NamedTuple):
  """Sums over the steps of every block, and the intervals of the run."""

  log_r: Float[Array, "B k"]  # Σ ln |R_ii|
  interval: Int[Array, ""]  # the longest interval
  spread: Float[Array, ""]  # the largest spread of an interval


class Identity(NamedTuple):
  """The two sides of the determinant identity over a number of steps."""

  log_r: Float[Array, ""]  # Σ_j Σ_i ln |R_ii|
  log_det: Float[Array, ""]  # Σ_j ln |det J_j|
  steps: int


def _single(flat: FlatTrajectory, jacobian: StepJacobian, edges: np.ndarray, burn_in: int, interval: int) -> Sums:
  """Returns the sums of a single tangent."""
  (_, size), dtype = flat.states.shape, flat.states.dtype
  multiply = lambda j, rows: jacobian.push(rows, flat.states[j], flat.xs[j])
  rows, pace = generic_directions(size, 1, dtype).T, begin_pace(interval, dtype)
  log_r, pace = follow_blocks(multiply, rows, edges, burn_in > 0, pace, is_fixed=True)
  return Sums(log_r, pace.longest, pace.spread)


def _several(
  flat: FlatTrajectory,
  jacobian: StepJacobian,
  has_zeros: Array,
  k: int,
  edges: np.ndarray,
  burn_in: int,
  interval: int | None,
) -> Sums:
  """Returns the sums of k tangents, carefully if one of them may be lost."""
  (_, size), dtype = flat.states.shape, flat.states.dtype
  multiply = lambda j, rows: jacobian.push(rows, flat.states[j], flat.xs[j])
  if k < size:
    directions, pace = generic_directions(size, k, dtype), begin_pace(1, dtype)
  else:
    directions, pace = aligned_directions(flat, jacobian.pull)
  if interval is not None:
    pace = begin_pace(interval, dtype)

  def nested(_: None) -> Sums:
    log_r, found = follow_blocks(multiply, directions.T, edges, burn_in > 0, pace, interval is not None)
    return Sums(log_r, found.longest, found.spread)

  def careful(_: None) -> Sums:
    every = min(interval or 1, int(np.diff(edges).max()))
    log_r, spread = careful_blocks(flat, has_zeros, directions, edges, burn_in > 0, every)
    return Sums(log_r, jnp.asarray(every, jnp.int32), spread)

  return lax.cond(any_of_batch(jnp.any(has_zeros)), careful, nested, None)


def sample_blocks(lengths: np.ndarray) -> np.ndarray:
  """Returns the blocks whose determinants are computed: every eighth, or more often if there are few steps."""
  stride = int(np.clip(lengths.sum() // FEWEST_DETERMINANTS, 1, STRIDE))
  return np.arange(min(stride // 2, len(lengths) - 1), len(lengths), stride)


def _determinants(
  flat: FlatTrajectory, jacobian: StepJacobian, has_zeros: Array, log_r: Float[Array, "B k"], edges: np.ndarray
) -> Identity:
  """Returns the identity over the steps of the sample."""
  sample = sample_blocks(np.diff(edges))
  steps = np.concatenate([np.arange(edges[b], edges[b + 1]) for b in sample])
  taken = jax.tree.map(lambda a: a[steps], (flat.states, flat.xs))
  log_dets = lax.map(lambda at: jnp.linalg.slogdet(jacobian.dense(*at))[1], taken)
  # LU may give a nonzero determinant by rounding although a row or column is zero.
  is_singular = jnp.any(has_zeros[edges[0] :])
  total = jnp.where(is_singular, jnp.sum(log_r), jnp.sum(log_r[sample]))
  return Identity(total, jnp.where(is_singular, -jnp.inf, jnp.sum(log_dets)), len(steps))


def diagonal_sums(flat: FlatTrajectory, k: int, counted: np.ndarray, interval: int) -> tuple[Sums, Identity | None]:
  """Returns the sums of an element-wise cell, and its determinant identity for k = n."""
  log_r, log_dets = diagonal_blocks(flat, k, counted)
  interval = min(interval, int(np.diff(counted).max()))
  sums = Sums(log_r, jnp.asarray(interval, jnp.int32), jnp.zeros((), log_r.dtype))
  is_full = k == flat.states.shape[1]
  return sums, Identity(jnp.sum(log_r), jnp.sum(log_dets), int(counted[-1] - counted[0])) if is_full else None


def structured_sums(
  cell: Cell, params: Params, state: State, xs: Float[Array, "T I"], k: int, counted: np.ndarray
) -> tuple[Sums, Identity | None]:
  """Returns the sums of a cell with a diagonal or rotating transition, and its determinant identity for k = n."""
  log_r = _structure.diagonal_sums_by_block(_structure.log_moduli(cell, params, state), xs, counted)
  size, order = log_r.shape[1], jnp.argsort(-jnp.sum(log_r, axis=0))
  sums = Sums(log_r[:, order[:k]], jnp.ones((), jnp.int32), jnp.zeros((), log_r.dtype))
  if k < size:
    return sums, None
  sample = sample_blocks(np.diff(counted))
  steps = np.concatenate([np.arange(counted[b], counted[b + 1]) for b in sample])
  log_dets = lax.map(lambda x: _structure.log_det(cell, params, state, x), xs[steps])
  return sums, Identity(jnp.sum(log_r[sample]), jnp.sum(log_dets), len(steps))


def dense_sums(
  flat: FlatTrajectory, jacobian: StepJacobian, k: int, edges: np.ndarray, burn_in: int, interval: int | None
) -> tuple[Sums, Identity | None]:
  """Returns the sums of any other cell, and its determinant identity for k = n."""
  # Generic vectors find rows and columns of zeros at all steps at once.
  has_zeros = jax.vmap(lambda s, x: zero_directions(flat, s, x) > 0)(flat.states, flat.xs)
  if k == 1:
    # A single tangent has no slower ones into which a lost direction could leak.
    sums = _single(flat, jacobian, edges, burn_in, interval or 1)
  else:
    sums = _several(flat, jacobian, has_zeros, k, edges, burn_in, interval)
  if burn_in:
    sums, edges = sums._replace(log_r=sums.log_r[1:]), edges[1:]
  is_full = k == flat.states.shape[1]
  return sums, _determinants(flat, jacobian, has_zeros, sums.log_r, edges) if is_full else None
