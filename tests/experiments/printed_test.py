"""Kept results of the studies keep their identity, and the commands that studies print can be pasted."""

import importlib
import os
from pathlib import Path
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

from analysis import figure, listing
import experiments
from experiments import generate
from sweepkit import Measure, commands, grids, plan, points, runner, store
from sweepkit import listing as kit_listing
from sweepkit.experiment import default_axes, default_size, drawing_command
from sweepkit.settings import dimension, dimensions, parse_axis
from tests.made_up import make_up
from tests.support.launches import ROOT

KEPT = ROOT / "results" / "reference"
EVERY = kit_listing.experiments(experiments)
MEASUREMENTS = [name for name, chosen in EVERY.items() if isinstance(chosen.measure, Measure)]


def tiny(name):
  return [*(f"--{setting}={text}" for setting, text in EVERY[name].tiny.items()), "--seeds=2"]


def test_values_that_a_measure_is_not_for_are_refused(tmp_path, capsys):
  assert runner.main(EVERY["zero_or_one"], ["--cells=gru", f"--out={tmp_path}"]) == 2
  assert "'gru' is not allowed here; it must be one of simplified_lstm" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["recurrent_gain", "one_unit", "adding", "temporal_order", "ngram_tasks"])
def test_the_default_size_is_that_of_the_default_grid(name):
  count = len(plan.parse(EVERY[name], []).points)
  assert default_size(EVERY[name]).startswith(f"{count:,} points".replace(",", " "))


def test_the_points_of_kept_results_keep_their_identity():
  """The hash of a point is its key and its name on disk: it was this before axes were read as decimals."""
  settings = EVERY["recurrent_gain"].measure.settings
  axes = {dimension(name, settings): parse_axis(name, one.default, settings) for name, one in settings.items()}
  point = grids.expand(axes | {"ws": parse_axis("ws", "0.1:0.7:7", settings)}, 3, False)[-1]
  assert points.content_hash(point) == "9ad802a8d0ae0e1ab029aa05bedbab81048b01b9d072eb902b0be47328594fad"
  for folder in sorted(KEPT.iterdir()):
    path, settings = min(folder.glob("*.json")), EVERY[folder.name].measure.settings
    kept = store.read_meta(path)["points"]
    assert store.block_name(kept) == path.stem
    assert {*kept[0]} == {*dimensions(settings), "seed", "x64"}
    for name in settings:
      if name != "corpus":
        value = kept[0][dimension(name, settings)]
        (again,) = parse_axis(name, str(value), settings)
        assert repr(again) == repr(value), (path, name)


@pytest.mark.parametrize("name", ["forget_bias", "adding", "ngram"])
def test_kept_results_say_what_they_are(name):
  data = store.load_results(KEPT / name)
  for variable in data.variables.values():
    assert variable.attrs.get("long_name")
    if variable.dtype.kind in "if":
      assert variable.attrs.get("units") or "flag_meanings" in variable.attrs
  assert data.status.attrs["flag_meanings"].split() == list(store.STATUS)
  assert data.status.attrs["flag_values"].tolist() == list(range(len(store.STATUS)))
  assert set(np.unique(data.code)) <= {"", store.UNKNOWN}
  assert data.attrs["present"] == data.attrs["planned"]


def make_point(folder):
  """A block of one point, so that the folder holds results."""
  point = points.Point(cell="rnn", seed=0)
  store.write_block(folder, store.Block([point], {"status": np.ones(1, np.int8)}, {}, {}, {}))


def test_every_command_that_draws_exists_and_reads_the_experiment(tmp_path):
  for name, chosen in EVERY.items():
    make_point(tmp_path / (chosen.drawn_beside or name))
    first = dimension(next(iter(chosen.measure.settings)), chosen.measure.settings)
    command = drawing_command(chosen, tmp_path, [first, "seed"])
    if chosen.figure is None:
      assert command is None
      continue
    words = shlex.split(command)
    assert words == ["python", "-m", chosen.figure, f"--results={tmp_path}", f"--out={tmp_path / 'figures'}"]
    drawing = importlib.import_module(chosen.figure)
    assert name in drawing.FIGURE.inputs, name
    assert callable(drawing.main)


@pytest.mark.parametrize(
  ("name", "varied", "is_drawn"),
  [
    ("recurrent_gain", ["cell", "ws", "seed"], True),
    ("recurrent_gain", ["ws", "input_scale"], False),
    ("recurrent_gain", ["x64"], False),
    ("adding", ["cell", "layers"], True),
    ("adding", ["length"], False),
    ("temporal_order", ["length", "clip", "omega"], True),
    ("identities", ["ws"], False),
  ],
)
def test_a_command_is_printed_where_the_figure_has_the_axes(name, varied, is_drawn, tmp_path):
  make_point(tmp_path / name)
  assert (drawing_command(EVERY[name], tmp_path, varied) is not None) == is_drawn
  # A figure that is drawn beside the results of another experiment needs those.
  assert drawing_command(EVERY["mean_field"], tmp_path, ["ws"]) is None or name == "recurrent_gain"


PRINTED = re.compile(r"(?:Draw it|Load it): +(python .*)")
TINY = {"hidden_size": "4", "input_size": "2", "seq_len": "20", "updates": "100", "floss_k": "4", "seeds": "2"}
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
  for name, chosen in EVERY.items():
    own = {**TINY, **{setting: value for setting, value in chosen.tiny.items() if setting in TINY}}
    small = {setting: value for setting, value in own.items() if setting in ("seeds", *chosen.measure.settings)}
    varied = {setting: values for setting, values in default_axes(chosen).items() if len(values) > 1}
    ends = {setting: f"{values[0]},{values[-1]}" for setting, values in varied.items()}
    yield pytest.param(name, small | {setting: f"{values[-1]}" for setting, values in varied.items()}, id=name)
    for i, (_, flags) in enumerate(other for other in OTHERS if other[0] == name):
      yield pytest.param(name, small | flags, id=f"{name}-{i}")
    yield pytest.param(name, small | ends, id=f"{name}-varied", marks=pytest.mark.slow)


@pytest.mark.parametrize(("name", "flags"), list(launches()))
def test_what_every_experiment_prints_draws_it_or_loads_it(name, flags, tmp_path, capsys):
  """The words of the command name a module, a folder and flags that draw what is stored; nothing is saved here."""
  out = tmp_path / "it's a $HOME; of results"
  make_up(name, [f"--{flag}={value}" for flag, value in flags.items()], out)
  assert runner.main(EVERY[name], ["--summary", f"--out={out}"]) == 0
  (command,) = PRINTED.findall(capsys.readouterr().out)
  words = shlex.split(command)
  if words[1] == "-c":
    assert EVERY[name].drawn_beside or EVERY[name].figure is None
    exec(words[2], {})
    return
  plot, results = importlib.import_module(words[2]).FIGURE, words[3].removeprefix("--results=")
  assert words[4] == f"--out={results}/figures"
  drawn = list(figure.parts(plot, figure.load(plot, Path(results))))
  assert drawn
  for part, data, said in drawn:
    assert "nan" not in part.finding(part.numbers(data)).lower().replace("nats", "")
    assert figure.render(part, data, lambda drawn, name, source: drawn.axes, said)


def test_the_command_that_draws_works_when_it_is_pasted(tmp_path, monkeypatch, capsys):
  """Folders have such names, also below the home folder, which a shell would not expand where it is quoted."""
  monkeypatch.setenv("HOME", str(tmp_path))
  out = tmp_path / "it's a $HOME; of results"
  make_up("one_unit", ["--ws=1,2", "--bias=0,1", "--seq_len=8", "--seeds=2"], out)
  assert runner.main(EVERY["one_unit"], ["--summary", f"--out=~/{out.name}"]) == 0
  (command,) = PRINTED.findall(capsys.readouterr().out)
  python = tmp_path / "bin" / "python"
  python.parent.mkdir()
  python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
  python.chmod(0o700)
  environment = os.environ | {"PATH": f"{python.parent}:{os.environ['PATH']}"}
  done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, env=environment)
  assert str(out / "figures" / "one_unit.pdf") in done.stdout, done.stderr
  assert store.load_results(out / "one_unit").sizes["ws"] == 2  # the folder of figures is not read as results


def test_an_overlay_that_does_not_fit_is_left_out_and_its_command_makes_one_that_does(tmp_path, capsys):
  """A model is not compared with counts of another text or of another task."""
  for name, flags, overlay, others, fits in [
    ("word_model", ["--corpus=grammar", "--vocabulary=0", "--length=8"], "ngram", ["--length=9"], []),
    ("next_item", [], "ngram_tasks", ["--task=long_range_recall", "--length=5"], ["--length=5,8"]),
  ]:
    corpus = flags[:2] if overlay == "ngram" else []
    make_up(name, [*flags, "--hidden_size=4", "--updates=100", "--cells=rnn", "--seeds=1"], tmp_path)
    make_up(overlay, [*corpus, *others, "--seeds=1"], tmp_path)
    plot = importlib.import_module(listing.module_of(name)).FIGURE
    ((part, data, (said,)),) = figure.parts(plot, figure.load(plot, tmp_path))
    assert list(data) == list(part.inputs) == [name]
    assert figure.notes(part, data) == []
    words = shlex.split(re.search(rf"drawn without {overlay}, since .* lacks .* \((python .*)\)$", said)[1])
    assert words[:3] == ["python", "-m", f"experiments.{overlay}"]
    make_up(overlay, [*(word for word in words[3:] if not word.startswith("--out")), *fits, "--seeds=1"], tmp_path)
    assert f"--out={tmp_path}" in words
    ((part, data, said),) = figure.parts(plot, figure.load(plot, tmp_path))
    assert (list(data), said) == ([name, overlay], [])
  capsys.readouterr()


def test_what_an_error_of_the_writer_names_fills_the_folder_that_was_asked_for(tmp_path, capsys):
  """The command takes long, so its words are parsed instead."""
  for model, folder in [("word_model", tmp_path), ("mine", tmp_path / "mine")]:
    assert generate.main([f"--model={tmp_path / model}"]) == 2
    said = capsys.readouterr().err
    command = commands.python("experiments.word_model", f"--out={folder}")
    assert command in said
    assert plan.parse(EVERY["word_model"], shlex.split(command)[3:]).out == folder / "word_model"
    (model,) = re.findall(r"which is (.*) then", said)
    assert shlex.split(model) == [f"--model={folder / 'word_model'}"]
