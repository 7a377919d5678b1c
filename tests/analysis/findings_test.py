"""Every finding is a sentence, whatever the numbers, and tables show what was measured."""

import re

import numpy as np
import pytest
import xarray as xr

from analysis import study, wording
from sweepkit import store
from sweepkit.store import load_results
from tests.made_up import folder_of

EVERY = [spec for one in study.studies() for spec in study.figures(one.name)]


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


@pytest.mark.parametrize("plot", EVERY, ids=lambda plot: plot.name)
def test_every_finding_is_a_sentence_whatever_the_numbers(plot, results):
  """Also of one cell alone, with fewer values and with none."""
  there = [name for name in plot.inputs if store.block_paths(folder_of(name, results) / name)]
  shown = plot.numbers({name: load_results(folder_of(name, results) / name) for name in there})
  for how, alter in ALTERED.items():
    if "solved" in shown and how in ("infinite", "minus infinity", "negative"):
      continue  # it is 0 or 1
    finding = plot.finding(shown.astype(float).map(alter, keep_attrs=True))
    assert "nan" not in finding.lower().replace("nats", ""), how
    assert re.search(r"[^ :;,]\.$", finding), (how, finding)
    assert ":." not in finding.replace(" ", ""), (how, finding)


@pytest.mark.parametrize(
  ("value", "error", "text"),
  [
    (-1.0912, 0.0082, "-1.091 ± 0.008"),
    (0.00299, 0.0172, "0.003 ± 0.017"),
    (-0.0002, 0.004, "0.000 ± 0.004"),
    (-41.61, 0.78, "-41.6 ± 0.8"),
    (107.2, 4.2, "107 ± 4"),
    (1234.0, 56.0, "1230 ± 60"),
    (10.0, 1.96, "10 ± 2"),
    (10.0, 1.94, "10.0 ± 1.9"),
    (0.5, 0.0, "0.5"),
    (0.95, 7.3e-8, "0.95"),
    (1.06e-6, 1.11e-7, "1.06e-06 ± 1e-07"),
    (2.5e7, 3e5, "2.5e+07 ± 300000"),
    (float("inf"), 1.0, "∞"),
  ],
)
def test_a_mean_has_the_digits_of_its_error(value, error, text):
  assert wording.with_error(value, error) == text


def test_few_seeds_show_their_values():
  told = {n: wording.mean(xr.DataArray(np.arange(n, dtype=float), dims="seed")) for n in (1, 2, 4, 5)}
  assert told == {1: "0", 2: "0 and 1", 4: "0, 1, 2 and 3", 5: "2 ± 2"}
