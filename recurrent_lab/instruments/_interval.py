"""The steps of the tangents of a spectrum, and the choice of the re-orthonormalization interval."""

from typing import NamedTuple

import jax
from jax import lax
from jax.custom_batching import custom_vmap
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from recurrent_lab._generic import generic_directions
from recurrent_lab.instruments._flat import FlatTrajectory, pull_rows, zero_directions
from recurrent_lab.instruments._tangents import Tangents, begin, orthonormalize, push

# The pilot: steps at the end of the sequence that choose the interval. It is a tenth of all steps, so that it costs little,
# within these bounds. Its first half only aligns the tangents.
SHORT_PILOT, PILOT = 10, 40
# The spread over an interval that the pilot aims at, as a share of the ln(1/ε) nats that the precision can resolve.
AIM = 0.55


class Pushed(NamedTuple):
  """One step of the tangents."""

  tangents: Tangents  # J V
  r: Float[Array, "k k"]  # R of the decompositions that are needed when directions are lost
  log_det: Float[Array, ""]  # ln |det J|; NaN for k < n


def push_step(flat: FlatTrajectory, tangents: Tangents, s: Array, x: Array) -> Pushed:
  """Computes J V at (s, x). Forms J only for k = n, where the determinant is needed."""
  size, k = tangents.coordinates.shape
  _, linear = jax.linearize(lambda s: flat.step(s, x), s)
  apply = jax.vmap(linear, in_axes=1, out_axes=1)
  if k < size:
    # Lost directions leak only into slower tangents. A single tangent has none, so skip the costly check.
    has_zeros = jnp.zeros((), bool) if k == 1 else zero_directions(flat, s, x) > 0
    tangents, r = push(apply, has_zeros, tangents)
    return Pushed(tangents, r, jnp.full((), jnp.nan, s.dtype))
  jacobian = apply(jnp.eye(size, dtype=s.dtype))
  is_zero = jacobian == 0
  has_zeros = jnp.any(jnp.all(is_zero, axis=0)) | jnp.any(jnp.all(is_zero, axis=1))
  tangents, r = push(lambda matrix: jacobian @ matrix, has_zeros, tangents)
  _, log_det = jnp.linalg.slogdet(jacobian)
  # LU may give a nonzero determinant by rounding although a row or column is zero.
  return Pushed(tangents, r, jnp.where(has_zeros, -jnp.inf, log_det))


def log_diagonal(r: Float[Array, "k k"]) -> Float[Array, "k"]:
  return jnp.log(jnp.abs(jnp.diagonal(r)))


def pilot_steps(steps: int) -> int:
  return min(PILOT, max(SHORT_PILOT, steps // 10), steps)


def first_directions(flat: FlatTrajectory, k: int) -> Float[Array, "n k"]:
  """Returns generic directions. For k = n, aligns them with those that the first steps stretch most: a shorter transient."""
  (steps, size), dtype = flat.states.shape, flat.states.dtype
  generic = generic_directions(size, k, dtype)
  if k < size:
    return generic
  pull = lambda q, at: (jnp.linalg.qr(pull_rows(flat, q.T, *at).T)[0], None)
  first = pilot_steps(steps)
  return lax.scan(pull, generic, (flat.states[:first], flat.xs[:first]), reverse=True)[0]


@custom_vmap
def smallest_of_batch(interval: Int[Array, ""]) -> Int[Array, ""]:
  """Returns the interval; under `vmap` the smallest of the batch, so that all members do their QR at the same steps."""
  return interval


@smallest_of_batch.def_vmap
def _(axis_size: int, in_batched: list[bool], interval: Array) -> tuple[Array, bool]:
  return smallest_of_batch(jnp.min(interval)), False


def choose_interval(flat: FlatTrajectory, k: int) -> Int[Array, ""]:
  """Returns the longest interval in which no direction is lost, from a pilot with a QR at each of the last steps.

  With c_j = Σ_{i≤j} ln |R_ii| [k], the directions spread over steps i … j by max(c_j - c_i) - min(c_j - c_i). When the spread
  comes near ln(1/ε), the smallest column is rounding noise of the largest. In every stretch of the pilot up to the interval, the
  spread stays below `AIM` · ln(1/ε), and the growth stays within half the range of floating-point exponents.
  """
  size, dtype = flat.states.shape[1], flat.states.dtype

  def step(tangents: Tangents, at: tuple[Array, Array]) -> tuple[Tangents, Array]:
    pushed = push_step(flat, tangents, *at)
    tangents, r = orthonormalize(pushed.tangents)
    return tangents, log_diagonal(r) + log_diagonal(pushed.r)

  last = pilot_steps(len(flat.states))
  tangents, log_r = lax.scan(step, begin(generic_directions(size, k, dtype)), (flat.states[-last:], flat.xs[-last:]))
  log_r = log_r[len(log_r) // 2 :]
  # Lost directions need not be resolved.
  kept = tangents.live
  c = jnp.cumsum(jnp.where(kept, log_r, 0), axis=0)
  c = jnp.concatenate([jnp.zeros((1, k), dtype), c])
  growth = c[None, :] - c[:, None]
  highest = jnp.max(growth, axis=-1, where=kept, initial=-jnp.inf)
  lowest = jnp.min(growth, axis=-1, where=kept, initial=jnp.inf)
  info = jnp.finfo(dtype)
  fits = (highest - lowest < -AIM * np.log(info.eps)) & (jnp.max(jnp.abs(growth), axis=-1) < -np.log(info.tiny) / 2)
  length = np.subtract.outer(-np.arange(len(c)), -np.arange(len(c)))
  interval = jnp.min(jnp.where(fits | (length <= 0), len(log_r), length - 1))
  return smallest_of_batch(jnp.maximum(interval, 1).astype(jnp.int32))
