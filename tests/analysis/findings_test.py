"""Findings on made-up numbers: the sentence of a figure is true whatever its curves do."""

import importlib

import numpy as np
import pytest
import xarray as xr

from analysis import words

RISING, FALLING, ABOVE, BELOW = [-1.0, 1.0, 2.0], [1.0, -1.0, -2.0], [1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]
TOUCHING, NOTHING, ONE = [-1.0, 0.0, -1.0], [np.nan] * 3, [np.nan, 2.0, np.nan]

SAID = {  # of values at W_s = 1, 2, 3
  "rises above 0 at W_s = 1.5": RISING,
  "falls below 0 at W_s = 1.5": FALLING,
  "stays above 0 from W_s = 1 to 3": ABOVE,
  "stays below 0 from W_s = 1 to 3": BELOW,
  "touches 0 at W_s = 2 and is below it elsewhere": TOUCHING,
  "is above 0 at W_s = 2, its one value": ONE,
}


def curve(values, **others):
  """Values `[cell, ws, seed, …]` of two seeds that lie about them."""
  array = xr.DataArray(np.array(values)[None, :, None] + np.array([-0.25, 0.25]), dims=("cell", "ws", "seed"))
  return array.assign_coords(cell=["lstm"], ws=[1.0, 2.0, 3.0]).expand_dims(others)


@pytest.mark.parametrize("values", [*SAID.values(), NOTHING])
@pytest.mark.parametrize("name", ["recurrent_gain", "lyapunov", "phase_gates", "phase_input"])
def test_crossings_are_told_as_they_are(name, values):
  said = next((text for text, known in SAID.items() if known is values), None)
  shown = {
    "recurrent_gain": lambda: xr.Dataset({"growth_rate": curve(values)}),
    "lyapunov": lambda: xr.Dataset({"largest_exponent": curve(values), "positive_share": curve([0.0, 0.0, 0.5])}),
    "phase_gates": lambda: xr.Dataset({"largest_exponent": curve(values, forget_bias=[-2.0, 4.0])}),
    "phase_input": lambda: xr.Dataset({"largest_exponent": curve(values, input_scale=[0.5, 2.0])}),
  }[name]()
  finding = importlib.import_module(f"analysis.{name}").PLOT.finding(shown)
  assert "nan" not in finding.lower().replace("nats", "")
  assert "nowhere" not in finding
  if said:
    assert finding.count(said) == (2 if name.startswith("phase") else 1)
  for other in set(SAID) - {said}:
    assert other not in finding


@pytest.mark.parametrize(
  ("values", "said"),
  [
    ([1.0, 2.0, np.inf], "rises from 1 to ∞"),
    ([3.0, 2.0, 1.0], "falls from 3 to 1"),
    ([1.0, 3.0, 2.0], "goes from 1 to 2 with a highest of 3 at b_f = 0"),
    ([np.nan, 2.0, np.nan], "is 2 at b_f = 0, its one value"),
  ],
)
def test_memory_goes_where_its_median_goes(values, said):
  lengths = xr.DataArray(
    np.array(values)[None, None, :, None] + np.zeros(3), dims=("cell", "ws", "forget_bias", "seed")
  )
  lengths = lengths.assign_coords(cell=["gru"], ws=[1.0], forget_bias=[-2.0, 0.0, 4.0])
  finding = importlib.import_module("analysis.forget_bias").PLOT.finding(lengths.to_dataset(name="memory_length"))
  assert f"GRU {said}" in finding


def test_few_seeds_show_their_values():
  told = {n: words.mean(xr.DataArray(np.arange(n, dtype=float), dims="seed")) for n in (1, 2, 4, 5)}
  assert told == {1: "0", 2: "0 and 1", 4: "0, 1, 2 and 3", 5: "2 ± 2"}
