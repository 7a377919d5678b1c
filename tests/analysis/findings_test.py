"""Findings on made-up numbers: the sentence of a figure is true whatever its curves do."""

import importlib
import re

import numpy as np
import pytest
import xarray as xr

from analysis import paper, words
from analysis.language import LANGUAGE
from analysis.learning import LEARNING
from sweepkit import store
from sweepkit.store import load_results
from tests.analysis.success_test import REFERENCE

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
  finding = importlib.import_module(f"analysis.{name}").PLOT.finding(shown)
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
  finding = importlib.import_module("analysis.forget_bias").PLOT.finding(lengths.to_dataset(name="memory_length"))
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
  finding = importlib.import_module("analysis.activation_choice").PLOT.finding(
    curve(values).to_dataset(name="largest_exponent")
  )
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
  assert importlib.import_module("analysis.three_views").PLOT.finding(xr.Dataset(shown)).endswith(f"per step: {said}.")


def scores(values, **others):
  """Scores `[cell, seed, …]` of one cell."""
  array = xr.DataArray(np.array([values]), dims=("cell", "seed", *others), coords={"cell": ["gru"], **others})
  return array


LANGUAGE_SAID = {
  "word_model": [
    (
      {"test_nats": scores([0.0, 0.0]), "ngram_nats": xr.DataArray([np.log(4), np.log(2)], coords={"order": [1, 2]})},
      "GRU 1, beside 2 for the 2-gram.",
    ),
    (
      {"test_nats": scores([np.log(2)] * 2), "ngram_nats": xr.DataArray([0.0, np.nan], coords={"order": [1, 2]})},
      "GRU 2, beside 1 for the 1-gram.",
    ),
    ({"test_nats": scores([np.inf, 0.0])}, "GRU ∞."),
  ],
  "recall": [
    ({"final_score": scores([[0.1, 0.5], [0.1, 0.5]], length=[5, 20])}, "GRU 50 % (gap 20); guessing"),
    ({"final_score": scores([[0.1, np.nan], [0.3, np.nan]], length=[5, 20])}, "GRU 20 % (gap 5); guessing"),
  ],
  "next_item": [
    ({"final_score": scores([0.1, 0.2])}, "GRU 15 (10 to 20) %;"),
    ({"final_score": scores([np.nan, 0.2])}, "GRU 20 %;"),
  ],
  "tagging": [
    (
      {"final_score": scores([[0.5, 0.0], [0.25, 0.0]], length=[1, 9])},
      "of 1: GRU 37.5 (25 to 50) %. In sentences of 9: GRU 0 (0 to 0) %.",
    ),
    ({"final_score": scores([[0.5]], length=[1])}, "in sentences of 1: GRU 50 %."),
  ],
  "translation": [
    (
      {"chrf_by_length": scores([[[0.1, 0.2], [0.4, 0.3]]], source_length=[2, 8], translator=["net", "dictionary"])},
      "of up to 8 words, chrF is GRU 0.4; translated word by word it is 0.3.",
    ),
  ],
  "vowels": [
    (
      {"final_score": scores([[0.5, np.nan]], task=["vowels", "vowels_per_frame"])},
      "utterances: GRU 50 %. Wrong speakers of frames, given those before: no cell has a value.",
    ),
  ],
  "captions": [({"exact": scores([0.5, 1.0])}, "GRU 75 (50 to 100) %.")],
  "forecast": [
    (
      {"squared_error": scores([0.5]), "persistence": xr.DataArray(0.25), "linear": xr.DataArray(np.nan)},
      "GRU 0.5; beside 0.25 for the last value, – for least squares.",
    ),
  ],
}


@pytest.mark.parametrize(
  ("name", "shown", "said"), [(name, *case) for name in LANGUAGE_SAID for case in LANGUAGE_SAID[name]]
)
def test_findings_of_the_language_study_are_those_of_the_numbers(name, shown, said):
  assert said in importlib.import_module(f"analysis.{name}").PLOT.finding(xr.Dataset(shown))


def only_first(values):
  """The one value of an array that is there."""
  kept = np.full(values.shape, np.nan)
  kept.flat[0] = values.values.flat[0]
  return values.copy(data=kept)


ALTERED = {
  "no value": lambda values: values * np.nan,
  "one value": only_first,
  "no value of the last cell": lambda values: (
    values.where(values.cell != values.cell[-1]) if "cell" in values.dims else values
  ),
  "zeros": lambda values: values * 0,
  "infinite": lambda values: values * 0 + np.inf,
  "minus infinity": lambda values: values * 0 - np.inf,
  "negative": lambda values: -1 - np.abs(values),
}


@pytest.mark.parametrize("plot", paper.PLOTS + LEARNING + LANGUAGE, ids=lambda plot: plot.name)
def test_every_finding_is_a_sentence_whatever_the_numbers(plot, results):
  """Also of one cell alone, with fewer values and with none."""
  folder = REFERENCE if plot in LANGUAGE else results
  shown = plot.numbers({name: load_results(folder / name) for name in plot.reads if store.block_paths(folder / name)})
  for how, alter in ALTERED.items():
    if "solved" in shown and how in ("infinite", "minus infinity", "negative"):
      continue  # it is 0 or 1
    finding = plot.finding(shown.astype(float).map(alter, keep_attrs=True))
    assert "nan" not in finding.lower().replace("nats", ""), how
    assert re.search(r"[^ :;,]\.$", finding), (how, finding)
    assert ":." not in finding.replace(" ", ""), (how, finding)


def test_few_seeds_show_their_values():
  told = {n: words.mean(xr.DataArray(np.arange(n, dtype=float), dims="seed")) for n in (1, 2, 4, 5)}
  assert told == {1: "0", 2: "0 and 1", 4: "0, 1, 2 and 3", 5: "2 ± 2"}
