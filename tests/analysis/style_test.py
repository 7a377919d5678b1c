"""Bands, bars and looks that all figures share, against closed forms."""

import numpy as np
import pytest
from scipy import stats
import xarray as xr

from analysis import style
from recurrent_lab.cells import CELLS


def test_confidence_band_is_students(rng):
  values = rng.normal(size=(6, 3))
  band = style.confidence_band(xr.DataArray(values, dims=("seed", "x")))
  expected = stats.t.interval(0.95, 5, values.mean(0), stats.sem(values))
  np.testing.assert_allclose((band.low, band.high), expected)
  one_infinite = np.where(np.arange(3) == 1, np.inf, values)
  np.testing.assert_array_equal(
    np.isnan(style.confidence_band(xr.DataArray(one_infinite, dims=("seed", "x"))).mean), [0, 1, 0]
  )


def test_every_cell_has_its_own_look():
  styles = [style.cell_style(cell) for cell in ("rnn", "lstm", "gru")]
  assert len({s.color for s in styles}) == len({s.marker for s in styles}) == len({s.linestyle for s in styles}) == 3
  assert all(style.cell_style(cell).label for cell in CELLS)


@pytest.mark.parametrize(
  ("values", "limit"),
  [((-2, 1), 1), ((-8, 0.001), 1), ((-0.001, 8), 1), ((-2, 0), 2), ((0, 0), 1), ((np.nan, -np.inf, -1, 2), 1)],
)
def test_no_side_of_a_map_is_pale_or_of_a_single_colour(values, limit):
  assert style.symmetric_limit(np.array(values)) == pytest.approx(limit)
