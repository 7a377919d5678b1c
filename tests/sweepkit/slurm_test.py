"""A sweep as an array of tasks: every task a shard, checked before anything is submitted."""

import subprocess
import sys

import pytest

from sweepkit import slurm, store
from tests.support import chaos
from tests.support.launches import ROOT, stored

FLAGS = ("--map=sine", "--r=0.5,1,2", "--chunk=2")
MODULE = chaos.EXPERIMENT.module


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ([], "'' is not one experiment; give its module first and its flags after a lone --."),
    ([MODULE], "--array: it is missing; give the number of tasks, such as --array=16."),
    (["tests.support.caos", "--array=2"], "'tests.support.caos' is not the module of an experiment, such as"),
    (["sweepkit.runner", "--array=2"], "'sweepkit.runner' is not the module of an experiment"),
    ([".chaos", "--array=2"], "'.chaos' is not the module of an experiment"),
    ([MODULE, "--array=0"], "array"),
    ([MODULE, "--array=2", "--cluster=moon"], "cluster"),
    ([MODULE, "--array=2", "--", "--r=x"], "--r: 'x' is not a number."),
    ([MODULE, "--array=2", "--", "--shard=0/2"], "--shard: it is given by the array"),
    ([MODULE, "--array=2", "--r=1"], "Unknown command line flag 'r'"),
  ],
)
def test_what_cannot_be_submitted_is_said_in_a_sentence(arguments, message, capsys):
  assert slurm.main(arguments) == 2
  assert message in capsys.readouterr().err


def test_tasks_are_the_shards_of_the_sweep():
  assert slurm.shards(["--r=1"], 3) == [["--r=1", f"--shard={i}/3"] for i in range(3)]


def test_a_task_that_fails_is_a_job_that_fails(tmp_path):
  with pytest.raises(RuntimeError, match=rf"{MODULE} ended with exit code 2"):
    slurm.task(MODULE, ["--r=x", f"--out={tmp_path}"])


@pytest.mark.slow
def test_an_array_on_this_machine_does_the_sweep(tmp_path):
  """In a process of its own, since submitit takes hold of the streams that pytest captures."""
  pytest.importorskip("submitit", reason='submitit is not installed; pip install ".[slurm]"')
  launch = [MODULE, "--array=2", "--cluster=local", f"--logs={tmp_path / 'logs'}", "--slurm_partition=any"]
  command = [sys.executable, "-m", "sweepkit.slurm", *launch, "--", *FLAGS, f"--out={tmp_path}"]
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
  assert "2 tasks submitted" in done.stdout
  found = stored(tmp_path / chaos.NAME)
  assert len(found) == 6
  provenance = [store.read_block(path).provenance for path in store.block_paths(tmp_path / chaos.NAME)]
  assert {entry["shard"] for entry in provenance} == {"0/2", "1/2"}
