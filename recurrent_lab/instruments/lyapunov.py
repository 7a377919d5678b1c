"""Lyapunov exponents: the rates at which small differences of the state grow or shrink.

Tangents Q [n, k] follow the trajectory, A_j = J_j Q_{j-1}. Every few steps they are re-orthonormalized by A = Q R. The diagonals
of R give the exponents:

    λ_i = 1/T Σ ln |R_ii|,   nats per step,        Σ_i λ_i = 1/T Σ_j ln |det J_j|   for all n exponents.

The same function serves input-driven networks, whose exponents are conditional on the inputs, and autonomous ones, which have
zero inputs and a given initial state. The second equation is the certificate of every full spectrum.

References: Benettin, Galgani, Giorgilli & Strelcyn, "Lyapunov characteristic exponents", Meccanica 15 (1980); Geist, Parlitz &
Lauterborn, "Comparison of different methods for computing Lyapunov exponents", Prog. Theor. Phys. 83 (1990), for QR; Engelken,
Wolf & Abbott, "Lyapunov spectra of chaotic recurrent neural networks", Phys. Rev. Research 5 (2023).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int
import numpy as np

from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments._flat import FlatTrajectory, flat_trajectory
from recurrent_lab.instruments._interval import (
  choose_interval,
  first_directions,
  log_diagonal,
  push_step,
  smallest_of_batch,
)
from recurrent_lab.instruments._tangents import Tangents, any_of_batch, begin, orthonormalize, renew

# The largest spread of an interval, as a share of the ln(1/ε) nats that the precision can resolve.
LIMIT = 0.75
BLOCKS = 20
# The largest residual of a certified spectrum, as a share of the mean |λ_i|, and an allowance for rounding in nats per step.
CERTAIN, ROUNDING = 1e-3, 1e-6


class LyapunovSpectrum(NamedTuple):
  """The k largest Lyapunov exponents, and how far to trust them.

  With block means m_b of weight w_b, the standard error is √(B/(B-1) Σ w_b² (m_b - λ)²). It includes correlations within a block
  but not between blocks, so it is too small if the network remembers longer than a block.

  In exact arithmetic the residual is 0 for every T. If a direction is lost, both sides of the determinant identity are -inf, so
  the residual is NaN and certifies nothing. If only one side is -inf, the residual is inf. If the residual is large at interval
  1, the precision does not resolve the Jacobians themselves, as for an LSTM at the zero state, where h' is a multiple of c'.

  Attributes:
    exponents: decreasing, nats per step.
    standard_error: standard error of the average over time, nats per step; 0 for an exponent of -inf, NaN for a single block.
    local_exponents: averages over B successive blocks of time, nats per step.
    interval: the re-orthonormalization interval, steps.
    spread: the largest max_i - min_i ln |R_ii| of one interval, nats.
    log_det_rate: 1/T Σ_j ln |det J_j| of the dense J_j, nats per step; NaN for k < n.
    residual: |Σ_i λ_i - log_det_rate| / n, nats per step; NaN for k < n, or if both are -inf.
    is_certified: True if all n exponents are finite and the residual is at most 1e-3 of their mean size, plus 1e-6 nats per step
      for rounding. False for k < n.
  """

  exponents: Float[Array, "k"]
  standard_error: Float[Array, "k"]
  local_exponents: Float[Array, "B k"]
  interval: Int[Array, ""]
  spread: Float[Array, ""]
  log_det_rate: Float[Array, ""]
  residual: Float[Array, ""]
  is_certified: Bool[Array, ""]


def _check(steps: int, size: int, k: int, burn_in: int, interval: int | None, blocks: int | None) -> None:
  """Raises a `ValueError` that names the first impossible value."""
  if not 1 <= k <= size:
    raise ValueError(f"k is {k}; it must lie between 1 and the {size} directions of the state.")
  if not 0 <= burn_in < steps:
    raise ValueError(f"burn_in is {burn_in}; it must lie between 0 and {steps - 1}, so that one of the steps counts.")
  if interval is not None and interval < 1:
    raise ValueError(f"interval is {interval}; it must be at least 1 step, or None to be chosen.")
  if blocks is not None and not 1 <= blocks <= steps - burn_in:
    raise ValueError(f"blocks is {blocks}; it must lie between 1 and the {steps - burn_in} steps that count.")


def _check_numbers(arguments: Mapping[str, Any]) -> None:
  """Raises a `ValueError` if a parameter is NaN, unless it is traced."""
  for path, leaf in jax.tree_util.tree_leaves_with_path(arguments["params"]):
    if not isinstance(leaf, jax.core.Tracer) and np.any(np.isnan(leaf)):
      raise ValueError(f"params{jax.tree_util.keystr(path)} holds NaN; parameters must be numbers.")


class _Schedule(NamedTuple):
  """The plan of a run, known before anything is computed.

  Attributes:
    lengths: `[B]`, the number of steps of each block.
    block: `[T]`, the block of each step. The burn-in has block B, which does not exist, so its sums are dropped.
    ends_block: `[T]`, whether a step is the last of its block.
    since: `[T]`, the number of steps since the beginning of the block.
  """

  lengths: np.ndarray
  block: np.ndarray
  ends_block: np.ndarray
  since: np.ndarray

  @property
  def longest(self) -> int:
    return int(self.lengths.max())


class _Sums(NamedTuple):
  """Sums over the steps of every block."""

  log_r: Float[Array, "B k"]  # Σ ln |R_ii|
  log_det: Float[Array, "B"]  # Σ ln |det J|
  spread: Float[Array, ""]  # the largest spread of an interval


def _schedule(steps: int, burn_in: int, blocks: int) -> _Schedule:
  edges = burn_in + np.arange(blocks + 1) * (steps - burn_in) // blocks
  lengths = np.diff(edges)
  return _Schedule(
    lengths=lengths,
    block=np.repeat([blocks, *range(blocks)], [burn_in, *lengths]),
    ends_block=np.isin(np.arange(1, steps + 1), edges),
    since=np.arange(1, steps + 1) - np.repeat([0, *edges[:-1]], [burn_in, *lengths]),
  )


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


def _accumulate(flat: FlatTrajectory, directions: Array, schedule: _Schedule, every: Array) -> _Sums:
  """Returns the sums of a run with a QR at every `every`-th step of a block and at its end."""
  (blocks,), k, dtype = schedule.lengths.shape, directions.shape[1], directions.dtype

  def step(carry: tuple[Tangents, _Sums], at: tuple[Array, Array, Array, Array]) -> tuple[Any, None]:
    tangents, sums = carry
    s, x, is_due, b = at
    pushed = push_step(flat, tangents, s, x)
    tangents, log_r, spread = lax.cond(is_due, _decompose, _only_multiply, pushed.tangents, b < blocks)
    # In float32, sums over a block are accurate enough; a sum over 10⁴ steps is not.
    sums = _Sums(
      log_r=sums.log_r.at[b].add(log_r + log_diagonal(pushed.r), mode="drop"),
      log_det=sums.log_det.at[b].add(pushed.log_det, mode="drop"),
      spread=jnp.where(b < blocks, jnp.maximum(sums.spread, spread), sums.spread),
    )
    return (tangents, sums), None

  due = jnp.asarray(schedule.ends_block) | (jnp.asarray(schedule.since) % every == 0)
  zeros = jnp.zeros((blocks, k), dtype)
  start = (begin(directions), _Sums(zeros, zeros[:, 0], zeros[0, 0]))
  (_, sums), _ = lax.scan(step, start, (flat.states, flat.xs, due, jnp.asarray(schedule.block)))
  return sums


def _accumulate_resolved(flat: FlatTrajectory, directions: Array, schedule: _Schedule) -> tuple[Array, _Sums]:
  """Returns (interval, sums) of a run in which no direction is lost between two QRs.

  The pilot is short. If an interval of the run spreads too far, the run is repeated with a shorter interval.
  """
  run = lambda every: _accumulate(flat, directions, schedule, every)
  allowed = -LIMIT * np.log(jnp.finfo(directions.dtype).eps)

  def run_shorter(carry: tuple[Array, Array, _Sums]) -> tuple[Array, Array, _Sums]:
    _, every, _ = carry
    sums = run(every)
    shorter = jnp.clip(jnp.floor(every * (allowed / sums.spread)), 1, jnp.maximum(every - 1, 1)).astype(jnp.int32)
    return every, smallest_of_batch(jnp.where(sums.spread > allowed, shorter, every)), sums

  every = jnp.minimum(choose_interval(flat, directions.shape[1]), schedule.longest)
  nothing = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(run, every))
  every, _, sums = lax.while_loop(lambda carry: carry[1] < carry[0], run_shorter, (every + 1, every, nothing))
  return every, sums


def _averages(log_r: Float[Array, "B k"], lengths: np.ndarray) -> tuple[Array, Array, Array]:
  """Returns (exponents, their standard errors, the exponents of every block), in decreasing order."""
  weights, blocks = jnp.asarray(lengths / lengths.sum(), log_r.dtype), len(lengths)
  order = jnp.argsort(-jnp.sum(log_r, axis=0))
  local = log_r[:, order] / jnp.asarray(lengths, log_r.dtype)[:, None]
  exponents = weights @ local
  deviation = jnp.where(jnp.isneginf(exponents), 0, local - exponents)
  correction = blocks / (blocks - 1) if blocks > 1 else jnp.nan
  return exponents, jnp.sqrt(correction * jnp.sum((weights[:, None] * deviation) ** 2, axis=0)), local


def _certify(exponents: Float[Array, "k"], log_det_rate: Array, size: int) -> tuple[Array, Array]:
  """Returns (the residual of the determinant identity, whether it certifies the spectrum)."""
  residual = jnp.abs(jnp.sum(exponents) - log_det_rate) / size
  allowed = CERTAIN * jnp.mean(jnp.abs(exponents)) + ROUNDING
  return residual, jnp.isfinite(log_det_rate) & (residual <= allowed)


@compiled("cell", "k", "burn_in", "interval", "blocks", check=_check_numbers)
def lyapunov_spectrum(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  state: State | None = None,
  *,
  k: int | None = None,
  burn_in: int = 0,
  interval: int | None = None,
  blocks: int | None = None,
) -> LyapunovSpectrum:
  """Computes the k largest Lyapunov exponents of one trajectory, in nats per step.

  The exponents are conditional on the inputs `xs`. For an autonomous network, pass zeros and a `state`.

  A direction is lost if a Jacobian has a row or column of zeros, as with dead relu units. Directions lost at different steps add
  up. Lost directions have exponent -inf; the other exponents are those of the remaining directions. Losses during the burn-in do
  not count. An overflowed state gives NaN.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`; use `vmap` for more.
    state: S_0; by default the cell's initial state.
    k: the number of exponents. By default all n, with the certificate.
    burn_in: the number of first steps, which move the state and the tangents but do not count. Only a burn-in removes the O(1/T)
      transient of tangents that have not yet aligned with their directions.
    interval: the re-orthonormalization interval in steps. There is another QR at the end of every block. By default it is the
      longest interval that loses no direction, and 1 for k = 1. The members of a batch under `vmap` share the smallest. Too long
      an interval loses the small exponents, and the large ones do not show it. It shows in `residual`, and for k < n in a
      `spread` near or above ln(1/ε), which is 16 in float32.
    blocks: the number of blocks into which the steps after the burn-in are divided, equally to a step. By default 20, or the
      number of these steps if it is smaller.

  Returns:
    The spectrum, and how far to trust it.

  Raises:
    ValueError: if `k`, `burn_in`, `interval` or `blocks` is out of bounds, if a parameter is NaN (unless traced), and in the
      cases of `state_jacobians`.
  """
  flat = flat_trajectory(cell, params, xs, state)
  steps, size = flat.states.shape
  k = size if k is None else k
  _check(steps, size, k, burn_in, interval, blocks)
  schedule = _schedule(steps, burn_in, min(BLOCKS, steps - burn_in) if blocks is None else blocks)
  directions = first_directions(flat, k)
  if interval is None and k > 1:
    every, sums = _accumulate_resolved(flat, directions, schedule)
  else:
    every = jnp.asarray(min(interval or 1, schedule.longest), jnp.int32)
    sums = _accumulate(flat, directions, schedule, every)
  exponents, standard_error, local = _averages(sums.log_r, schedule.lengths)
  log_det_rate = jnp.sum(sums.log_det) / (steps - burn_in)
  residual, is_certified = _certify(exponents, log_det_rate, size)
  return LyapunovSpectrum(exponents, standard_error, local, every, sums.spread, log_det_rate, residual, is_certified)
