"""Every command that a launch prints works when it is pasted: with the folders in use, however they are called."""

import importlib
import os
import re
import shlex
import signal
import stat
import subprocess
import sys

import pytest

from experiments import commands, generate, ngram, phase_gates, plan, runner, store
from experiments.experiment import Experiment
from experiments.measure import Measure
from experiments.sweep import sweep
from tests.experiments.devices_test import ROOT
from tests.experiments.launch_test import array, watch

PRINTED = re.compile(r"(?:Draw it|Load it|To go on): +(python .*)")
COUNTS = ["--corpus=grammar", "--vocabulary=0", "--length=8", "--order=1,2"]  # nothing is compiled
PORTRAITS = [
  "--cells=rnn",
  "--ws=1,2",
  "--forget_bias=0,1",
  "--hidden_size=2",
  "--input_size=2",
  "--seq_len=8",
  "--seeds=2",
]


@pytest.fixture
def out(tmp_path):
  """Folders have such names."""
  return tmp_path / "it's a $HOME; of results"


@pytest.fixture
def paste(tmp_path):
  """Runs a line in a shell whose `python` is this one."""
  python = tmp_path / "bin" / "python"
  python.parent.mkdir()
  python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
  python.chmod(python.stat().st_mode | stat.S_IXUSR)

  def run(line):
    environment = os.environ | {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done

  return run


def launched(capsys, experiment, *flags):
  """The exit code of a launch, and the commands that it prints."""
  code = runner.main(experiment, flags)
  said = capsys.readouterr()
  return code, PRINTED.findall(said.out + said.err)


def test_what_is_printed_after_a_sweep_draws_it(out, paste, capsys):
  code, (command,) = launched(capsys, phase_gates.EXPERIMENT, *PORTRAITS, f"--out={out}")
  assert code == 0
  assert launched(capsys, phase_gates.EXPERIMENT, "--summary", f"--out={out}") == (0, [command])
  assert str(out / "figures" / "phase_gates.pdf") in paste(command).stdout
  assert store.load_results(out / "phase_gates").sizes["ws"] == 2  # a folder of figures is in nobody's way


def test_what_is_printed_when_stopped_does_the_rest_and_what_has_no_figure_is_loaded(out, paste, capsys, monkeypatch):
  with monkeypatch.context() as patch:
    events = []
    watch(patch, store, "write_block", events, lambda: len(events) == 1 and os.kill(os.getpid(), signal.SIGINT))
    code, (go_on,) = launched(capsys, ngram.EXPERIMENT, *COUNTS, f"--out={out}")
  assert code == 130
  done = paste(go_on)
  assert "1 point to compute, 1 already done" in done.stderr
  (load,) = PRINTED.findall(done.stdout)
  assert "order" in paste(load).stdout
  assert launched(capsys, ngram.EXPERIMENT, "--summary", f"--out={out}") == (0, [load])


def test_a_study_of_ones_own_is_loaded(out, paste, capsys):
  """It has no module that could be run, nor one that draws it."""
  measure = Measure(
    lambda static, key, values: {"gain": values["ws"]}, {"gain": ()}, lambda static: {}, headline={"gain": ""}
  )
  study = Experiment("my study", "It echoes.", measure, {"cells": "rnn"}, seeds=1)
  assert sweep(study, ws=[1, 2], out=out).gain.squeeze().values.tolist() == [1, 2]
  (load,) = PRINTED.findall(capsys.readouterr().out)
  assert "gain" in paste(load).stdout


def test_what_an_error_names_fills_the_folder_that_was_asked_for(out, capsys):
  """Such a command takes long, and its words are parsed instead."""

  def fills(said, name, folder):
    command = commands.python(f"experiments.{name}", f"--out={folder}")
    assert command in said
    experiment = importlib.import_module(f"experiments.{name}").EXPERIMENT
    return plan.parse(experiment, shlex.split(command)[3:]).out == folder / name

  assert runner.main(ngram.EXPERIMENT, ["--summary", f"--out={out}"]) == 2
  assert fills(capsys.readouterr().err, "ngram", out)
  with pytest.raises(store.ResultsError) as error:
    store.load_results(out / "recurrent_gain")
  assert fills(str(error.value), "recurrent_gain", out)
  for model, folder in [("word_model", out), ("mine", out / "mine")]:
    assert generate.main([f"--model={out / model}"]) == 2
    said = capsys.readouterr().err
    assert fills(said, "word_model", folder)
    assert f"--model={folder / 'word_model'} then" in said
  for name in ("store", "mine", "a.b"):
    with pytest.raises(store.ResultsError, match=r"holds no results; run the experiment first\.$"):
      store.load_results(out / name)


def test_a_task_of_an_array_goes_on_with_its_share(monkeypatch):
  for name, value in array(ID=3, MIN=0, MAX=15, STEP=1, COUNT=16).items():
    monkeypatch.setenv(name, value)
  assert plan.parse(ngram.EXPERIMENT, COUNTS).command == commands.python("experiments.ngram", *COUNTS, "--shard=3/16")
  assert plan.parse(ngram.EXPERIMENT, [*COUNTS, "--shard=1/2"]).command.endswith(" --shard=1/2")


@pytest.mark.parametrize(
  ("flags", "kept"),
  [
    (["--out=/home/me/x", "--length=8"], "--length=8"),
    (["--out", "/home/me/x", "--length", "8", "--summary"], "--length=8"),
    (["-out=/home/me/x", "--shard=0/2", "--nox64"], "--nox64"),
    (["--flagfile=FILE"], "--x64 --order=1"),
    (["--corpus=TEXT,grammar"], "--corpus='my text.txt',grammar"),
  ],
)
def test_kept_commands_hold_no_path(flags, kept, tmp_path):
  (tmp_path / "flags").write_text(f"--order=1\n--x64\n--out={tmp_path}\n")
  (tmp_path / "my text.txt").write_text("one two. " * 60)
  words = [f.replace("FILE", str(tmp_path / "flags")).replace("TEXT", str(tmp_path / "my text.txt")) for f in flags]
  words = [*words, "--vocabulary=0", f"--out={tmp_path}"] if words[0].startswith("--c") else words
  found = shlex.split(plan.parse(ngram.EXPERIMENT, ["--corpus=grammar", "--vocabulary=0", *words]).kept_command)
  assert str(tmp_path) not in str(found)
  assert "/home" not in str(found)
  assert set(found) >= {"python", "-m", "experiments.ngram", *shlex.split(kept)}
  assert not any(word.startswith(("--out", "--shard", "--flagfile", "--summary")) for word in found)
