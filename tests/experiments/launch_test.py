"""A launch step by step: writing behind computing, stopping, shards of an array, processes of a cluster, lack of memory."""

import dataclasses
import json
import os
import signal
import socket

import jax
import numpy as np
import pytest

from sweepkit import RunMeasure, plan, runner, store
from sweepkit import points as grid
from sweepkit.execution import devices
from tests.support.launches import SMALL, array, ended, experiment, launcher, stored, watch

FLAGS = (*SMALL, "--ws=0.5,1,2", "--cells=rnn", "--chunk=2", "--cpu_devices=1")


def launch(out, *flags):
  return runner.main(experiment("activation_choice"), [*FLAGS, f"--out={out}", *flags])


def test_a_block_is_on_its_way_before_the_former_is_written(tmp_path, monkeypatch):
  events = []
  watch(monkeypatch, devices, "start", events)
  watch(monkeypatch, store, "write_block", events)
  assert launch(tmp_path) == 0
  assert events == ["start", "start", "write_block", "start", "write_block", "write_block"]


def test_labels_are_made_once_for_a_program(tmp_path):
  chosen, calls = experiment("activation_choice"), []
  measure = dataclasses.replace(chosen.measure, coords=lambda static: calls.append(static) or {})
  assert (
    runner.main(dataclasses.replace(chosen, measure=measure), [*FLAGS, f"--out={tmp_path}", "--cells=rnn,rnn_sigmoid"])
    == 0
  )
  assert [static["cell"] for static in calls] == ["rnn", "rnn_sigmoid"]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_is_computed_when_asked_to_stop_is_kept(signum, code, tmp_path, monkeypatch, capsys):
  """The signal comes while the first block is written, the second on its way and the third not begun."""
  with monkeypatch.context() as patch:
    events = []
    watch(patch, store, "write_block", events, lambda: len(events) == 1 and os.kill(os.getpid(), signum))
    assert launch(tmp_path) == code
  said = capsys.readouterr().err
  assert said.count("Stopping: what is being computed is kept first.") == 1
  assert f"activation_choice: stopped. Kept in {tmp_path / 'activation_choice'}: 4 of 6 points.\n" in said
  assert f"To go on: python -m experiments.activation_choice {' '.join(FLAGS)} --out={tmp_path}\n" in said
  assert len(stored(tmp_path / "activation_choice")) == 4
  assert launch(tmp_path) == 0
  assert "2 points to compute, 4 already done" in capsys.readouterr().err


def test_lack_of_memory_is_recorded(tmp_path, monkeypatch, capsys):
  assert launch(tmp_path / "whole", "--chunk=32") == 0
  start = devices.start

  def failing(group, arguments):
    if group.call > 8:
      raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes.")
    return start(group, arguments)

  monkeypatch.setattr(devices, "start", failing)
  assert launch(tmp_path / "scarce", "--chunk=32", "--seeds=6") == 0
  assert "rnn: out of memory with 18 points in a call; going on with 8." in capsys.readouterr().err
  found, whole = (stored(tmp_path / name / "activation_choice") for name in ("scarce", "whole"))
  assert len(found) == 18
  assert {point: found[point] for point in whole} == whole
  (path,) = store.block_paths(tmp_path / "scarce/activation_choice")
  assert json.loads(path.read_text())["provenance"]["chunk_halvings"] == 1


def test_a_block_of_runs_without_memory_goes_on_as_two(tmp_path, capsys):
  tried = []

  def run(points, folder, checkpoint_seconds):
    tried.append((len(points), folder.name))
    if len(points) > 2:
      raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")
    return {"zero": np.zeros(len(points))}

  chosen = experiment("activation_choice")
  measure = RunMeasure(run, settings=chosen.measure.settings, dims={"zero": ()})
  flags = [*SMALL, "--ws=1", "--cells=rnn", "--seeds=5", f"--out={tmp_path}"]
  assert runner.main(dataclasses.replace(chosen, measure=measure), flags) == 0
  assert [count for count, _ in tried] == [5, 3, 2, 1, 2]
  paths = store.block_paths(tmp_path / "activation_choice")
  assert sorted(path.stem for path in paths) == sorted(name for count, name in tried if count < 3)
  assert "rnn: out of memory with 5 points; going on with 3." in capsys.readouterr().err


def test_other_devices_than_jax_has_started_with_are_refused(tmp_path, capsys):
  assert jax.local_device_count() < 7
  assert launch(tmp_path, "--cpu_devices=7") == 2
  assert "--cpu_devices: 7 is not allowed in a process whose JAX has" in capsys.readouterr().err
  assert not (tmp_path / "activation_choice").exists()


@pytest.mark.parametrize(
  ("flag", "environment", "shard"),
  [
    (None, {}, (0, 1)),
    (None, array(ID=3, MIN=0, MAX=15, STEP=1, COUNT=16), (3, 16)),
    (None, array(ID=7, MIN=1, MAX=10, STEP=3, COUNT=4), (2, 4)),
    ("1/2", array(ID=3, MIN=0, MAX=15, STEP=1, COUNT=16), (1, 2)),
    ("1/2", array(ID="x"), (1, 2)),
  ],
)
def test_the_task_of_a_slurm_array_is_a_shard(flag, environment, shard):
  assert plan._shard(flag, environment) == shard


@pytest.mark.parametrize(
  "environment",
  [
    array(ID=3, MIN=1, MAX=7, STEP=1, COUNT=3),  # --array=1,3,7
    array(ID=4, MIN=1, MAX=7, STEP=2, COUNT=4),
    array(ID=8, MIN=0, MAX=7, STEP=1, COUNT=8),
    array(ID=1, MIN=0, MAX=7, STEP=0, COUNT=8),
    array(ID=1, MIN=0, MAX=7, STEP=1),
    array(ID="one", MIN=0, MAX=7, STEP=1, COUNT=8),
  ],
)
def test_an_array_that_is_no_range_is_refused(environment, tmp_path, monkeypatch, capsys):
  for name, value in environment.items():
    monkeypatch.setenv(name, value)
  assert launch(tmp_path / "out") == 2
  error = capsys.readouterr().err
  assert f"SLURM_ARRAY_TASK_ID={environment['SLURM_ARRAY_TASK_ID']}" in error
  assert "is not a range of equal steps; give --shard=i/n." in error
  assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (["--process_id=0"], "--process_id: it has a meaning with --distributed only."),
    (
      ["--distributed", "--process_id=0"],
      "--process_id: it goes together with --coordinator_address and --num_processes; give all three or none.",
    ),
    (
      ["--distributed", "--coordinator_address=node1", "--num_processes=2", "--process_id=0"],
      "--coordinator_address: 'node1' is not allowed; it must be host:port, such as node1:1234.",
    ),
    (
      ["--distributed", "--coordinator_address=node1:1", "--num_processes=2", "--process_id=2"],
      "--process_id: 2 is not allowed; it must be below --num_processes=2.",
    ),
  ],
)
def test_processes_that_cannot_meet_are_refused(flags, message, tmp_path, capsys):
  assert launch(tmp_path / "out", *flags) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "out").exists()


def pair(out, *flags):
  """Two processes of one distributed launch."""
  with socket.socket() as free:
    free.bind(("localhost", 0))
    port = free.getsockname()[1]
  common = ("--distributed", f"--coordinator_address=localhost:{port}", "--num_processes=2", *flags)
  return [launcher(out, *common, f"--process_id={i}") for i in range(2)]


@pytest.mark.slow
def test_distributed_processes_give_the_bits_of_one(tmp_path):
  assert ended(launcher(tmp_path / "one"))[0] == 0
  whole = stored(tmp_path / "one/activation_choice")
  assert [ended(process)[0] for process in pair(tmp_path / "two", "--cpu_devices=2", "--chunk=8")] == [0, 0]
  folder = tmp_path / "two/activation_choice"
  assert stored(folder) == whole
  index = json.loads(next((folder / "index").glob("*.json")).read_text())
  assert index.pop("sha256") == grid.content_hash(index)
  assert [unit["process"] for unit in index["units"]] == [i % 2 for i in range(len(index["units"]))]
  assert all(unit["stored"] == unit["points"] for unit in index["units"][::2])
  listed = {name for unit in index["units"] for name in unit["files"]}
  assert listed <= {path.stem for path in store.block_paths(folder)}
  assert sum(unit["points"] for unit in index["units"]) == 50


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_dies_takes_nothing_with_it(victim, tmp_path):
  """Be it the coordinator: the other one ends well, and a launch by oneself does the rest."""
  flags = ("--chunk=8", "--seeds=20", "--seq_len=100", "--cells=rnn")
  processes = pair(tmp_path / "broken", *flags)
  while "points to compute" not in processes[victim].stderr.readline():  # they have met
    assert processes[victim].poll() is None
  processes[victim].kill()
  processes[victim].communicate()
  code, text = ended(processes[1 - victim])
  assert code == 0, text
  folder = tmp_path / "broken/activation_choice"
  assert 48 <= len(stored(folder)) < 100
  assert ended(launcher(tmp_path / "broken", *flags))[0] == 0
  assert ended(launcher(tmp_path / "whole", *flags, "--chunk=32"))[0] == 0
  assert stored(folder) == stored(tmp_path / "whole/activation_choice")
