"""Spearman's rank correlation with a permutation test and a bootstrap interval."""

from typing import NamedTuple

import numpy as np

RESAMPLES = 9999
FEWEST = 4  # pairs; the correlation of three takes four values


class RankCorrelation(NamedTuple):
  """A rank correlation.

  Attributes:
    rho: Spearman's ρ, the correlation of the ranks; equal values share their mean rank. NaN if it is undefined.
    low: lower end of the 95 % percentile interval of the bootstrap over pairs.
    high: its upper end.
    p_value: share of permutations of one side whose |ρ| is at least as large, the observed order among them.
  """

  rho: float
  low: float
  high: float
  p_value: float


UNDEFINED = RankCorrelation(np.nan, np.nan, np.nan, np.nan)


def _standard_ranks(values: np.ndarray) -> np.ndarray:
  """Returns ranks along the last axis with mean 0 and length 1; NaN if all values are equal."""
  from scipy import stats

  ranks = stats.rankdata(values, axis=-1)
  centred = ranks - ranks.mean(-1, keepdims=True)
  with np.errstate(invalid="ignore"):
    return centred / np.sqrt((centred**2).sum(-1, keepdims=True))


def rank_correlation(x: np.ndarray, y: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> RankCorrelation:
  """Returns Spearman's ρ of pairs with its interval and p-value.

  Pairs with a NaN are left out. Infinite values rank above or below all others. The interval is widened where it would not
  contain ρ. ρ is undefined for fewer than four pairs, or if all values of a side are equal.

  Args:
    x: `[n]`, one side of the pairs.
    y: `[n]`, the other side.
    resamples: permutations, and bootstrap samples.
    seed: of the random numbers, so that a figure is the same when it is drawn again.
  """
  known = ~(np.isnan(x) | np.isnan(y))
  x, y = x[known], y[known]
  if x.size < FEWEST or np.all(x == x[0]) or np.all(y == y[0]):
    return UNDEFINED
  rng = np.random.default_rng(seed)
  a, b = _standard_ranks(x), _standard_ranks(y)
  rho = float(a @ b)
  permuted = rng.permuted(np.tile(a, (resamples, 1)), axis=1) @ b
  as_large = np.abs(permuted) >= abs(rho) - 1e-9  # rounding does not tell equal correlations apart
  chosen = rng.integers(0, x.size, (resamples, x.size))
  sampled = (_standard_ranks(x[chosen]) * _standard_ranks(y[chosen])).sum(-1)
  low, high = np.nanquantile(sampled, (0.025, 0.975))
  return RankCorrelation(
    rho, float(min(low, rho)), float(max(high, rho)), float((1 + as_large.sum()) / (1 + resamples))
  )
