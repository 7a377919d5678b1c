"""Findings on made-up numbers: the sentence of a figure is true whatever its curves do."""

import importlib

import numpy as np
import pytest
import xarray as xr

from analysis.paper import activation_choice, forget_bias, three_views

RISING, FALLING, ABOVE, BELOW = [-1.0, 1.0, 2.0], [1.0, -1.0, -2.0], [1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]
TOUCHING, NOTHING, ONE = [-1.0, 0.0, -1.0], [np.nan] * 3, [np.nan, 2.0, np.nan]

SAID = {  # sentence -> values at W_s = 1, 2, 3
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
    "lyapunov": lambda: xr.Dataset(
      {
        "largest_exponent": curve(values),
        "positive_share": curve([0.0, 0.0, 0.5]),
        "certified": curve([1.25, np.nan, 0.0]),
      }
    ),
    "phase_gates": lambda: xr.Dataset({"largest_exponent": curve(values, forget_bias=[-2.0, 4.0])}),
    "phase_input": lambda: xr.Dataset({"largest_exponent": curve(values, input_scale=[0.5, 2.0])}),
  }[name]()
  finding = importlib.import_module(f"analysis.paper.{name}").FIGURE.finding(shown)
  assert "nan" not in finding.lower().replace("nats", "")
  assert "nowhere" not in finding
  assert ("Certified: 1 of 4 spectra." in finding) == (name == "lyapunov")
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
  finding = forget_bias.FIGURE.finding(lengths.to_dataset(name="memory_length"))
  assert f"GRU {said}" in finding


@pytest.mark.parametrize(
  ("values", "said"),
  [
    (RISING, "LSTM 2 (W_s = 3)"),
    ([1.0, 2.0, np.nan], "LSTM 2 (W_s = 2)"),  # overflows at the last
    ([1.0, np.inf, np.nan], "LSTM ∞ (W_s = 2)"),
    (ONE, "LSTM 2 (W_s = 2)"),
    (NOTHING, "no cell has a value"),
  ],
)
def test_the_last_exponent_without_overflow_is_told(values, said):
  finding = activation_choice.FIGURE.finding(curve(values).to_dataset(name="largest_exponent"))
  assert finding == f"At the largest W_s without overflow λ₁ is, in nats per step: {said}."


@pytest.mark.parametrize(
  ("product", "adjoint", "said"),
  [
    ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], "LSTM 0"),
    ([0.0, 0.5, 0.0], [0.0, 0.0, -0.75], "LSTM 0.75"),
    ([0.0, np.nan, 0.25], [0.0, 0.0, 0.0], "LSTM 0.25"),
    ([0.0, np.inf, 0.0], [0.0, 0.0, 0.0], "LSTM ∞"),
    (NOTHING, NOTHING, "no cell has a value"),
  ],
)
def test_three_views_are_as_far_apart_as_told(product, adjoint, said):
  exponent = curve(RISING)
  shown = {
    "largest_exponent": exponent,
    "growth_rate": exponent + curve(product) - curve([0.0, 0.0, 0.0]),
    "adjoint_growth_rate": exponent + curve(adjoint) - curve([0.0, 0.0, 0.0]),
  }
  assert three_views.FIGURE.finding(xr.Dataset(shown)).endswith(f"per step: {said}.")
