"""Sentences about a curve are true in every case that a curve can be."""

import math

import numpy as np
import pytest

from sweepkit import curves

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
  ("values", "said"),
  [
    ([-1, 1, 2, 3], "rises above 0 at W_s = 1.5"),
    ([3, 1, -1, -2], "falls below 0 at W_s = 2.5"),
    ([-1, 1, 1, -3], "rises above 0 at W_s = 1.5, falls below 0 at W_s = 3.25"),
    ([1, 2, 3, 4], "stays above 0 from W_s = 1 to 4"),
    ([-1, -2, -3, -4], "stays below 0 from W_s = 1 to 4"),
    ([-1, 0, -3, -4], "touches 0 at W_s = 2 and is below it elsewhere from W_s = 1 to 4"),
    ([0, 1, 0, 4], "touches 0 at 2 places and is above it elsewhere from W_s = 1 to 4"),
    ([-1, 0, 3, 4], "rises above 0 at W_s = 2"),
    ([-1, 0, 0, 4], "rises above 0 between W_s = 2 and 3"),
    ([0, 0, 0, 0], "is 0 from W_s = 1 to 4"),
    ([NAN, NAN, NAN, NAN], "has no value"),
    ([NAN, 2, NAN, NAN], "is above 0 at W_s = 2, its one value (no value at 3 of 4 places)"),
    ([NAN, -2, NAN, NAN], "is below 0 at W_s = 2, its one value (no value at 3 of 4 places)"),
    ([1, 2, NAN, NAN], "stays above 0 from W_s = 1 to 2 (no value at 2 of 4 places)"),
    ([-1, NAN, NAN, 1], "rises above 0 between W_s = 1 and 4 (no value at 2 of 4 places)"),
    ([-INF, -1, 1, INF], "rises above 0 at W_s = 2.5"),
    ([-1, INF, INF, INF], "rises above 0 between W_s = 1 and 2"),
  ],
)
def test_beside_zero(values, said):
  assert curves.against_zero([1, 2, 3, 4], values, "W_s") == said


def test_many_crossings_are_counted():
  assert curves.against_zero(range(6), [(-1) ** i for i in range(6)], "x") == "crosses 0 5 times from x = 0 to 5"


@pytest.mark.parametrize(
  ("values", "said"),
  [
    ([-1, 0, 2], "rises from -1 to 2"),
    ([2, 0, 0], "falls from 2 to 0"),
    ([3, 3, 3], "stays at 3"),
    ([1, 5, 2], "goes from 1 to 2 with a highest of 5 at x = 20"),
    ([1, -5, 2], "goes from 1 to 2 with a lowest of -5 at x = 20"),
    ([1.0, 0.9999, 2.0], "goes from 1 to 2, up and down"),
    ([NAN, 1, 2], "rises from 1 to 2 (x = 20 to 30 only)"),
    ([1, NAN, 2], "rises from 1 to 2 (no value at 1 of 3 places)"),
    ([NAN, 1, NAN], "is 1 at x = 20, its one value (no value at 2 of 3 places)"),
    ([NAN, NAN, NAN], "has no value"),
    ([2, INF, INF], "rises from 2 to ∞"),
    ([INF, INF, INF], "stays at ∞"),
  ],
)
def test_trends(values, said):
  assert curves.trend([10, 20, 30], values, "x") == said


def test_one_place_alone():
  assert curves.against_zero([2.0], [0.0], "x") == "is 0 at x = 2, its one value"
  assert curves.trend([2.0], [-3.0], "x") == "is -3 at x = 2, its one value"


def test_crossings_are_those_of_a_dense_line():
  """Between two places the sign of a line drawn through the values changes exactly where a crossing says."""
  rng = np.random.default_rng(0)
  for _ in range(100):
    places, values = np.arange(8.0), rng.normal(size=8)
    found = curves.crossings(places.tolist(), values.tolist())
    for one in found:
      assert one.before == one.after
      around = np.interp([one.after - 1e-9, one.after + 1e-9], places, values)
      np.testing.assert_array_equal(around > 0, [not one.rises, one.rises])
    assert len(found) == np.sum(values[:-1] * values[1:] < 0)
