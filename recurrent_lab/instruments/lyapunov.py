"""Lyapunov exponents: the rates at which small differences of the state grow or shrink.

Tangents Q [n, k] follow the trajectory, A_j = J_j Q_{j-1}, with A = Q R. The diagonals of R give the exponents:

    λ_i = 1/T Σ ln |R_ii|,   nats per step,        Σ_i λ_i = 1/T Σ_j ln |det J_j|   for all n exponents.

The same function serves input-driven networks, whose exponents are conditional on the inputs, and autonomous ones, which have
zero inputs and a given initial state. The second equation is the certificate of every full spectrum. It holds over every stretch
of steps, so a sample of blocks certifies the method in use.

Q need not be known at every step: the tangents are re-orthonormalized by LU every few steps, as often as the digits that they
lose require (`_nested.py`). If a Jacobian has a row or column of zeros, they follow the image of the product (`_careful.py`).

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
from recurrent_lab._generic import generic_directions
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments._careful import careful_blocks
from recurrent_lab.instruments._diagonal import diagonal_blocks
from recurrent_lab.instruments._flat import FlatTrajectory, flat_trajectory, zero_directions
from recurrent_lab.instruments._interval import begin_pace
from recurrent_lab.instruments._linear import StepJacobian, step_jacobian
from recurrent_lab.instruments._nested import aligned_directions, follow_blocks
from recurrent_lab.instruments._tangents import any_of_batch

BLOCKS = 20
# The determinants of every eighth block certify all of them, but of at least this many steps.
STRIDE, FEWEST_DETERMINANTS = 8, 20
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
    interval: the longest re-orthonormalization interval, steps.
    spread: the largest max_i - min_i ln |R_ii| of one interval, nats.
    log_det_rate: the mean of ln |det J_j| of the dense J_j, nats per step, over the sample: every eighth block, or more often, so
      that at least 20 steps take part. It is -inf if a J_j of any step has a row or column of zeros, and NaN for k < n.
    residual: |Σ_i λ_i - log_det_rate| / n over the steps of the sample, nats per step; NaN for k < n, or if both are -inf.
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


class _Sums(NamedTuple):
  """Sums over the steps of every block, and the intervals of the run."""

  log_r: Float[Array, "B k"]  # Σ ln |R_ii|
  interval: Int[Array, ""]  # the longest interval
  spread: Float[Array, ""]  # the largest spread of an interval


def _edges(steps: int, burn_in: int, blocks: int) -> np.ndarray:
  """Returns the first step of every block and the end of the last, with the burn-in as a block of its own."""
  return np.unique([0, *(burn_in + np.arange(blocks + 1) * (steps - burn_in) // blocks)])


def _single(flat: FlatTrajectory, jacobian: StepJacobian, edges: np.ndarray, burn_in: int, interval: int) -> _Sums:
  """Returns the sums of a single tangent."""
  (_, size), dtype = flat.states.shape, flat.states.dtype
  multiply = lambda j, rows: jacobian.push(rows, flat.states[j], flat.xs[j])
  rows, pace = generic_directions(size, 1, dtype).T, begin_pace(interval, dtype)
  log_r, pace = follow_blocks(multiply, rows, edges, burn_in > 0, pace, is_fixed=True)
  return _Sums(log_r, pace.longest, pace.spread)


def _several(
  flat: FlatTrajectory,
  jacobian: StepJacobian,
  has_zeros: Array,
  k: int,
  edges: np.ndarray,
  burn_in: int,
  interval: int | None,
) -> _Sums:
  """Returns the sums of k tangents, carefully if one of them may be lost."""
  (_, size), dtype = flat.states.shape, flat.states.dtype
  multiply = lambda j, rows: jacobian.push(rows, flat.states[j], flat.xs[j])
  if k < size:
    directions, pace = generic_directions(size, k, dtype), begin_pace(1, dtype)
  else:
    directions, pace = aligned_directions(flat, jacobian.pull)
  if interval is not None:
    pace = begin_pace(interval, dtype)

  def nested(_: None) -> _Sums:
    log_r, found = follow_blocks(multiply, directions.T, edges, burn_in > 0, pace, interval is not None)
    return _Sums(log_r, found.longest, found.spread)

  def careful(_: None) -> _Sums:
    every = min(interval or 1, int(np.diff(edges).max()))
    log_r, spread = careful_blocks(flat, has_zeros, directions, edges, burn_in > 0, every)
    return _Sums(log_r, jnp.asarray(every, jnp.int32), spread)

  return lax.cond(any_of_batch(jnp.any(has_zeros)), careful, nested, None)


def _averages(log_r: Float[Array, "B k"], lengths: np.ndarray) -> tuple[Array, Array, Array]:
  """Returns (exponents, their standard errors, the exponents of every block), in decreasing order."""
  weights, blocks = jnp.asarray(lengths / lengths.sum(), log_r.dtype), len(lengths)
  order = jnp.argsort(-jnp.sum(log_r, axis=0))
  local = log_r[:, order] / jnp.asarray(lengths, log_r.dtype)[:, None]
  exponents = weights @ local
  deviation = jnp.where(jnp.isneginf(exponents), 0, local - exponents)
  correction = blocks / (blocks - 1) if blocks > 1 else jnp.nan
  return exponents, jnp.sqrt(correction * jnp.sum((weights[:, None] * deviation) ** 2, axis=0)), local


def _sample(lengths: np.ndarray) -> np.ndarray:
  """Returns the blocks whose determinants are computed: every eighth, or more often if there are few steps."""
  stride = int(np.clip(lengths.sum() // FEWEST_DETERMINANTS, 1, STRIDE))
  return np.arange(min(stride // 2, len(lengths) - 1), len(lengths), stride)


def _determinants(
  flat: FlatTrajectory, jacobian: StepJacobian, has_zeros: Array, log_r: Float[Array, "B k"], edges: np.ndarray
) -> tuple[Array, Array, int]:
  """Returns (Σ ln |R_ii|, Σ ln |det J_j|, the number of steps) of the sample."""
  sample = _sample(np.diff(edges))
  steps = np.concatenate([np.arange(edges[b], edges[b + 1]) for b in sample])
  taken = jax.tree.map(lambda a: a[steps], (flat.states, flat.xs))
  log_dets = lax.map(lambda at: jnp.linalg.slogdet(jacobian.dense(*at))[1], taken)
  # LU may give a nonzero determinant by rounding although a row or column is zero.
  is_singular = jnp.any(has_zeros[edges[0] :])
  total = jnp.where(is_singular, jnp.sum(log_r), jnp.sum(log_r[sample]))
  return total, jnp.where(is_singular, -jnp.inf, jnp.sum(log_dets)), len(steps)


def _certify(exponents: Float[Array, "n"], identity: tuple[Array, Array, int], size: int) -> tuple[Array, Array, Array]:
  """Returns (mean ln |det J_j| of the sample, the residual of the identity there, whether it certifies the spectrum)."""
  total, log_det, steps = identity
  residual = jnp.abs(total - log_det) / (size * steps)
  allowed = CERTAIN * jnp.mean(jnp.abs(exponents)) + ROUNDING
  return log_det / steps, residual, jnp.isfinite(log_det) & (residual <= allowed)


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
    interval: the re-orthonormalization interval in steps. An interval also ends with its block. By default intervals adapt to
      the digits that the last one lost, up to 20 steps, and an interval that lost too many is computed again. They are 1 for
      k = 1, and if a Jacobian has a row or column of zeros. The members of a batch under `vmap` share their intervals. Too long
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
  (steps, size), dtype = flat.states.shape, flat.states.dtype
  k = size if k is None else k
  _check(steps, size, k, burn_in, interval, blocks)
  edges = _edges(steps, burn_in, min(BLOCKS, steps - burn_in) if blocks is None else blocks)
  counted = edges[1:] if burn_in else edges
  if cell.elementwise:
    log_r, log_dets = diagonal_blocks(flat, k, counted)
    sums = _Sums(log_r, jnp.asarray(min(interval or 1, int(np.diff(edges).max())), jnp.int32), jnp.zeros((), dtype))
    identity = jnp.sum(log_r), jnp.sum(log_dets), steps - burn_in
  else:
    jacobian = step_jacobian(flat, k)
    # Generic vectors find rows and columns of zeros at all steps at once.
    has_zeros = jax.vmap(lambda s, x: zero_directions(flat, s, x) > 0)(flat.states, flat.xs)
    if k == 1:
      # A single tangent has no slower ones into which a lost direction could leak.
      sums = _single(flat, jacobian, edges, burn_in, interval or 1)
    else:
      sums = _several(flat, jacobian, has_zeros, k, edges, burn_in, interval)
    log_r = sums.log_r[1:] if burn_in else sums.log_r
    identity = _determinants(flat, jacobian, has_zeros, log_r, counted) if k == size else None
  exponents, standard_error, local = _averages(log_r, np.diff(counted))
  certificate = _certify(exponents, identity, size) if k == size else (*jnp.full(2, jnp.nan, dtype), jnp.asarray(False))
  return LyapunovSpectrum(exponents, standard_error, local, sums.interval, sums.spread, *certificate)
