"""Training runs: killed and resumed ones end as uninterrupted ones do, journals survive tearing, bad settings stop early."""

import importlib
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from experiments import adding, flossing_in_training
from experiments.flossing_in_training import FlossedSettings
from experiments.training import SETTINGS, RunSettings, build, final_states, programs
from experiments.training.journals import logged_updates, watched_updates
from experiments.training.runs import train
from recurrent_lab import training
from sweepkit import runner, store, verify, words
from sweepkit.points import read
from sweepkit.store import CheckpointError, locks

TRAINING = ("adding", "temporal_order", "copy_memory", "solvable_lag", "flossing")
USES = ("recall", "tagging", "vowels", "captions", "translation", "forecast", "next_item")

ROOT = Path(__file__).parents[3]
TINY = (
  "--cells=rnn",
  "--length=8",
  "--hidden_size=4",
  "--batch=4",
  "--updates=2000",
  "--stop=never",
  "--seeds=2",
  "--checkpoint_seconds=0",
)


def start(out):
  """A launcher as a process of its own."""
  command = [sys.executable, "-m", "experiments.adding", *TINY, f"--out={out}"]
  return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def finish(process):
  """The exit code and what was said."""
  _, message = process.communicate()
  return process.returncode, message


def metrics(out):
  return list(Path(out).glob("adding/runs/*/metrics.jsonl"))


def interrupt(out, at_row, how):
  """Runs until that many rows are written and sends a signal; the exit code."""
  process = start(out)
  deadline = time.monotonic() + 120
  while not (metrics(out) and len(metrics(out)[0].read_bytes().splitlines()) >= at_row):
    assert process.poll() is None, process.communicate()[1]
    assert time.monotonic() < deadline
    time.sleep(0.01)
  process.send_signal(how)
  return finish(process)[0]


def alter_newest_checkpoint(out):
  """Flips a byte of the newest checkpoint's largest file, whose path it returns."""
  folder = next(Path(out).glob("adding/runs/*/checkpoints"))
  newest = max(folder.glob("*.json"), key=lambda path: int(path.stem))
  arrays = folder / json.loads(newest.read_text())["arrays"]
  path = max((p for p in arrays.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(bytes(content))
  return path


def outcome(out):
  """All that must not depend on interruptions."""
  (run,) = Path(out).glob("adding/runs/*")
  rows = [
    {name: value for name, value in json.loads(line).items() if name not in ("samples_per_second", "sha256")}
    for line in (run / "metrics.jsonl").read_text().splitlines()
  ]
  block = store.read_block(next(Path(out).glob("adding/*.json")))
  return rows, (run / "dynamics.jsonl").read_text(), block.arrays


@pytest.mark.slow
def test_killed_and_stopped_runs_end_as_uninterrupted_ones_do(tmp_path):
  whole, broken = tmp_path / "whole", tmp_path / "broken"
  code, message = finish(start(whole))
  assert code == 0, message
  assert interrupt(broken, 5, signal.SIGTERM) == 128 + signal.SIGTERM
  assert not list(broken.glob("adding/*.json"))
  assert interrupt(broken, 20, signal.SIGKILL) == -signal.SIGKILL
  altered = alter_newest_checkpoint(broken)
  code, message = finish(start(broken))
  assert code == 0, message
  assert f"{altered} is truncated or altered" in message
  points = store.read_block(next(whole.glob("adding/*.json"))).points
  a, b = outcome(whole), outcome(broken)
  assert a[0] == b[0]
  assert [row["step"] for row in a[0]] == logged_updates(2000)
  assert a[1] == b[1]
  assert a[2].keys() == b[2].keys()
  for name in a[2]:
    np.testing.assert_array_equal(a[2][name], b[2][name])
  states = [final_states(RunSettings, points, next(out.glob("adding/runs/*"))) for out in (whole, broken)]
  assert int(states[0].step[0]) == 2000
  for left, right in zip(*(jax.tree.leaves(s._replace(key=None)) for s in states), strict=True):
    np.testing.assert_array_equal(left, right)


@pytest.mark.slow
def test_a_run_stops_when_all_seeds_have_solved_the_task(tmp_path, capsys):
  flags = [*TINY, "--stop=solved", "--length=2", "--hidden_size=12", "--learning_rate=0.02", f"--out={tmp_path}"]
  assert runner.main(adding.EXPERIMENT, flags) == 0
  data = store.load_results(tmp_path / "adding").squeeze(drop=True)
  assert np.all(data.solved == 1)
  run = int(data.updates_run[0])
  assert run < 2000
  assert int(data.solved_at.max()) == run
  assert np.all(np.isfinite(data.test_loss.sel(update=data["update"] <= run)))
  assert np.all(np.isnan(data.test_loss.sel(update=data["update"] > run)))
  assert np.all(data.status == store.STATUS.index("ok"))
  assert np.all(np.isfinite(data.log_adjoint.isel(watched_update=0)))
  # A journal that lost rows before its checkpoint is not repaired: the run is trained again.
  next(tmp_path.glob("adding/runs/*/metrics.jsonl")).unlink()
  next(tmp_path.glob("adding/*.json")).unlink()
  assert runner.main(adding.EXPERIMENT, flags) == 0
  assert f"has no row for step {run}, at which its checkpoint is" in capsys.readouterr().err
  assert store.load_results(tmp_path / "adding").squeeze(drop=True).equals(data)


@pytest.mark.slow
def test_a_damaged_run_of_a_stored_block_is_found_and_made_anew(tmp_path, capsys):
  """One of two checkpoints, both, a row of a journal, the block itself: each time everything ends as it was."""
  flags = [*TINY, "--updates=4", f"--out={tmp_path}"]
  assert runner.main(adding.EXPERIMENT, flags) == 0
  block = next(tmp_path.glob("adding/*.json"))
  run, points = block.parent / "runs" / block.stem, store.read_block(block).points
  manifests = lambda: sorted((run / "checkpoints").glob("*.json"))  # the last one comes last
  assert len(manifests()) == 2
  wanted, last = outcome(tmp_path), final_states(RunSettings, points, run)

  def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

  for choose in (
    lambda: manifests()[1:],
    lambda: manifests()[:1],
    manifests,
    lambda: [run / "metrics.jsonl"],
    lambda: [run / "dynamics.jsonl"],
    lambda: [block],
  ):
    damaged = choose()
    for path in damaged:
      flip(path)
    assert verify.check(tmp_path).problems
    if damaged[-1] == manifests()[-1]:
      with pytest.raises(CheckpointError, match="altered"):
        final_states(RunSettings, points, run)
    capsys.readouterr()
    assert runner.main(adding.EXPERIMENT, flags) == 0
    assert damaged[0].name in capsys.readouterr().err
    assert verify.check(tmp_path).problems == []
    got = outcome(tmp_path)
    assert got[:2] == wanted[:2]
    for name, array in wanted[2].items():
      np.testing.assert_array_equal(got[2][name], array)
    for left, right in zip(
      *(jax.tree.leaves(s._replace(key=None)) for s in (final_states(RunSettings, points, run), last)), strict=True
    ):
      np.testing.assert_array_equal(left, right)
  capsys.readouterr()
  assert runner.main(adding.EXPERIMENT, flags) == 0
  assert "0 points to compute, 2 already done" in capsys.readouterr().err


@pytest.mark.slow
def test_a_damaged_run_in_another_block_is_trained_anew_here(tmp_path):
  """Two seeds were a block of their own; now one of three covers them."""
  flags = [*TINY, "--updates=2", f"--out={tmp_path}"]
  assert runner.main(adding.EXPERIMENT, flags) == 0
  next(tmp_path.glob("adding/runs/*/metrics.jsonl")).write_bytes(b"torn")
  assert runner.main(adding.EXPERIMENT, [*flags, "--seeds=3"]) == 0
  assert len(list(tmp_path.glob("adding/*.json"))) == len(list(tmp_path.glob("adding/runs/*"))) == 1
  assert verify.check(tmp_path).problems == []
  assert store.load_results(tmp_path / "adding").sizes["seed"] == 3


@pytest.mark.slow
def test_double_precision_is_that_of_the_parameters(tmp_path):
  flags = [*TINY, "--updates=2", "--floss=2", "--floss_k=2", "--x64", f"--out={tmp_path}"]
  assert runner.main(adding.EXPERIMENT, flags) == 0
  points = runner.parse(adding.EXPERIMENT, flags).points
  with jax.enable_x64(True):
    states = final_states(RunSettings, points, next(tmp_path.glob("adding/runs/*")))
  assert {leaf.dtype for leaf in jax.tree.leaves(states.params)} == {np.dtype(np.float64)}


@pytest.mark.slow
def test_bouts_of_flossing_lie_between_updates(tmp_path):
  """Five updates with a bout after the second and the fourth, against the same made one by one; λ₁ tells a bout from none."""
  small = {"hidden_size": 3, "batch": 2, "length": 2, "steps": 8, "updates": 5, "floss": 0}
  bouts = {"floss_every": 2, "floss_updates": 3, "floss_k": 2, "floss_interval": 2}
  flags = [f"--{name}={value}" for name, value in (small | bouts).items()]
  points = runner.parse(flossing_in_training.EXPERIMENT, [*flags, "--seeds=1", f"--out={tmp_path}"]).points
  train(FlossedSettings, points, tmp_path / "a" / "runs" / "b", 60)
  block = programs.prepare(FlossedSettings, points)
  trained = final_states(FlossedSettings, points, tmp_path / "a" / "runs" / "b")

  run, state = build(block.settings), jax.tree.map(lambda leaf: leaf[0], block.start(block.keys))
  step = training.train_step(run.gradient, run.task, run.optimizer, run.clip, small["batch"])
  adam = training.optimizer("adam", 1e-3)
  gradient = training.flossing_gradient(run.cell, 2, 2)
  floss = training.train_step(gradient, run.task, adam, training.clipping("global_norm", 1.0), programs.PROBE_EXAMPLES)
  for update in range(5):
    if update in (2, 4):
      key = jax.random.fold_in(jax.random.fold_in(state.key, 0), update)
      bout = training.init_state(key, state.params, adam)
      for _ in range(3):
        bout, _ = floss(bout)
      assert not np.allclose(bout.params.cell.recurrent_kernel, state.params.cell.recurrent_kernel)
      state = state._replace(params=bout.params)
    state, _ = step(state)
  for one, other in zip(jax.tree.leaves(trained.params), jax.tree.leaves(state.params), strict=True):
    np.testing.assert_allclose(one[0], other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("--floss_every=5", "floss_every is 5 and floss_updates 0; both must be 0, or neither"),
    ("--floss_updates=5", "floss_every is 0 and floss_updates 5"),
    ("--floss_interval=7 --floss=1", "floss_interval is 7; it must divide the 300 steps"),
    ("--floss_every=5 --floss_updates=1 --floss_k=99", "floss_k is 99; it must not exceed the 80 units"),
    ("--steps=20 --length=20", "steps is 20; it must exceed length, the delay of 20 steps"),
  ],
)
def test_bad_flossing_stops_before_any_work(flag, message, tmp_path, capsys):
  assert runner.main(flossing_in_training.EXPERIMENT, [*flag.split(), f"--out={tmp_path / 'x'}"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "x").exists()


def test_updates_that_are_not_finite_are_told(tmp_path, capsys):
  """Plain descent at an absurd rate overflows a relu net at its second update, and every one after it."""
  flags = [*TINY, "--cells=rnn_relu", "--updates=5", "--optimizer=sgd", "--learning_rate=1e30", "--clip=none"]
  assert runner.main(adding.EXPERIMENT, [*flags, f"--out={tmp_path}"]) == 0
  data = store.load_results(tmp_path / "adding")
  count = int(data.nonfinite_updates.sum())
  assert count > 0
  message = capsys.readouterr().err
  assert f"{words.count(count, 'update')} not finite and left out" in message
  assert "Not finite, and stored with that status: 2 points." in message
  assert np.all(data.status == store.STATUS.index("nonfinite"))


@pytest.mark.parametrize("updates", [1, 7, 49, 50, 51, 5000])
def test_rows_are_evenly_spaced_and_end_with_the_run(updates):
  labels = logged_updates(updates)
  assert labels[-1] == updates
  assert len(labels) == min(updates, 50)
  assert set(watched_updates(updates)) <= {0, *labels}


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("--length=1", "--length: length is 1; it must be a whole number of at least 2"),
    ("--task=delayed_xor --length=5", "--length: delay is 5; it must be even"),
    ("--clip_at=0", "0.0 is not allowed; it must be a finite number above 0"),
    ("--clip_at=-1", "-1.0 is not allowed; it must be a finite number above 0"),
    ("--optimizer=adem", "'adem' is not allowed; it must be one of"),
    ("--k1=5 --k2=3", "k1 = 5 and k2 = 3; it needs 1 ≤ k1 ≤ k2, or 0 for both"),
    ("--k1=5", "k1 = 5 and k2 = 0"),
    ("--k1=2 --k2=4 --omega=1", "Ω is defined for full BPTT"),
    ("--forget_bias=open", "'open' is not allowed; it must be a finite number, or chrono"),
    ("--floss=3 --floss_k=99", "floss_k is 99; it must not exceed the 4 units"),
    ("--task=addition", "'addition' is not allowed; it must be one of adding"),
  ],
)
def test_bad_settings_stop_before_any_work(flag, message, tmp_path, capsys):
  assert runner.main(adding.EXPERIMENT, [*TINY, *flag.split(), f"--out={tmp_path / 'x'}"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "x").exists()


def test_digits_come_from_their_package(tmp_path):
  pytest.importorskip("sklearn", reason="the digits come with scikit-learn, which is not installed")
  flags = [*TINY, "--task=digits,permuted_digits", "--updates=2", "--seeds=1", "--dry_run", f"--out={tmp_path}"]
  plain, permuted = (build(read(RunSettings, point)) for point in runner.parse(adding.EXPERIMENT, flags).points)
  assert plain.task.steps == permuted.task.steps == 64
  one, other = (np.asarray(r.task.sample(jax.random.key(0), 5).inputs[..., 0]) for r in (plain, permuted))
  assert not np.array_equal(one, other)
  np.testing.assert_array_equal(np.sort(one, axis=0), np.sort(other, axis=0))


@pytest.mark.parametrize("name", [*TRAINING, *USES])
def test_the_commands_of_every_experiment_are_allowed(name):
  module = importlib.import_module(f"experiments.{name}")
  commands = re.findall(rf"python -m experiments.{name}(.*?)(?:  |\n)", module.__doc__)
  assert commands
  for flags in commands:
    points = runner.parse(module.EXPERIMENT, flags.split()).points
    assert points
    for point in points:
      module.EXPERIMENT.measure.check(point)


def test_every_default_is_allowed():
  point = {"cell" if name == "cells" else name: setting.default for name, setting in SETTINGS.items()}
  assert len(point) == len(SETTINGS)
  (first, *_) = runner.parse(adding.EXPERIMENT, []).points
  assert build(read(RunSettings, first)).task.name == "adding"


def test_two_launchers_of_one_run_are_told_apart(tmp_path, capsys):
  flags = [*TINY, "--updates=2", f"--out={tmp_path}"]
  points = runner.parse(adding.EXPERIMENT, flags).points
  with locks.lock(tmp_path / "adding/runs" / store.block_name(points)):
    assert runner.main(adding.EXPERIMENT, flags) == 2
  assert f"is in use by process {os.getpid()}" in capsys.readouterr().err


def test_a_longer_run_says_why_it_does_not_go_on_from_a_shorter_one(tmp_path, capsys):
  """The longer run equals, bit for bit, the one in an empty folder. The shorter run stays as it is."""
  flags = [*TINY, "--seeds=1", "--length=4"]
  assert runner.main(adding.EXPERIMENT, [*flags, "--updates=2", f"--out={tmp_path / 'both'}"]) == 0
  capsys.readouterr()
  for out in ("both", "alone"):
    assert runner.main(adding.EXPERIMENT, [*flags, "--updates=4", f"--out={tmp_path / out}"]) == 0
    said = "rnn: 4 updates are asked for and a run of 2 is stored, but no run goes on from the end of a shorter one"
    assert (said in capsys.readouterr().err) == (out == "both")
  data, alone = (store.load_results(tmp_path / out / "adding", updates=4) for out in ("both", "alone"))
  shared = [name for name in alone.data_vars if name != "code"]
  assert data[shared].equals(alone[shared])
  assert store.load_results(tmp_path / "both/adding", updates=2).updates_run == 2
