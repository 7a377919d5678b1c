"""Every experiment run small; what is done is skipped, what is altered is mended, and bad flags stop before any work."""

from functools import partial
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import jax
from jax import export
import numpy as np
import pytest
from tests.experiments.train_test import TRAINING, USES

from sweepkit import points as grid
from sweepkit import runner, store
from sweepkit.execution import blocks
from tests.support.launches import SMALL, experiment

EXPERIMENTS = {
  "recurrent_gain": ("--ws=0.5,1,2",),
  # The portrait of every default cell is taken above.
  "tanh_saturation": ("--input_scale=0.1,1", "--cells=rnn"),
  "forget_bias": ("--forget_bias=0,2", "--cells=gru"),
  "zero_or_one": ("--forget_bias=0,2",),
  "small_gain": ("--ws=0.5,0.99",),
  "lyapunov": ("--ws=0.5,2",),
  "phase_gates": ("--ws=0.5,2", "--forget_bias=0,2"),
  "phase_input": ("--ws=0.5,2", "--input_scale=0,1"),
  "activation_choice": ("--ws=0.5,2", "--cells=rnn,rnn_sigmoid"),
  "mean_field": ("--ws=0.5,2", "--cells=rnn,gru"),
  "transient_growth": ("--ws=0.5,2",),
  "one_unit": ("--hidden_size=1", "--ws=-2,0.5,2"),
  "error_surface": ("--hidden_size=1", "--ws=4,6", "--bias=-3,-2"),
  "identities": ("--ws=1,2", "--cells=rnn,peephole_lstm"),
}


def launch(name, out, *flags):
  return runner.main(experiment(name), [*SMALL, f"--out={out}", *flags])


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.slow
def test_every_experiment_runs_small(name, tmp_path):
  assert launch(name, tmp_path, *EXPERIMENTS[name]) == 0
  data = store.load_results(tmp_path / name)
  assert data.sizes["seed"] == 2
  assert np.all(data.status == store.STATUS.index("ok"))
  for flag in EXPERIMENTS[name]:
    setting, values = flag.removeprefix("--").split("=")
    if "," in values:
      assert data.sizes[grid.dimension(setting)] == len(values.split(","))
  meta = json.loads(next((tmp_path / name).glob("*.json")).read_text())
  assert {"command", "git_commit", "jax", "numpy", "device", "precision", "wall_seconds"} <= set(meta["provenance"])


def test_stored_numbers_are_those_of_the_library(tmp_path):
  """One point drawn and measured again by hand."""
  from experiments.portrait.net import draw

  import recurrent_lab as rl

  assert launch("recurrent_gain", tmp_path, "--ws=0.7", "--cells=lstm") == 0
  data = store.load_results(tmp_path / "recurrent_gain").sel(cell="lstm", ws=0.7, seed=1).squeeze()
  meta = json.loads(next((tmp_path / "recurrent_gain").glob("*.json")).read_text())
  point = meta["points"][1]
  words = grid.key_words(point)
  key = jax.random.fold_in(jax.random.fold_in(jax.random.key(1), words[0]), words[1])
  sample = draw(grid.static_part(point), key, {name: jax.numpy.float32(point[name]) for name in grid.TRACED})
  cell = rl.get_cell("lstm")
  expected = rl.product_log_norms(cell, *sample[:3])
  np.testing.assert_allclose(data.log_norm.sel(norm="spectral")[1:], expected, rtol=1e-4, atol=1e-4)
  assert float(data.log_norm.sel(norm="spectral", lag=0)) == 0
  fit = rl.growth_rate(expected)
  np.testing.assert_allclose(data.growth_rate.sel(norm="spectral"), fit.rate, rtol=1e-3)
  np.testing.assert_allclose(data.memory_length.sel(norm="spectral"), rl.memory_length(fit.rate), rtol=1e-3)
  forget = rl.saturation(rl.activities(cell, *sample[:3])["forget"])
  np.testing.assert_allclose(data.mean_value.sel(gate="forget"), forget.mean_value, rtol=1e-4)


def arrays_by_point(folder):
  result = {}
  for path in store.block_paths(folder):
    block = store.read_block(path)
    for i, point in enumerate(block.points):
      result[grid.content_hash(point)] = {name: array[i].tobytes() for name, array in block.arrays.items()}
  return result


@pytest.mark.slow
def test_shards_and_order_change_nothing(tmp_path):
  """Two shards give, byte for byte, what one launch gives; so do the values in another order."""
  flags = ("--ws=0.5,1,2", "--cells=rnn,gru", "--chunk=2")
  assert launch("activation_choice", tmp_path / "whole", *flags) == 0
  for shard in ("1/2", "0/2"):
    assert launch("activation_choice", tmp_path / "shards", *flags, f"--shard={shard}") == 0
  whole = arrays_by_point(tmp_path / "whole/activation_choice")
  assert len(whole) == 12
  assert arrays_by_point(tmp_path / "shards/activation_choice") == whole
  assert launch("activation_choice", tmp_path / "order", "--ws=2,1,0.5", "--cells=gru,rnn", "--chunk=2") == 0
  assert arrays_by_point(tmp_path / "order/activation_choice") == whole


def test_running_again_computes_only_what_is_missing(tmp_path, capsys):
  assert launch("activation_choice", tmp_path, "--ws=0.5,1", "--cells=rnn") == 0
  before = {path: path.read_bytes() for path in (tmp_path / "activation_choice").iterdir()}
  assert launch("activation_choice", tmp_path, "--ws=0.5,1,2", "--cells=rnn") == 0
  assert "2 points to compute, 4 already done" in capsys.readouterr().err
  assert all(path.read_bytes() == content for path, content in before.items())
  assert store.load_results(tmp_path / "activation_choice").sizes["ws"] == 3


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_an_altered_file_is_reported_and_computed_anew(suffix, tmp_path, capsys):
  assert launch("activation_choice", tmp_path, "--ws=1", "--cells=rnn") == 0
  (path,) = (tmp_path / "activation_choice").glob(f"*{suffix}")
  original = arrays_by_point(tmp_path / "activation_choice")
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(bytes(content))
  assert launch("activation_choice", tmp_path, "--ws=1", "--cells=rnn") == 0
  assert path.name in capsys.readouterr().err
  assert arrays_by_point(tmp_path / "activation_choice") == original


def test_a_damaged_block_of_another_cut_does_not_stay(tmp_path, capsys):
  """Its points are computed into blocks of other names, and leftovers of dead writers go too."""
  assert launch("activation_choice", tmp_path, "--ws=0.5,1", "--cells=rnn") == 0
  folder = tmp_path / "activation_choice"
  (path,) = folder.glob("*.json")
  original = store.load_results(folder)
  path.write_bytes(path.read_bytes()[:-2])
  (folder / f".{path.name}.{2**22 + 1}.tmp").write_text("half")
  assert launch("activation_choice", tmp_path, "--ws=0.5,1", "--cells=rnn", "--chunk=2") == 0
  assert f"{path} was damaged and is removed" in capsys.readouterr().err
  np.testing.assert_allclose(store.load_results(folder).largest_exponent, original.largest_exponent, rtol=1e-4)
  assert {file.suffix for file in folder.iterdir() if file.name != ".lock"} == {".json", ".npz"}
  assert not path.exists()


def test_a_full_disk_is_one_sentence_and_the_next_launch_goes_on(tmp_path, capsys, monkeypatch):
  flags = ("--ws=0.5,1,2", "--cells=rnn", "--chunk=2")
  replace, calls = os.replace, []

  def full_after_one_block(*paths):
    calls.append(paths)
    if len(calls) > 3:
      raise OSError(28, "No space left on device")
    replace(*paths)

  with monkeypatch.context() as patch:
    patch.setattr(os, "replace", full_after_one_block)
    assert launch("activation_choice", tmp_path / "full", *flags) == 2
  last = capsys.readouterr().err.splitlines()[-1]
  assert last.startswith("activation_choice: ")
  assert "cannot be written (No space left on device)" in last
  folder = tmp_path / "full/activation_choice"
  assert len(list(folder.glob("*.json"))) == 1
  assert [file.name for file in folder.glob(".*")] == [".lock"]
  assert launch("activation_choice", tmp_path / "full", *flags) == 0
  assert launch("activation_choice", tmp_path / "whole", *flags) == 0
  assert arrays_by_point(folder) == arrays_by_point(tmp_path / "whole/activation_choice")


def test_points_that_are_not_finite_are_kept_with_their_status(tmp_path, capsys):
  assert launch("activation_choice", tmp_path, "--ws=0.5,1e30", "--cells=rnn_relu", "--seq_len=40") == 0
  data = store.load_results(tmp_path / "activation_choice").squeeze()
  assert "Not finite, and stored with that status: 2 points." in capsys.readouterr().err
  names = [[store.STATUS[i] for i in row] for row in data.status.values]
  assert names == [["ok", "ok"], ["nonfinite", "nonfinite"]]


def test_failing_blocks_stop_the_sweep_at_the_limit(tmp_path, capsys, monkeypatch):
  def fail(*_):
    raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

  broken = experiment("recurrent_gain")
  broken = broken._replace(measure=broken.measure._replace(run=fail))
  flags = [*SMALL, f"--out={tmp_path}", "--ws=1"]
  assert runner.main(broken, flags) == 1
  assert "rnn: 2 points failed: RESOURCE_EXHAUSTED" in capsys.readouterr().err
  assert runner.main(broken, [*flags, "--max_failures=3"]) == 1
  assert capsys.readouterr().err.count("points failed") == 3


def test_dry_run_prints_the_grid_and_writes_nothing(tmp_path, capsys):
  assert launch("forget_bias", tmp_path / "none", "--dry_run") == 0
  text = capsys.readouterr().out
  assert "204 points in 9 calls" in text
  assert "forget_bias (17): -2.0, -1.5" in text
  assert "log_norm [2, 13]" in text
  assert not (tmp_path / "none").exists()


def test_flagfile_and_x64(tmp_path):
  file = tmp_path / "flags.txt"
  file.write_text("--ws=0.5\n--cells=gru\n--x64\n")
  assert launch("activation_choice", tmp_path, f"--flagfile={file}") == 0
  data = store.load_results(tmp_path / "activation_choice")
  assert data.largest_exponent.dtype == np.float64
  assert bool(data.x64)


@pytest.mark.slow
def test_autonomous_input_starts_away_from_zero(tmp_path):
  assert launch("recurrent_gain", tmp_path, "--ws=0.5,3", "--cells=rnn", "--input=zero") == 0
  data = store.load_results(tmp_path / "recurrent_gain")
  assert np.all(data.mean_slope.sel(cell="rnn", gate="state") < 1)


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("--ws=2:1:5", "--ws: '2:1:5' is an empty or reversed range; its start must be below its stop."),
    ("--cells=lstn", "--cells: 'lstn' is not allowed; it must be one of rnn, "),
    ("--hidden_size=-1", "--hidden_size: -1 is not allowed; it must be a whole number of 1 or more."),
    ("--seeds=0", "seeds"),
    ("--shard=2/2", "--shard: '2/2' is not allowed; it must be i/n with 0 ≤ i < n"),
    ("--chunk=0", "chunk"),
    ("--wss=1", "Unknown command line flag 'wss'. Did you mean: ws"),
    ("--lr=1", "Unknown command line flag 'lr'. --help shows all flags."),
    ("ws=1", "'ws=1' is not a flag; flags look like --ws=0.5,1."),
    ("--flagfile=/no/such/file", "/no/such/file"),
    ("--out=a\nb", "--out: The folder 'a\\nb' is not allowed; its name must not be empty or hold a control character."),
    ("--out=a\0b", "--out: The folder 'a\\x00b' is not allowed"),
    ("--out=/dev/null", "--out: /dev/null is not a folder"),
    (
      "--recurrent_init=normal",
      "--recurrent_init: 'normal' is not allowed; it must be one of gaussian, orthogonal, identity.",
    ),
  ],
)
def test_a_bad_flag_stops_before_any_work(flag, message, tmp_path, capsys):
  assert launch("recurrent_gain", tmp_path / "out", flag) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "out").exists()


def test_cells_that_the_measure_is_not_for_are_refused(tmp_path, capsys):
  assert launch("zero_or_one", tmp_path, "--cells=gru") == 2
  assert "'gru' is not allowed here; it must be one of simplified_lstm" in capsys.readouterr().err


def test_another_schema_stops_before_any_work(tmp_path, capsys):
  assert launch("activation_choice", tmp_path, "--ws=1", "--cells=rnn") == 0
  path = next((tmp_path / "activation_choice").glob("*.json"))
  meta = json.loads(path.read_text()) | {"schema_version": 0}
  del meta["sha256"]
  path.write_text(json.dumps(meta | {"sha256": grid.content_hash(meta)}, indent=1))
  assert launch("activation_choice", tmp_path, "--ws=1,2", "--cells=rnn") == 2
  assert "has schema version 0" in capsys.readouterr().err


def test_unknown_experiment_names_itself():
  result = subprocess.run([sys.executable, "-m", "experiments.recurrent_gian"], capture_output=True, text=True)
  assert result.returncode != 0
  assert "recurrent_gian" in result.stderr


def test_killed_launches_lose_nothing(tmp_path):
  """SIGKILL in the middle, run again: the same bytes as an undisturbed run, and no temporary file counts."""
  flags = ["--ws=0.5,1,2,3", "--cells=rnn", "--chunk=2", *SMALL]
  command = [sys.executable, "-m", "experiments.activation_choice", *flags, f"--out={tmp_path / 'killed'}"]
  folder = tmp_path / "killed/activation_choice"
  process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
  deadline = time.monotonic() + 120
  while not list(folder.glob("*.json")) and time.monotonic() < deadline:
    time.sleep(0.01)
  process.send_signal(signal.SIGKILL)
  process.wait()
  assert runner.main(experiment("activation_choice"), [*flags, f"--out={tmp_path / 'killed'}"]) == 0
  assert runner.main(experiment("activation_choice"), [*flags, f"--out={tmp_path / 'whole'}"]) == 0
  assert arrays_by_point(folder) == arrays_by_point(tmp_path / "whole/activation_choice")


@pytest.mark.parametrize("cells", ["first", pytest.param("others", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_measure_lowers_for_every_platform(name, cells):
  chosen = experiment(name)
  plan = runner.parse(chosen, [*SMALL, *EXPERIMENTS[name]])
  with jax.enable_x64(plan.points[0]["x64"]):
    first, *others = {p["cell"]: grid.static_part(p) for p in plan.points}.values()
    for static in [first] if cells == "first" else others:
      arguments = blocks.traced_arguments([p for p in plan.points if grid.static_part(p) == static][:2])
      function = jax.jit(partial(blocks.measure_block, chosen.measure, static))
      export.export(function, platforms=["cpu", "cuda", "rocm", "tpu"])(*arguments)


def test_help_shows_the_experiment(capsys):
  with pytest.raises(SystemExit) as stop:
    runner.main(experiment("forget_bias"), ["--help"])
  assert stop.value.code == 0
  text = capsys.readouterr().out
  assert text.splitlines()[0] == experiment("forget_bias").doc.splitlines()[0]
  order = [
    text.index(f"  --{flag}\n") for flag in ("ws=0,1", "forget_bias=-2:6:17", "hidden_size=64", "out=results", "x64")
  ]
  assert order == sorted(order)
  assert text.index("  --flagfile=") > order[-1]
  assert "By default 816 points, T = 200, H = 64: " in text
  assert "Expect: without recurrent weights" in text


def test_experiments_are_listed_here():
  """A new experiment joins these tests, or those of language."""
  files = Path(runner.__file__).parent.glob("*.py")
  defined = {path.stem for path in files if "EXPERIMENT = Experiment(" in path.read_text()}
  assert defined == {*EXPERIMENTS, *TRAINING, *USES, "word_model", "character_model", "ngram", "ngram_tasks"}
