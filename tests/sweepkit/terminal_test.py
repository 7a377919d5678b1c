"""Commands and the terminal: readers that leave, characters that it lacks, devices that are not there, homes."""

from functools import partial
import io
import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

from sweepkit import merge, plan, runner, terminal, verify
from sweepkit.from_python import sweep
from sweepkit.store import files
from tests.support import chaos
from tests.support.launches import ROOT

LAUNCH = ["--map=sine", "--r=1,2", "--seeds=1", "--chunk=1"]
ASCII = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

# Runs one command after the other, each with a closed output; writes their exit codes to stderr.
UNREAD = """
import importlib, os, sys
codes = []
for words in map(str.split, sys.stdin):
  reader, writer = os.pipe()
  os.close(reader)
  os.dup2(writer, 1)
  sys.argv = words
  try:
    module = importlib.import_module(words[0])
    module.main(*([module.EXPERIMENT] if hasattr(module, "EXPERIMENT") else []), words[1:])
    sys.stdout.flush()
    codes.append("0")
  except SystemExit as stop:
    codes.append(str(stop.code))
sys.stderr.write(" ".join(codes))
"""


def run(words, **environment):
  command = [sys.executable, *words]
  return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | environment)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
  out = tmp_path_factory.mktemp("results")
  assert runner.main(chaos.EXPERIMENT, [*LAUNCH, f"--out={out}"]) == 0
  return out


def test_output_that_nobody_reads_ends_in_silence(results):
  """Whatever the command; stderr holds what this test writes to it and nothing else."""
  commands = [
    "experiments.__main__ --list",
    "experiments.__main__ --help",
    "experiments.__main__ forget_bias --help",
    "experiments.__main__ forget_bias --dry_run",
    f"tests.support.chaos --summary --out={results}",
    "sweepkit.verify --help",
    f"sweepkit.verify --out={results}",
    f"sweepkit.merge {results} --out={results}-merged",
    "sweepkit.merge --help",
    "sweepkit.slurm --help",
    "experiments.generate --help",
    "analysis.language.table --help",
  ]
  done = subprocess.run(
    [sys.executable, "-c", UNREAD], cwd=ROOT, capture_output=True, text=True, input="\n".join(commands)
  )
  assert done.stderr.split() == [str(terminal.BROKEN_PIPE)] * len(commands)


def test_what_was_stored_before_the_reader_left_is_kept(tmp_path):
  """All of a launch goes into a pipe that is closed: its first word ends it, and another launch does the rest."""
  reader, writer = os.pipe()
  os.close(reader)
  launch = chaos.command(*LAUNCH, f"--out={tmp_path}")
  assert subprocess.run(launch, cwd=ROOT, stdout=writer, stderr=writer).returncode == terminal.BROKEN_PIPE
  os.close(writer)
  assert runner.main(chaos.EXPERIMENT, [*LAUNCH, f"--out={tmp_path}"]) == 0
  assert verify.main([f"--out={tmp_path}"]) == 0


@pytest.mark.parametrize(
  "environment",
  [
    pytest.param(ASCII, id="locale"),
    pytest.param({"PYTHONIOENCODING": "ascii"}, id="encoding", marks=pytest.mark.slow),
  ],
)
def test_characters_that_a_terminal_lacks_are_replaced(environment, tmp_path):
  done = run(["-m", chaos.EXPERIMENT.module, *LAUNCH, f"--out={tmp_path}"], **environment)
  assert (done.returncode, "Traceback" in done.stderr) == (0, False)
  assert re.search(r", on [1-9]\d* CPU cores?$", done.stderr, re.MULTILINE)
  assert len(done.stdout.splitlines()) > 4


def test_a_replaced_character_is_a_question_mark(monkeypatch):
  """Also in the C locale, whose streams take what they cannot decode and refuse what they cannot encode."""
  for errors in ("strict", "surrogateescape"):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii", errors=errors)
    with monkeypatch.context() as patch:
      patch.setattr(sys, "stdout", stream)
      with terminal.command():
        print("‖∏ J‖ → 0 ± 1")
    assert stream.errors == errors
    assert stream.buffer.getvalue() == b"?? J? ? 0 ? 1\n"


@pytest.mark.parametrize(
  "words",
  [
    ["recurrent_gain", "--hidden_size=4"],
    pytest.param(["lyapunov", "--dry_run"], marks=pytest.mark.slow),
    pytest.param(["adding", "--updates=1"], marks=pytest.mark.slow),
  ],
)
def test_devices_that_are_not_there_are_one_sentence(words, tmp_path):
  done = run(["-m", "experiments", *words, f"--out={tmp_path / 'out'}"], JAX_PLATFORMS="rocm")
  if words[-1] == "--dry_run" and not done.returncode:
    return  # needs no device to say what there is to do
  assert done.returncode == 2
  assert done.stderr.startswith(f"{words[0]}: JAX_PLATFORMS: 'rocm' does not start on this machine; ")
  assert len(done.stderr.splitlines()) == 1
  assert not (tmp_path / "out").exists()


def test_every_path_knows_the_home_folder(results, tmp_path, monkeypatch, capsys):
  monkeypatch.setenv("HOME", str(results))
  monkeypatch.chdir(tmp_path)
  assert files.check_path("~/x") == f"{results}/x"
  assert plan.parse(chaos.EXPERIMENT, ["--out=~/x"]).out == results / "x" / chaos.NAME
  assert verify.main(["--out=~"]) == 0
  assert merge.main(["~", "--out=~/../merged"]) == 0
  assert (results.parent / "merged" / chaos.NAME).is_dir()
  capsys.readouterr()
  data = sweep(chaos.EXPERIMENT, map="sine", r=[1, 2], seeds=1, out=Path("~"))
  assert "0 points to compute, 2 already done" in capsys.readouterr().err
  assert data.sizes["r"] == 2
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("main", [partial(runner.main, chaos.EXPERIMENT), verify.main])
def test_a_home_of_nobody_is_refused(main, tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  assert main(["--out=~no_such_user/x"]) == 2
  assert "begins with the home folder of a user who is not known; write ./~no_such_user/x" in capsys.readouterr().err
  assert not list(tmp_path.iterdir())
