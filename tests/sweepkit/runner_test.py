"""A launch skips what is done, repairs what is altered, reads every block once, and refuses bad flags before any work."""

import dataclasses
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sweepkit import runner, store
from sweepkit.store.blocks import read_meta
from tests.support import chaos
from tests.support.launches import stored
from tests.support.results import with_schema


def launch(out, *flags):
  return runner.main(chaos.EXPERIMENT, ["--seeds=2", f"--out={out}", *flags])


def test_what_is_stored_is_what_the_flags_ask_for(tmp_path):
  assert launch(tmp_path, "--r=0.5,1,2", "--map=logistic,sine") == 0
  data = store.load_results(tmp_path / chaos.NAME)
  assert dict(data.sizes) == {"map": 2, "r": 3, "seed": 2, "step": 12}
  assert np.all(data.status == store.STATUS.index("ok"))
  x = data.orbit.sel(map="logistic").transpose("step", ...)
  np.testing.assert_allclose(x[1:], data.r.values[:, None] * x[:-1] * (1 - x[:-1]), rtol=1e-5)
  meta = read_meta(next((tmp_path / chaos.NAME).glob("*.json")))
  assert {"command", "git_commit", "jax", "numpy", "device", "precision", "wall_seconds"} <= set(meta["provenance"])


def test_shards_and_order_change_nothing(tmp_path):
  """Two shards give, byte for byte, what one launch gives; so do the values in another order."""
  flags = ("--r=0.5,1,2", "--map=logistic,sine", "--chunk=2")
  assert launch(tmp_path / "whole", *flags) == 0
  for shard in ("1/2", "0/2"):
    assert launch(tmp_path / "shards", *flags, f"--shard={shard}") == 0
  whole = stored(tmp_path / "whole" / chaos.NAME)
  assert len(whole) == 12
  assert stored(tmp_path / "shards" / chaos.NAME) == whole
  assert launch(tmp_path / "order", "--r=2,1,0.5", "--map=sine,logistic", "--chunk=2") == 0
  assert stored(tmp_path / "order" / chaos.NAME) == whole


def test_running_again_computes_only_what_is_missing(tmp_path, capsys):
  assert launch(tmp_path, "--r=0.5,1", "--map=sine") == 0
  before = {path: path.read_bytes() for path in (tmp_path / chaos.NAME).iterdir()}
  assert launch(tmp_path, "--r=0.5,1,2", "--map=sine") == 0
  assert "2 points to compute, 4 already done" in capsys.readouterr().err
  assert all(path.read_bytes() == content for path, content in before.items())
  assert store.load_results(tmp_path / chaos.NAME).sizes["r"] == 3


def flip(path):
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(bytes(content))


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_an_altered_file_is_reported_and_computed_again(suffix, tmp_path, capsys):
  assert launch(tmp_path, "--r=1", "--map=sine") == 0
  (path,) = (tmp_path / chaos.NAME).glob(f"*{suffix}")
  original = stored(tmp_path / chaos.NAME)
  flip(path)
  assert launch(tmp_path, "--r=1", "--map=sine") == 0
  assert path.name in capsys.readouterr().err
  assert stored(tmp_path / chaos.NAME) == original


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_launch_opens_every_block_at_most_once(suffix, tmp_path, monkeypatch):
  """Repair, sharing, index and summary ask one inventory. One block is missing, and one is damaged and cut otherwise."""
  flags = ("--r=0.5,1,2,3,4", "--map=sine", "--chunk=1")
  assert launch(tmp_path, *flags, "--r=0.5,1,2,3") == 0
  missing, *_ = store.block_paths(tmp_path / chaos.NAME)
  store.remove_block(missing)
  known = store.block_paths(tmp_path / chaos.NAME)
  assert launch(tmp_path, "--r=4", "--map=sine", "--chunk=2") == 0
  (damaged,) = set(store.block_paths(tmp_path / chaos.NAME)) - set(known)
  flip(damaged.with_suffix(suffix))
  reads = []
  read_bytes = Path.read_bytes

  def noting(path):
    reads.append(path)
    return read_bytes(path)

  monkeypatch.setattr(Path, "read_bytes", noting)
  monkeypatch.setattr(runner.devices, "prepare", lambda *_: (0, 1))  # one process, which writes the index
  assert launch(tmp_path, *flags, "--distributed") == 0
  assert not damaged.exists()
  blocks = [path for path in reads if path.parent == tmp_path / chaos.NAME]
  assert {path.stem for path in blocks} == {path.stem for path in [*known, damaged]}  # and not what it wrote itself
  assert sorted(blocks) == sorted(set(blocks))
  assert list((tmp_path / chaos.NAME / "index").glob("*.json"))


def test_a_damaged_block_of_another_cut_does_not_stay(tmp_path, capsys):
  """Its points are computed into blocks of other names, and leftovers of dead writers go too."""
  assert launch(tmp_path, "--r=0.5,1", "--map=sine") == 0
  folder = tmp_path / chaos.NAME
  (path,) = folder.glob("*.json")
  original = store.load_results(folder)
  path.write_bytes(path.read_bytes()[:-2])
  (folder / f".{path.name}.{2**22 + 1}.tmp").write_text("half")
  assert launch(tmp_path, "--r=0.5,1", "--map=sine", "--chunk=2") == 0
  assert f"{path} was damaged and is removed" in capsys.readouterr().err
  np.testing.assert_allclose(store.load_results(folder)["mean"], original["mean"], rtol=1e-4)
  assert {file.suffix for file in folder.iterdir() if file.name != ".lock"} == {".json", ".npz"}
  assert not path.exists()


def test_a_full_disk_is_one_sentence_and_the_next_launch_resumes(tmp_path, capsys, monkeypatch):
  flags = ("--r=0.5,1,2", "--map=sine", "--chunk=2")
  replace, calls = os.replace, []

  def full_after_one_block(*paths):
    calls.append(paths)
    if len(calls) > 3:
      raise OSError(28, "No space left on device")
    replace(*paths)

  with monkeypatch.context() as patch:
    patch.setattr(os, "replace", full_after_one_block)
    assert launch(tmp_path / "full", *flags) == 2
  last = capsys.readouterr().err.splitlines()[-1]
  assert last.startswith(f"{chaos.NAME}: ")
  assert "cannot be written (No space left on device)" in last
  folder = tmp_path / "full" / chaos.NAME
  assert len(list(folder.glob("*.json"))) == 1
  assert [file.name for file in folder.glob(".*")] == [".lock"]
  assert launch(tmp_path / "full", *flags) == 0
  assert launch(tmp_path / "whole", *flags) == 0
  assert stored(folder) == stored(tmp_path / "whole" / chaos.NAME)


def test_points_that_are_not_finite_are_kept_with_their_status(tmp_path, capsys):
  assert launch(tmp_path, "--r=0.5,1e30", "--map=linear") == 0
  data = store.load_results(tmp_path / chaos.NAME).squeeze()
  assert "Not finite, and stored with that status: 2 points." in capsys.readouterr().err
  names = [[store.STATUS[i] for i in row] for row in data.status.values]
  assert names == [["ok", "ok"], ["nonfinite", "nonfinite"]]


def test_failing_blocks_stop_the_sweep_at_the_limit(tmp_path, capsys):
  def fail(*_):
    raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

  broken = dataclasses.replace(chaos.EXPERIMENT, measure=dataclasses.replace(chaos.MEASURE, run=fail))
  flags = ["--map=logistic,sine,linear", "--seeds=2", "--r=1", f"--out={tmp_path}"]
  assert runner.main(broken, flags) == 1
  assert "logistic: 2 points failed: RESOURCE_EXHAUSTED" in capsys.readouterr().err
  assert runner.main(broken, [*flags, "--max_failures=3"]) == 1
  assert capsys.readouterr().err.count("points failed") == 3


def test_dry_run_prints_the_grid_and_writes_nothing(tmp_path, capsys):
  assert launch(tmp_path / "none", "--r=3:4:17", "--dry_run") == 0
  text = capsys.readouterr().out
  assert "68 points in 4 calls" in text
  assert "r (17): 3.0, 3.0625" in text
  assert "orbit [12]" in text
  assert not (tmp_path / "none").exists()


def test_flagfile_and_x64(tmp_path):
  file = tmp_path / "flags.txt"
  file.write_text("--r=0.5\n--map=sine\n--x64\n")
  assert launch(tmp_path, f"--flagfile={file}") == 0
  data = store.load_results(tmp_path / chaos.NAME)
  assert data.orbit.dtype == np.float64
  assert bool(data.x64)


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("--r=2:1:5", "--r: '2:1:5' is an empty or reversed range; its start must be below its stop."),
    ("--map=logstic", "--map: 'logstic' is not allowed; it must be one of logistic, sine, linear."),
    ("--steps=-1", "--steps: -1 is not allowed; it must be a whole number of 1 or more."),
    ("--seeds=0", "seeds"),
    ("--shard=2/2", "--shard: '2/2' is not allowed; it must be i/n with 0 ≤ i < n"),
    ("--chunk=0", "chunk"),
    ("--step=1", "Unknown command line flag 'step'. Did you mean: steps"),
    ("--lr=1", "Unknown command line flag 'lr'. --help shows all flags."),
    ("r=1", "'r=1' is not a flag; flags look like --map=logistic,sine, with commas between values."),
    ("--flagfile=/no/such/file", "/no/such/file"),
    ("--out=a\nb", "--out: The folder 'a\\nb' is not allowed; its name must not be empty or hold a control character."),
    ("--out=--dry_run", "--out: '--dry_run' is a flag, and the name of the folder before it is missing."),
    ("--out=a\0b", "--out: The folder 'a\\x00b' is not allowed"),
    ("--out=/dev/null", "--out: /dev/null is not a folder"),
  ],
)
def test_a_bad_flag_stops_before_any_work(flag, message, tmp_path, capsys):
  assert launch(tmp_path / "out", flag) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "out").exists()


def test_values_that_the_measure_is_not_for_are_refused(tmp_path, capsys):
  narrow = dataclasses.replace(chaos.EXPERIMENT, allowed={"map": ("logistic", "sine")})
  assert runner.main(narrow, ["--map=linear", f"--out={tmp_path}"]) == 2
  assert "--map: 'linear' is not allowed here; it must be one of logistic, sine." in capsys.readouterr().err


def test_another_schema_stops_before_any_work(tmp_path, capsys):
  assert launch(tmp_path, "--r=1", "--map=sine") == 0
  with_schema(next((tmp_path / chaos.NAME).glob("*.json")), 0)
  assert launch(tmp_path, "--r=1,2", "--map=sine") == 2
  assert "has schema version 0" in capsys.readouterr().err


def test_killed_launches_lose_nothing(tmp_path):
  """SIGKILL in the middle, run again: the same bytes as an undisturbed run, and no temporary file counts."""
  flags = ["--r=0.5,1,2,3", "--map=sine", "--chunk=2"]
  folder = tmp_path / "killed" / chaos.NAME
  process = chaos.started(*flags, "--seeds=2", f"--out={tmp_path / 'killed'}")
  deadline = time.monotonic() + 120
  while not list(folder.glob("*.json")) and time.monotonic() < deadline:
    time.sleep(0.001)
  process.send_signal(signal.SIGKILL)
  process.communicate()
  assert launch(tmp_path / "killed", *flags) == 0
  assert launch(tmp_path / "whole", *flags) == 0
  assert stored(folder) == stored(tmp_path / "whole" / chaos.NAME)


def test_a_launch_imports_nothing_that_only_datasets_and_figures_need(tmp_path):
  program = f"""
import sys
from tests.support import chaos
from sweepkit import runner
assert runner.main(chaos.EXPERIMENT, ["--map=sine", "--r=1", {f"--out={tmp_path}"!r}]) == 0
print(*sorted({{"xarray", "pandas", "matplotlib", "orbax", "flax"}} & set(sys.modules)), file=sys.stderr)
"""
  done = subprocess.run([sys.executable, "-c", program], cwd=chaos.ROOT, capture_output=True, text=True, check=True)
  assert done.stderr.splitlines()[-1] == ""


def test_help_shows_the_experiment(capsys):
  with pytest.raises(SystemExit) as stop:
    runner.main(chaos.EXPERIMENT, ["--help"])
  assert stop.value.code == 0
  text = capsys.readouterr().out
  assert text.splitlines()[0] == chaos.EXPERIMENT.doc.splitlines()[0]
  order = [
    text.index(f"  --{flag}\n") for flag in ("map=logistic,sine", "seeds=2", "steps=12", "r=3:4:5", "out=results")
  ]
  assert order == sorted(order)
  assert text.index("  --flagfile=") > order[-1]
  assert "By default 20 points, T = 12: 1 s on " in text
  assert "Expect: an orbit of the linear map" in text
