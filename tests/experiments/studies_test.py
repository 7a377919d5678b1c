"""Every study as its file declares it: its grids are allowed, its numbers have units, its measure lowers and runs small."""

from functools import partial
from importlib.util import find_spec
import json
import re

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

import experiments
from experiments.portrait import cell_of, draw
import recurrent_lab as rl
from sweepkit import Measure, listing, runner, store
from sweepkit.execution import blocks
from sweepkit.measure import point_key
from sweepkit.points import Point, key_words, label, static_part
from sweepkit.settings import dimension, traced_names
from tests.nets import slow

STUDIES = listing.experiments(experiments)
NETS = [name for name, study in STUDIES.items() if isinstance(study.measure, Measure)]
# One of every kind of measure.
RUN_IN_CI = (
  "recurrent_gain",
  "error_surface",
  "mean_field",
  "online_learning",
  "rate_network",
  "chaos_search",
  "adding",
  "word_model",
)
RUN = [*NETS, "adding", "ngram_tasks", "word_model"]  # other training runs differ from these in their task alone
READ = ("character_model", "ngram", "translation", "word_model")  # parsing their flags reads a whole text
MANY = ("atlas_training",)  # cells whose units are searched for
NEEDS = {"vowels": "aeon", "captions": "sklearn", "translation": "sacrebleu"}


def tiny(name):
  """The flags of the tiny grid of a study."""
  if name in NEEDS and find_spec(NEEDS[name]) is None:
    pytest.skip(f"needs {NEEDS[name]}")
  return [f"--{setting}={text}" for setting, text in STUDIES[name].tiny.items()]


@pytest.mark.parametrize(
  "name", [pytest.param(n, marks=[pytest.mark.slow] if n in READ + MANY else []) for n in STUDIES]
)
def test_grids_are_allowed(name):
  """The tiny grid in both precisions, the default one, and those of the commands in the docstring."""
  study = STUDIES[name]
  commands = re.findall(rf"^ *python -m experiments.{name}(.*?)(?:  |$)", study.doc, re.MULTILINE)
  given = [flags.split() for flags in commands if "FILE" not in flags and "my.txt" not in flags]
  assert commands
  small = runner.parse(study, tiny(name)).points
  assert runner.parse(study, [*tiny(name), f"--x64={not small.x64}"]).points
  assert study.tiny
  assert len(small) <= 400
  for flags in given:
    assert runner.parse(study, flags).points


@pytest.mark.parametrize("name", STUDIES)
def test_fields_say_what_others_need_to_know(name):
  study = STUDIES[name]
  assert study.module == f"experiments.{name}"
  assert study.seconds > 0
  assert study.figure is None or find_spec(study.figure)
  numbers = {*study.measure.dims, *(axis for axes in study.measure.dims.values() for axis in axes)}
  assert numbers == set(study.measure.quantities) & numbers, numbers - set(study.measure.quantities)
  assert set(study.measure.headline) <= set(study.measure.dims)
  assert all(quantity.long_name for quantity in study.measure.quantities.values())
  assert all(study.measure.quantities[array].units for array in study.measure.dims)


@pytest.mark.parametrize("cells", ["first", pytest.param("others", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NETS)
def test_measures_lower_for_every_platform(name, cells):
  measure = STUDIES[name].measure
  points = runner.parse(STUDIES[name], tiny(name)).points
  traced = traced_names(measure.settings)
  with jax.enable_x64(bool(points[0]["x64"])):
    first, *others = {label(point): static_part(point, traced) for point in points}.values()
    for static in [first] if cells == "first" else others:
      arguments = blocks.traced_arguments([p for p in points if static_part(p, traced) == static][:2], traced)
      function = jax.jit(partial(blocks.measure_block, measure, static))
      export.export(function, platforms=["cpu", "cuda", "rocm", "tpu"])(*arguments)


@pytest.mark.parametrize("name", slow(RUN_IN_CI, RUN))
def test_studies_run_small_and_skip_what_is_stored(name, tmp_path, capsys):
  study, flags = STUDIES[name], [*tiny(name), "--seeds=2", f"--out={tmp_path}"]
  assert runner.main(study, flags) == 0
  data = store.load_results(tmp_path / name)
  assert np.all(data.status == store.STATUS.index("ok"))
  assert data.sizes["seed"] == 2
  for setting, text in study.tiny.items():
    if "," in text:
      assert data.sizes[dimension(setting, study.measure.settings)] == len(text.split(","))
  for array in study.measure.dims:
    assert data[array].attrs["units"] == study.measure.quantities[array].units
  meta = json.loads(next((tmp_path / name).glob("*.json")).read_text())
  assert {"command", "git_commit", "jax", "numpy", "device", "precision", "wall_seconds"} <= set(meta["provenance"])
  capsys.readouterr()
  assert runner.main(study, flags) == 0
  assert " 0 points to compute" in capsys.readouterr().err


@pytest.mark.slow
def test_stored_numbers_are_those_of_the_library(tmp_path):
  """One point, drawn and measured again by hand."""
  study = STUDIES["recurrent_gain"]
  assert (
    runner.main(study, [*tiny("recurrent_gain"), "--ws=0.7", "--cells=lstm", "--seeds=2", f"--out={tmp_path}"]) == 0
  )
  data = store.load_results(tmp_path / "recurrent_gain").sel(cell="lstm", ws=0.7, seed=1).squeeze()
  meta = json.loads(next((tmp_path / "recurrent_gain").glob("*.json")).read_text())
  point = Point(meta["points"][1])
  traced = traced_names(study.measure.settings)
  values = {name: jnp.float32(point[name]) for name in traced}
  params, xs, state, _ = draw(static_part(point, traced), point_key(1, np.array(key_words(point), np.uint32)), values)
  expected = rl.product_log_norms(cell_of(point), params, xs, state)
  np.testing.assert_allclose(data.log_norm.sel(norm="spectral")[1:], expected, rtol=1e-4, atol=1e-4)
  assert float(data.log_norm.sel(norm="spectral", lag=0)) == 0
  fit = rl.growth_rate(expected)
  np.testing.assert_allclose(data.growth_rate.sel(norm="spectral"), fit.rate, rtol=1e-3)
  np.testing.assert_allclose(data.memory_length.sel(norm="spectral"), rl.memory_length(fit.rate), rtol=1e-3)
  forget = rl.saturation(rl.activities(cell_of(point), params, xs, state)["forget"])
  np.testing.assert_allclose(data.mean_value.sel(gate="forget"), forget.mean_value, rtol=1e-4)


@pytest.mark.slow
def test_a_net_without_input_starts_away_from_zero(tmp_path):
  flags = [*tiny("recurrent_gain"), "--ws=0.5,3", "--cells=rnn", "--input=zero", f"--out={tmp_path}"]
  assert runner.main(STUDIES["recurrent_gain"], flags) == 0
  data = store.load_results(tmp_path / "recurrent_gain")
  assert np.all(data.mean_slope.sel(cell="rnn", gate="state") < 1)


def test_the_first_flags_of_a_help_page_are_those_that_vary(capsys):
  study = STUDIES["forget_bias"]
  with pytest.raises(SystemExit) as stop:
    runner.main(study, ["--help"])
  assert stop.value.code == 0
  text = capsys.readouterr().out
  assert text.splitlines()[0] == study.doc.splitlines()[0]
  order = [
    text.index(f"  --{flag}\n") for flag in ("ws=0,1", "forget_bias=-2:6:17", "hidden_size=64", "out=results", "x64")
  ]
  assert order == sorted(order)
  assert text.index("  --flagfile=") > order[-1]
  assert "By default 816 points, T = 200, H = 64: " in text
  assert "Expect: without recurrent weights" in text
