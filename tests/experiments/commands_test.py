"""Every command that a launch prints works when it is pasted: with the folders in use, however they are called."""

import importlib
import os
from pathlib import Path
import re
import shlex
import signal
import stat
import subprocess
import sys

import pytest

from analysis import figure, listing
from experiments import catalogue, commands, generate, ngram, one_unit, plan, runner, store, summary
from experiments.experiment import Experiment, default_axes
from experiments.measure import Measure
from experiments.sweep import sweep
from tests.experiments.devices_test import ROOT
from tests.experiments.launch_test import array, watch
from tests.made_up import TINY, make_up

PRINTED = re.compile(r"(?:Draw it|Load it|To go on): +(python .*)")
COUNTS = ["--corpus=grammar", "--vocabulary=0", "--length=8", "--order=1,2"]  # nothing is compiled
UNIT = ["--ws=1,2", "--bias=0,1", "--seq_len=8", "--seeds=2"]


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


@pytest.mark.parametrize("home", [pytest.param(False, marks=pytest.mark.slow), True])
def test_what_is_printed_after_a_sweep_draws_it(home, out, paste, capsys, monkeypatch):
  """From the home folder too, which the command may name as the shell would not expand it."""
  if home:
    monkeypatch.setenv("HOME", str(out.parent))
  make_up("one_unit", UNIT, out)
  folder = f"~/{out.name}" if home else out
  code, (command,) = launched(capsys, one_unit.EXPERIMENT, "--summary", f"--out={folder}")
  assert code == 0
  points = plan.parse(one_unit.EXPERIMENT, [*UNIT, f"--out={folder}"]).points
  assert summary.after(one_unit.EXPERIMENT, out / "one_unit", points, 0, 0).endswith(f"Draw it:   {command}")
  assert str(out / "figures" / "one_unit.pdf") in paste(command).stdout
  assert store.load_results(out / "one_unit").sizes["ws"] == 2  # a folder of figures is in nobody's way


OTHERS = [  # launches beside those of the defaults that a figure has to bear
  ("tanh_saturation", {"input_scale": "0", "bias_scale": "0.1,1"}),
  ("zero_or_one", {"cells": "simplified_lstm,simplified_lstm_linear"}),
  ("phase_input", {"input_scale": "0", "cells": "lstm,gru"}),
  ("temporal_order", {"learning_rate": "0.1,0.2"}),
  ("solvable_lag", {"forget_bias": "chrono"}),
  ("solvable_lag", {"forget_bias": "0,1,chrono"}),
  ("recurrent_gain", {"ws": "-1,0"}),
  ("word_model", {"corpus": "grammar", "vocabulary": "0", "learning_rate": "0.1,0.2"}),
]


def launches():
  """Small launches of every experiment: with one value of what varies by default, others, and with two values, slowly."""
  for name, chosen in catalogue.experiments().items():
    tiny = {setting: value for setting, value in TINY.items() if setting in ("seeds", *chosen.measure.settings)}
    varied = {setting: values for setting, values in default_axes(chosen).items() if len(values) > 1}
    ends = {setting: f"{values[0]},{values[-1]}" for setting, values in varied.items()}
    yield pytest.param(name, tiny | {setting: f"{values[-1]}" for setting, values in varied.items()}, id=name)
    for i, (_, flags) in enumerate(other for other in OTHERS if other[0] == name):
      yield pytest.param(name, tiny | flags, id=f"{name}-{i}")
    yield pytest.param(name, tiny | ends, id=f"{name}-varied", marks=pytest.mark.slow)


@pytest.mark.parametrize(("name", "flags"), list(launches()))
def test_what_every_experiment_prints_draws_it_or_loads_it(name, flags, out, capsys):
  """Its words are those of a module, a folder and flags that draw what is stored; nothing is saved here."""
  make_up(name, [f"--{flag}={value}" for flag, value in flags.items()], out)
  code, (command,) = launched(capsys, catalogue.experiments()[name], "--summary", f"--out={out}")
  assert code == 0
  words = shlex.split(command)
  if words[1] == "-c":
    chosen = catalogue.experiments()[name]
    assert chosen.drawn_beside or not chosen.drawn_by
    exec(words[2], {})
    return
  plot, results = importlib.import_module(words[2]).FIGURE, words[3].removeprefix("--results=")
  assert words[4] == f"--out={results}/figures"
  drawn = list(figure.parts(plot, figure.load(plot, Path(results))))
  assert drawn
  for part, data, said in drawn:
    assert "nan" not in part.finding(part.numbers(data)).lower().replace("nats", "")
    assert figure.render(part, data, lambda drawn, name, source: drawn.axes, said)


def test_an_overlay_that_does_not_fit_is_left_out_and_its_command_makes_one_that_does(out, capsys):
  """Counts of another text, and counts of another task."""
  for name, flags, overlay, others, fits in [
    ("word_model", ["--corpus=grammar", "--vocabulary=0", "--length=8"], "ngram", ["--length=9"], []),
    ("next_item", [], "ngram_tasks", ["--task=long_range_recall", "--length=5"], ["--length=5,8"]),
  ]:
    corpus = flags[:2] if overlay == "ngram" else []
    make_up(name, [*flags, "--hidden_size=4", "--updates=100", "--cells=rnn", "--seeds=1"], out)
    make_up(overlay, [*corpus, *others, "--seeds=1"], out)
    plot = importlib.import_module(listing.module_of(name)).FIGURE
    ((part, data, (said,)),) = figure.parts(plot, figure.load(plot, out))
    assert list(data) == list(part.inputs) == [name]
    assert figure.notes(part, data) == []
    command = re.search(rf"drawn without {overlay}, since .* lacks .* \((python .*)\)$", said)[1]
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", f"experiments.{overlay}"]
    make_up(overlay, [*(word for word in words[3:] if not word.startswith("--out")), *fits, "--seeds=1"], out)
    assert f"--out={out}" in words
    ((part, data, said),) = figure.parts(plot, figure.load(plot, out))
    assert (list(data), said) == ([name, overlay], [])
  capsys.readouterr()


def test_what_is_printed_when_stopped_does_the_rest_and_what_has_no_figure_is_loaded(out, paste, capsys, monkeypatch):
  with monkeypatch.context() as patch:
    events = []
    watch(patch, store, "write_block", events, lambda: len(events) == 1 and os.kill(os.getpid(), signal.SIGINT))
    code, (go_on,) = launched(capsys, ngram.EXPERIMENT, *COUNTS, f"--out={out}")
  assert code == 130
  done = paste(go_on)
  assert "1 point to compute, 1 already done" in done.stderr
  (load,) = PRINTED.findall(done.stdout)
  exec(shlex.split(load)[2], {})  # as the shell would take it apart
  assert "order" in capsys.readouterr().out
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
    (model,) = re.findall(r"which is (.*) then", said)
    assert shlex.split(model) == [f"--model={folder / 'word_model'}"]
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
