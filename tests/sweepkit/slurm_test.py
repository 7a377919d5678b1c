"""A sweep as an array of tasks: every task a shard, checked before anything is submitted."""

from pathlib import Path
import subprocess
import sys

import pytest

from sweepkit import slurm, store
from tests.support.launches import stored

ROOT = Path(__file__).parent.parent.parent
FLAGS = ("--hidden_size=4", "--input_size=2", "--seq_len=12", "--seeds=2", "--cells=rnn", "--ws=0.5,1,2", "--chunk=2")


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ([], "'' is not one experiment; give its name first and its flags after a lone --."),
    (["recurrent_gain"], "--array: it is missing; give the number of tasks, such as --array=16."),
    (["recurrent_gian", "--array=2"], "'recurrent_gian' is not an experiment"),
    (["runner", "--array=2"], "'runner' is not an experiment"),
    (["recurrent_gain", "--array=0"], "array"),
    (["recurrent_gain", "--array=2", "--cluster=moon"], "cluster"),
    (["recurrent_gain", "--array=2", "--", "--ws=x"], "--ws: 'x' is not a number."),
    (["recurrent_gain", "--array=2", "--", "--shard=0/2"], "--shard: it is given by the array"),
    (["recurrent_gain", "--array=2", "--ws=1"], "Unknown command line flag 'ws'"),
  ],
)
def test_what_cannot_be_submitted_is_said_in_a_sentence(arguments, message, capsys):
  assert slurm.main(arguments) == 2
  assert message in capsys.readouterr().err


def test_tasks_are_the_shards_of_the_sweep():
  assert slurm.shards(["--ws=1"], 3) == [["--ws=1", f"--shard={i}/3"] for i in range(3)]


def test_a_task_that_fails_is_a_job_that_fails(tmp_path):
  with pytest.raises(RuntimeError, match="activation_choice ended with exit code 2"):
    slurm.task("activation_choice", ["--ws=x", f"--out={tmp_path}"])


@pytest.mark.slow
def test_an_array_on_this_machine_does_the_sweep(tmp_path):
  """In a process of its own, since submitit takes hold of the streams that pytest captures."""
  pytest.importorskip("submitit", reason='submitit is not installed; pip install ".[slurm]"')
  launch = ["activation_choice", "--array=2", "--cluster=local", f"--logs={tmp_path / 'logs'}", "--slurm_partition=any"]
  command = [sys.executable, "-m", "experiments.slurm", *launch, "--", *FLAGS, f"--out={tmp_path}"]
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
  assert "2 tasks submitted" in done.stdout
  found = stored(tmp_path / "activation_choice")
  assert len(found) == 6
  provenance = [store.read_block(path).provenance for path in store.block_paths(tmp_path / "activation_choice")]
  assert {entry["shard"] for entry in provenance} == {"0/2", "1/2"}
