"""Rank correlations against SciPy, all permutations of a small sample, and the coverage of the interval."""

import itertools

import numpy as np
import pytest
from scipy import stats

from analysis.training.rank import UNDEFINED, rank_correlation


def test_rho_is_that_of_scipy_with_ties_and_infinite_values(rng):
  x, y = rng.integers(0, 5, 40).astype(float), rng.normal(size=40)
  y[:7] = np.inf
  found = rank_correlation(x, y)
  assert found.rho == pytest.approx(stats.spearmanr(x, np.where(np.isinf(y), 99, y)).statistic, abs=1e-12)
  assert found.low <= found.rho <= found.high


def test_the_p_value_is_the_share_of_all_permutations():
  x, y = np.arange(7.0), np.array([2.0, 1, 0, 3, 5, 4, 4])
  every = [abs(stats.spearmanr(x, list(order)).statistic) for order in itertools.permutations(y)]
  observed = abs(stats.spearmanr(x, y).statistic)
  share = np.mean(np.array(every) >= observed - 1e-9)
  assert 0.01 < share < 0.3
  # Five standard deviations of a share of 9999 permutations.
  assert abs(rank_correlation(x, y).p_value - share) < 5 * np.sqrt(share * (1 - share) / 9999) + 1e-4


def test_the_interval_holds_the_correlation_of_the_population(rng):
  """Spearman's ρ of a bivariate normal population is 6/π arcsin(r/2); 200 samples of 33 pairs."""
  r = 0.6
  covered = 0
  for sample in rng.multivariate_normal([0, 0], [[1, r], [r, 1]], (200, 33)):
    found = rank_correlation(*sample.T, resamples=499)
    covered += found.low <= 6 / np.pi * np.arcsin(r / 2) <= found.high
  assert covered > 0.85 * 200  # the percentile interval covers a little less than 95 %


@pytest.mark.parametrize(
  ("x", "y"),
  [([1.0, 2, 3], [1.0, 2, 3]), ([1.0, 2, 3, 4, np.nan], [1.0] * 5), ([np.inf] * 5, [1.0, 2, 3, 4, 5])],
)
def test_what_cannot_be_ranked_is_undefined(x, y):
  np.testing.assert_array_equal(rank_correlation(np.array(x), np.array(y)), UNDEFINED)
