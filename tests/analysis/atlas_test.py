"""The page of the atlas: every number on it is that of the results, and it says what was not measured."""

import inspect
import json
import shutil
import sys

import jax
import numpy as np
import pytest
import xarray as xr

from analysis import figure
from analysis.atlas import _entries, _pictures, _sweeps, _theory, _timings, cards, critical_gain, open_gates
from analysis.selection import Unfit, only_axes
import experiments.open_gates
import recurrent_lab as rl
from tests.support.pages import Page

CELLS = ["rnn", "lstm", "gru", "mgu", "min_gru"]  # cells of the made-up atlas
HOMES = {"lru": "elementwise._lru", "ugrnn": "dense._ugrnn"}
TIMED = {
  "settings": {"pass": "forward", "hidden": 64, "batch": 16},
  "machine": {"cores": 2, "processor": "a processor", "versions": {"jax": "1.2"}},
  "contenders": {
    "lstm": {"kind": "lab", "facts": {"steps": 100}, "median": 0.002, "low": 0.001, "high": 0.003},
    "gru": {"kind": "lab", "error": "it failed"},
    "product": {"kind": "limit", "facts": {"flops": 1.0}, "median": 1.0, "low": 1.0, "high": 1.0},
  },
}


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
  out = tmp_path_factory.mktemp("atlas")
  assert cards.main([f"--results={results}", f"--out={out}"]) == 0
  return (out / "atlas.html").read_text()


def seeds(*values):
  return xr.DataArray(np.array(values, float), dims="seed")


def test_the_page_is_well_formed_and_needs_no_other_file(written):
  page = Page(written)
  assert not page.open
  names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
  assert len(names) == len(set(names))
  assert set(CELLS) <= set(names)
  links = [attrs[name] for _, attrs in page.tags for name in ("href", "src") if name in attrs]
  assert all(link.startswith("data:") or link[1:] in names for link in links)
  assert all(attrs["aria-labelledby"] in names for _, attrs in page.tags if "aria-labelledby" in attrs)
  assert all(attrs["scope"] in ("col", "row") for attrs in page.all("th"))
  assert all(attrs["aria-label"] for attrs in page.all("svg"))
  levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
  assert levels[0] == 1 == levels.count(1)


def test_the_numbers_of_a_card_are_those_of_the_results(written, results):
  data = only_axes(figure.load(cards.WEB_PAGE, results)["atlas"])
  text = written[written.index('<article id="lstm"') : written.index('<article id="gru"')]
  rate = data.growth_rate.sel(cell="lstm", norm="spectral")
  assert f"{float(rate.mean()):.3g}" in text
  assert f"{float(data.share_high.sel(cell='lstm', gate='forget').mean()):.3g}" in text
  assert text.count("<svg") == 3  # product, spectrum and forget bias; made-up gains have no LSTM
  assert 'class="theory"' in text
  assert "not measured" in text or _timings.timings("forward").times


def test_the_atlas_alone_makes_a_page(results, tmp_path):
  shutil.copytree(results / "atlas", tmp_path / "atlas")
  assert cards.main([f"--results={tmp_path}", f"--out={tmp_path}"]) == 0
  text = (tmp_path / "atlas.html").read_text()
  assert text.count("<svg") == 2 * len(CELLS)
  assert "not measured" in text


@pytest.mark.parametrize(
  ("values", "value", "text"),
  [
    ([2, 2, 2], 2, "2"),
    ([1, 2, 3], 2, "2 (-0.484 to 4.48)"),  # Student's t for two degrees of freedom is 4.303
    ([1, 3, np.inf], 3, "3 (1 to ∞)"),
    ([-np.inf, -np.inf], -np.inf, "-∞"),
    ([np.nan, np.nan], np.nan, "–"),
  ],
)
def test_an_interval_belongs_to_its_number(values, value, text):
  found = _entries.entry(seeds(*values))
  np.testing.assert_allclose(found.value, value)
  assert found.text == text


def test_a_picture_keeps_to_its_frame():
  curve = _pictures.Frame(0, 2, -1, 1).curve([0, 1, 2], [-np.inf, np.nan, 0.5])
  assert curve.points == f"0.0,{_pictures.HEIGHT:.1f} {_pictures.WIDTH:.1f},{_pictures.HEIGHT / 4:.1f}"


def test_times_are_those_of_a_step(tmp_path):
  assert _timings.timings("forward", tmp_path) == ({}, "")
  (tmp_path / "cells-forward.json").write_text(json.dumps(TIMED))
  times, about = _timings.timings("forward", tmp_path)
  assert times.keys() == {"lstm"}
  np.testing.assert_allclose(times["lstm"], (20, 10, 30))
  assert about == "batches of 16 sequences with H = 64 on 2 cores of a processor, JAX 1.2"


def test_equations_keep_their_lines_and_paragraphs_do_not():
  """Those of two cells whose steps are made elsewhere."""
  for name in ("lru", "ugrnn"):
    title, equations, *paragraphs = cards.equations(name).split("\n\n")
    assert title == inspect.getdoc(sys.modules[f"recurrent_lab.cells.{HOMES[name]}"]).split("\n")[0]
    assert len(equations.splitlines()) == 3
    assert all(line.startswith("    ") for line in equations.splitlines())
    assert paragraphs
    assert not any("\n" in paragraph for paragraph in paragraphs)


@pytest.mark.parametrize(
  ("rates", "gain"),
  [([-2, -1, 1], 2.5), ([-np.inf, 1, 2], 2.0), ([1, 2, 3], 0.0), ([-3, -2, -1], np.inf)],
)
def test_the_critical_gain_is_the_first_crossing(rates, gain):
  assert critical_gain.crossing(np.array([1.0, 2, 3]), np.array(rates, float)) == gain


@pytest.mark.parametrize(
  ("found", "text"),
  [
    ([np.inf, np.inf], "above 4"),
    ([0, 0], "below 0.5"),
    ([0, 1, 2], "1 (below 0.5 to 2)"),
    ([np.inf, 3, np.inf], "above 4 (3 to above 4)"),
    ([1, 1], "1"),
  ],
)
def test_a_critical_gain_beyond_the_sweep_is_said_to_be(found, text):
  assert _sweeps._critical(seeds(*found), np.array([0.5, 4.0])).text == text


def test_a_theory_for_other_settings_is_refused(results):
  datasets = figure.load(open_gates.FIGURE, results)
  data = only_axes(datasets["open_gates"], "forget_bias")
  found = _theory.mean_field(datasets, "forget_bias", data)
  predicted = only_axes(datasets["atlas_mean_field"], "ws", "forget_bias").growth_rate.sel(cell="lstm", ws=1.0)
  np.testing.assert_allclose(found.sel(cell="lstm"), predicted.mean("seed").sel(forget_bias=data.forget_bias))
  with pytest.raises(Unfit, match="input_scale"):
    _theory.mean_field(datasets, "forget_bias", data.assign_coords(input_scale=2.0))
  with pytest.raises(Unfit, match="other values of ws"):
    _theory.mean_field(datasets, "forget_bias", data.assign_coords(ws=3.0))


def test_every_cell_with_a_forget_bias_opens_its_gate(key):
  """The bias changes the parameters of these cells, and of no others."""
  leaves = lambda cell, bias: map(np.asarray, jax.tree.leaves(cell.init(key, 2, 4, forget_bias=bias)))
  changed = [
    name
    for name, cell in rl.CELLS.items()
    if "forget_bias" in cell.options
    if any((one != other).any() for one, other in zip(leaves(cell, 0.0), leaves(cell, 1.0), strict=True))
  ]
  assert list(experiments.open_gates.WITH_GATE) == changed
