"""Findings of the language study on made-up numbers: the sentence says what the numbers are."""

import importlib

import numpy as np
import pytest
import xarray as xr


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
      "of 1 word: GRU 37.5 (25 to 50) %. In sentences of 9 words: GRU 0 (0 to 0) %.",
    ),
    ({"final_score": scores([[0.5]], length=[1])}, "in sentences of 1 word: GRU 50 %."),
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
      "utterances: GRU 50 %. Wrong speakers of frames, given the frames before: no cell has a value.",
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
  assert said in importlib.import_module(f"analysis.language.{name}").FIGURE.finding(xr.Dataset(shown))
