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
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int
import numpy as np

from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments import _structure
from recurrent_lab.instruments._flat import FlatTrajectory, checked_start, flat_trajectory
from recurrent_lab.instruments._linear import step_jacobian
from recurrent_lab.instruments._sums import Identity, Sums, dense_sums, diagonal_sums, structured_sums

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


def _edges(steps: int, burn_in: int, blocks: int) -> np.ndarray:
  """Returns the first step of every block and the end of the last, with the burn-in as a block of its own."""
  return np.unique([0, *(burn_in + np.arange(blocks + 1) * (steps - burn_in) // blocks)])


def _averages(log_r: Float[Array, "B k"], lengths: np.ndarray) -> tuple[Array, Array, Array]:
  """Returns (exponents, their standard errors, the exponents of every block), in decreasing order."""
  weights, blocks = jnp.asarray(lengths / lengths.sum(), log_r.dtype), len(lengths)
  order = jnp.argsort(-jnp.sum(log_r, axis=0))
  local = log_r[:, order] / jnp.asarray(lengths, log_r.dtype)[:, None]
  exponents = weights @ local
  deviation = jnp.where(jnp.isneginf(exponents), 0, local - exponents)
  correction = blocks / (blocks - 1) if blocks > 1 else jnp.nan
  return exponents, jnp.sqrt(correction * jnp.sum((weights[:, None] * deviation) ** 2, axis=0)), local


def _certify(exponents: Float[Array, "n"], identity: Identity | None) -> tuple[Array, Array, Array]:
  """Returns (mean ln |det J_j| of the sample, the residual of the identity there, whether it certifies the spectrum)."""
  if identity is None:
    unknown = jnp.full((), jnp.nan, exponents.dtype)
    return unknown, unknown, jnp.asarray(False)
  residual = jnp.abs(identity.log_r - identity.log_det) / (len(exponents) * identity.steps)
  allowed = CERTAIN * jnp.mean(jnp.abs(exponents)) + ROUNDING
  is_certified = jnp.isfinite(identity.log_det) & (residual <= allowed)
  return identity.log_det / identity.steps, residual, is_certified


def _joined(heads: LyapunovSpectrum, copies: int, k: int, is_full: bool) -> LyapunovSpectrum:
  """Joins the spectra of L heads, each of whose exponents counts V times."""
  exponents = _structure.repeated(heads.exponents, copies)
  order = jnp.argsort(-exponents)[:k]
  unknown = jnp.full((), jnp.nan, exponents.dtype)
  return LyapunovSpectrum(
    exponents[order],
    _structure.repeated(heads.standard_error, copies)[order],
    _structure.repeated(heads.local_exponents, copies)[:, order],
    jnp.max(heads.interval),
    jnp.max(heads.spread),
    copies * jnp.sum(heads.log_det_rate) if is_full else unknown,
    jnp.mean(heads.residual) if is_full else unknown,
    jnp.all(heads.is_certified) if is_full else jnp.asarray(False),
  )


def _of_heads(
  small: _structure.Factors, k: int, size: int, burn_in: int, interval: int | None, blocks: int | None
) -> LyapunovSpectrum:
  """Returns the k largest exponents of a cell whose heads have Jacobians A ⊗ I, from those of A."""
  of_head = partial(lyapunov_spectrum, small.cell, small.params, burn_in=burn_in, interval=interval, blocks=blocks)
  return _joined(jax.vmap(of_head)(small.xs), small.copies, k, is_full=k == size)


def _sums_of(
  cell: Cell, flat: FlatTrajectory, k: int, edges: np.ndarray, burn_in: int, interval: int | None
) -> tuple[Sums, Identity | None]:
  """Returns the sums of a cell from its Jacobians, and its determinant identity for k = n."""
  if cell.elementwise:
    return diagonal_sums(flat, k, edges[1:] if burn_in else edges, interval or 1)
  return dense_sums(flat, step_jacobian(flat, k), k, edges, burn_in, interval)


@compiled("cell", "k", "burn_in", "interval", "blocks", "structured", check=_check_numbers)
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
  structured: bool = True,
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
    structured: whether a cell with a `transition` uses the factors that it declares instead of whole Jacobians.

  Returns:
    The spectrum, and how far to trust it.

  Raises:
    ValueError: if `k`, `burn_in`, `interval` or `blocks` is out of bounds, if a parameter is NaN (unless traced), and in the
      cases of `state_jacobians`.
  """
  state = checked_start(cell, params, xs, state)
  steps, size = xs.shape[0], sum(leaf.size for leaf in jax.tree.leaves(state))
  chosen = size if k is None else k
  _check(steps, size, chosen, burn_in, interval, blocks)
  is_linear = structured and cell.transition is not None
  if is_linear and not _structure.is_diagonal(cell, params, xs):
    return _of_heads(_structure.factors(cell, params, state, xs), chosen, size, burn_in, interval, blocks)
  edges = _edges(steps, burn_in, min(BLOCKS, steps - burn_in) if blocks is None else blocks)
  counted = edges[1:] if burn_in else edges
  if is_linear:
    sums, identity = structured_sums(cell, params, state, xs, chosen, counted)
  else:
    sums, identity = _sums_of(cell, flat_trajectory(cell, params, xs, state), chosen, edges, burn_in, interval)
  exponents, standard_error, local = _averages(sums.log_r, np.diff(counted))
  certificate = _certify(exponents, identity)
  return LyapunovSpectrum(exponents, standard_error, local, sums.interval, sums.spread, *certificate)
