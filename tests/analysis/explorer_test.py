"""The explorer: its numbers are those of the results, its texts are there in both languages, and a missing sweep is said."""

import base64
import gzip
import importlib.util
import json
import re
import shutil
import tomllib

import numpy as np
import pytest

from analysis import claims, figure, style
from analysis.explorer import __main__ as command
from analysis.explorer import assembly, contents, library, statistics
from analysis.paper.explore import WEB_PAGE
from sweepkit.store import ResultsError, load_results
from tests.support.pages import Page

SCRIPTS = "".join((assembly.HERE / name).read_text("utf-8") for name in assembly.SCRIPTS)
WORDS = tomllib.loads((assembly.HERE / "words.toml").read_text("utf-8"))
STORY = tomllib.loads((assembly.HERE / "story.toml").read_text("utf-8"))
HALF = 0.5005 * 10.0**-contents.CURVE  # half of the last decimal of a curve


def unpacked(text):
  """The numbers of a written page."""
  packed = re.search(r'id="data">([^<]*)<', text)[1]
  return json.loads(gzip.decompress(base64.b64decode(packed)))


@pytest.fixture(scope="module")
def text(results):
  return WEB_PAGE.content(figure.load(WEB_PAGE, results))


@pytest.fixture(scope="module")
def group(text):
  swept, recommended = unpacked(text)["groups"]
  assert recommended["sources"] == ["atlas"]
  return swept


def net_of(group, cell, ws, forget_bias=0.0, input_scale=1.0):
  at = dict(zip(("cell", *contents.AXES), (cell, ws, forget_bias, input_scale), strict=True))
  (found,) = (net for net in group["nets"] if at.items() <= net.items())
  return found


@pytest.mark.parametrize("norm", contents.NORMS)
def test_numbers_are_those_of_the_results(norm, group, results):
  data = load_results(results / "recurrent_gain").squeeze(("input_scale", "forget_bias", "bias", "bias_scale"))
  assert group["sources"] == [*contents.SWEEPS]
  for cell in data.cell.values.tolist():
    for ws in data.ws.values.tolist():
      one, net = data.sel(cell=cell, ws=ws, norm=norm), net_of(group, cell, ws)
      shown = net["norms"][norm]
      assert net["seeds"] == data.sizes["seed"]
      np.testing.assert_allclose(shown["rate"][0], one.growth_rate.mean("seed"), atol=1e-6)
      np.testing.assert_allclose(shown["rate"][2], one.growth_rate.max("seed"), atol=1e-6)  # the range of three seeds
      np.testing.assert_allclose(shown["product"][0], one.log_norm.mean("seed"), atol=HALF)
      np.testing.assert_allclose(net["adjoint"][1], one.log_adjoint_norm.min("seed"), atol=HALF)
      gates = one.gate.values[one.mean_slope.notnull().any("seed")].tolist()
      assert [*net["gates"]] == gates
      for gate in gates:
        np.testing.assert_allclose(
          net["gates"][gate]["mean_slope"][0], one.mean_slope.sel(gate=gate).mean("seed"), atol=6e-5
        )
      for spectrum in net["spectra"]:
        if spectrum["lag"]:
          values = (one.log_singular_value.sel(sv_lag=spectrum["lag"]) / spectrum["lag"]).mean("seed")
          np.testing.assert_allclose(spectrum["values"][0], values.dropna("index"), atol=1e-6)


def test_settings_of_all_sweeps_can_be_chosen(group, results):
  for name in group["sources"]:
    data = load_results(results / name)
    for point in data.status.stack(point=data.status.dims).point.values[:: data.sizes["seed"]]:
      settings = dict(zip(data.status.dims, point, strict=True))
      net_of(group, settings["cell"], *(settings[axis] for axis in contents.AXES))


def test_means_and_intervals_are_those_of_the_figures(rng):
  values = rng.normal(size=(8, 5))
  values[2, 3] = np.inf
  band = style.confidence_band(contents.xr.DataArray(values, dims=("seed", "x")))
  mean, low, high = statistics.band(values, 9)
  assert mean[3] is low[3] is high[3] is None
  known = [0, 1, 2, 4]
  for shown, expected in ((mean, band.mean), (low, band.low), (high, band.high)):
    np.testing.assert_allclose([shown[i] for i in known], expected[known], atol=1e-9)


@pytest.mark.parametrize(
  ("values", "expected"),
  [
    ([0.5, 0.25], "0.5, 0.25"),
    ([np.inf] * 8, "∞"),
    ([3.0, np.inf, 2.0], "2 … ∞"),
    ([np.nan, np.nan], "–"),
    ([1.0, 2.0, 3.0, 4.0, 5.0], "3 ± 2"),
  ],
)
def test_numbers_as_text(values, expected):
  assert statistics.text(np.array(values)) == expected


def test_clipping_scales_every_lag_by_the_same_number(rng):
  log_adjoint = rng.normal(0, 3, (4, 20))
  log_adjoint[3] -= 50  # a small gradient stays as it is
  whole, after = contents.clipped(log_adjoint)
  gradient = np.exp(log_adjoint)
  norm = np.linalg.norm(gradient, axis=1, keepdims=True)
  np.testing.assert_allclose(np.exp(whole), norm[:, 0])
  np.testing.assert_allclose(np.exp(after), gradient * np.minimum(1, contents.CLIP / norm))


def test_the_page_is_one_file_and_small(text, results, tmp_path):
  assert command.main([f"--results={results}", f"--out={tmp_path}"]) == 0
  assert [path.name for path in tmp_path.iterdir()] == ["explore.html"]
  assert (tmp_path / "explore.html").read_text("utf-8") == text  # written twice, the same bytes
  assert len(text.encode()) < assembly.MOST
  page = Page(re.sub(r"<(input|!--)[^>]*>", "", text))
  assert all(
    attrs[name].startswith(("#", "data:")) for _, attrs in page.tags for name in ("href", "src") if name in attrs
  )
  assert library.LICENSE.read_text("utf-8") in text


def test_what_was_not_run_is_said(results, tmp_path, capsys):
  shutil.copytree(results / "forget_bias", tmp_path / "forget_bias")
  found = unpacked(WEB_PAGE.content(figure.load(WEB_PAGE, tmp_path)))
  assert [one["name"] for one in found["missing"]] == ["recurrent_gain", "tanh_saturation", "lyapunov", "zero_or_one"]
  assert found["missing"][0]["command"] == f"python -m experiments.recurrent_gain --out={tmp_path}"
  assert [step["lacks"] for step in found["story"]] == [True, True, True, True, False, True]
  (tmp_path / "others").mkdir()
  assert command.main([f"--results={tmp_path / 'others'}", f"--out={tmp_path}"]) == 2
  assert "holds none of the sweeps of random nets that the page shows: recurrent_gain" in capsys.readouterr().err


def test_sizes_are_groups(results):
  data = load_results(results / "recurrent_gain")
  other = data.assign_coords(hidden_size=8)
  small, large = (
    contents.groups({"recurrent_gain": data}),
    contents.groups({"recurrent_gain": data, "forget_bias": other}),
  )
  assert [group.settings["hidden_size"] for group in small] == [4]
  assert [group.settings["hidden_size"] for group in large] == [8, 4]


def test_other_bytes_than_the_release_are_refused(monkeypatch):
  monkeypatch.setitem(library.RELEASED, "uplot.min.css", "0" * 64)
  with pytest.raises(ResultsError, match=r"does not carry uplot\.min\.css of uPlot 1\.6\.31; run pip install"):
    library.read()
  monkeypatch.setattr(library, "find_spec", lambda name: None)
  with pytest.raises(ResultsError, match="the package youplot carries; run pip install"):
    library.read()
  assert importlib.util.find_spec("youplot") is not None


def test_every_text_is_there_in_both_languages():
  template = (assembly.HERE / "page.html.j2").read_text("utf-8")
  asked = {*re.findall(r'say\("(\w+)"', SCRIPTS), *re.findall(r'data-(?:say|label)="(\w+)"', template)}
  asked |= {
    *re.findall(r"growth_says_\w+", SCRIPTS),
    *contents.AXES,
    *(f"{axis}_short" for axis in contents.AXES),
    *contents.NORMS,
    *assembly.WORD_OF.values(),
  }
  assert len(asked) > 50
  assert asked <= {*WORDS}
  holes = lambda text: sorted(re.findall(r"\{([\w.]+)\}", text))
  for name, word in WORDS.items():
    assert word["en"]
    assert word["zh"] != word["en"] or name == "ws_short"
    assert holes(word["en"]) == holes(word["zh"]), name
  assert len(STORY["step"]) == 6
  known = {
    "critical.rnn",
    "critical.lstm",
    "critical.gru",
    *re.findall(r"[\w.]+", re.search(r"\.\.\.critical,(.*?)\};", SCRIPTS, re.S)[1]),
  }
  for step in STORY["step"]:
    assert {*holes(step["en"]["measured"])} == {*holes(step["zh"]["measured"])} <= known
  assert {int(number) for number in STORY["claims"]} == {*claims.CLAIMS}
