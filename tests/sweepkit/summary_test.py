"""What results say in short is what was stored, and the commands that are printed exist."""

import importlib
import shlex

from experiments.portrait.net import Measure
import numpy as np
import pytest

from sweepkit import commands, store, summary
from sweepkit import listing as catalogue
from sweepkit import points as grid
from sweepkit.experiment import Experiment, drawing_command
from sweepkit.runner import main
from tests.support.launches import SMALL, experiment

STUDY = Experiment(
  "study",
  "What it shows.\n\nAnd more.",
  Measure(
    run=dict,
    dims={"rate": ("norm",), "score": ()},
    coords=lambda point: {},
    headline={"rate": "nats per step", "score": "of 100"},
  ),
  {},
)


def rate(point):
  """Crosses 0 at ws = 1.5 for the RNN, never for the GRU; seeds lie 0.1 apart."""
  return (point["ws"] - 1.5 if point["cell"] == "rnn" else -1.0) + 0.1 * (point["seed"] - 1)


def points(ws, cells=("gru", "rnn"), seeds=3, **others):
  axes = {"cells": cells, "ws": ws} | {name: (value,) for name, value in others.items()}
  return grid.expand(axes, seeds, x64=False)


def write(folder, points, scores=50.0, status="ok"):
  """A block a cell, as a sweep writes them."""
  for cell in {point["cell"]: None for point in points}:
    some = [point for point in points if point["cell"] == cell]
    arrays = {
      "rate": np.array([[rate(point), 99.0] for point in some]),
      "score": np.full(len(some), scores),
      "status": np.full(len(some), store.STATUS.index(status), np.int8),
    }
    block = store.Block(some, arrays, STUDY.measure.dims, {"norm": ["spectral", "frobenius"]}, {"wall_seconds": 50})
    store.write_block(folder, block)


def test_five_lines_after_a_sweep(tmp_path):
  folder, mine = tmp_path / "study", points((0.0, 1.0, 2.0, 4.0))
  write(folder, mine)
  write(folder, points((100.0,)))  # another sweep's
  assert summary.after(STUDY, folder, mine, skipped=6, failed=0).splitlines() == [
    f"{folder}:",
    "  24 points: 24 ok (6 skipped, stored before); 1 min 40 s of one process",
    "  cell rnn, gru; ws 0, 1, 2, 4; up to 3 seeds each",
    "  rate: -1.6, -1.5, -1.4 (rnn at ws 0) to 2.4, 2.5, 2.6 (rnn at ws 4), nats per step",
    "  rate from ws 0 to 4: rnn rises from -1.5 to 2.5; gru stays at -1",
    "  rate: rnn rises above 0 at ws = 1.5; gru stays below 0 from ws = 0 to 4",
    f"Load it:   {commands.load(folder)}",  # no module is called so
  ]


@pytest.mark.parametrize(
  ("ws", "said"),
  [
    ((2.0, 3.0, 4.0), ["rate from ws 2 to 4: rnn rises from 0.5 to 2.5"]),  # always above 0
    ((0.0, 0.5, 1.0), ["rate from ws 0 to 1: rnn rises from -1.5 to -0.5"]),  # always below
    ((1.0, 1.5), ["rate from ws 1 to 1.5: rnn rises from -0.5 to 0"]),  # touching
    ((1.0,), []),  # one value
  ],
)
def test_a_sweep_that_does_not_cross_0_is_not_said_to(ws, said, tmp_path):
  mine = points(ws, cells=("rnn",))
  write(tmp_path / "study", mine)
  lines = summary.after(STUDY, tmp_path / "study", mine, 0, 0).splitlines()
  assert [line.strip() for line in lines if " from ws " in line] == said
  assert not any(word in line for line in lines for word in ("nowhere", "everywhere", "0 at ws", "nan"))


def test_what_is_missing_failed_or_not_finite_is_counted(tmp_path):
  folder, mine = tmp_path / "study", points((0.0,), cells=("gru",), seeds=6)
  write(folder, mine[:1])
  write(folder, mine[1:3], scores=np.nan, status="nonfinite")
  said = summary.after(STUDY, folder, mine, skipped=0, failed=2)
  assert "  6 points: 1 ok, 2 not finite, 2 failed, 1 not computed; " in said
  assert "  score: 50 (gru), of 100" in said
  assert summary.after(STUDY, folder, points((9.0,)), 0, 0) == f"{folder}: nothing is stored of this sweep."


def test_a_table_of_all_that_is_stored(tmp_path):
  folder = tmp_path / "study"
  write(folder, points((0.0, 2.0)))
  write(folder, points((2.0,), cells=("rnn",), seeds=4)[3:], scores=60.0)
  lines = summary.table(STUDY, folder).splitlines()
  assert lines[0] == f"{folder}: 13 points: 13 ok; 2 min 30 s of one process."
  rows = [line.split("  ") for line in lines[3:8]]
  assert [[text.strip() for text in row if text.strip()] for row in rows] == [
    ["cell", "ws", "rate", "score", "seeds"],
    ["rnn", "0", "-1.6, -1.5, -1.4", "50, 50, 50", "3"],
    ["rnn", "2", "0.4, 0.5, 0.6, 0.7", "50, 50, 50, 60", "4"],
    ["gru", "0", "-1.1, -1, -0.9", "50, 50, 50", "3"],
    ["gru", "2", "-1.1, -1, -0.9", "50, 50, 50", "3"],
  ]
  assert lines[-1].startswith("Load it:")


def test_a_long_table_is_thinned_along_its_longest_axis(tmp_path):
  folder, ws = tmp_path / "study", tuple(float(i) for i in range(101))
  write(folder, points(ws, seeds=1))
  text = summary.table(STUDY, folder)
  shown = [line.split()[1] for line in text.splitlines() if line.split()[:1] == ["gru"]]
  assert len(shown) <= summary.ROWS / 2
  assert (shown[0], shown[-1]) == ("0", "100")
  assert f"({2 * len(shown)} of 202 rows, evenly chosen)" in text


def test_the_table_is_printed_without_computing_anything(tmp_path, capsys, monkeypatch):
  chosen = experiment("activation_choice")
  assert main(chosen, [*SMALL, "--ws=0.5,1", "--cells=rnn", f"--out={tmp_path}"]) == 0
  said = capsys.readouterr().out
  assert "4 points: 4 ok; " in said
  assert f"python -m analysis.paper.activation_choice --results={tmp_path} --out={tmp_path}/figures" in said
  broken = chosen._replace(measure=chosen.measure._replace(run=None, check=None))
  assert main(broken, ["--summary", f"--out={tmp_path}"]) == 0
  table = capsys.readouterr().out
  values = store.load_results(tmp_path / "activation_choice").largest_exponent.squeeze().values
  for value in values.ravel():
    assert f"{value:.3g}" in table
  assert main(chosen, ["--summary", f"--out={tmp_path / 'none'}"]) == 2
  hint = commands.python("experiments.activation_choice", f"--out={tmp_path / 'none'}")
  assert f"holds no results; run the experiment first ({hint})." in capsys.readouterr().err
  assert not (tmp_path / "none").exists()


@pytest.fixture(scope="module")
def every():
  return catalogue.experiments()


def test_every_experiment_has_a_headline_that_it_measures(every):
  for name, chosen in every.items():
    assert chosen.measure.headline, name
    assert set(chosen.measure.headline) <= set(chosen.measure.dims), name


def test_every_command_that_draws_exists_and_reads_the_experiment(every, tmp_path):
  for name, chosen in every.items():
    write(tmp_path / (chosen.drawn_beside or name), points((0.0,)))
    command = drawing_command(chosen, tmp_path, ["cell", "seed"])
    if not chosen.drawn_by:
      assert command is None
      continue
    words = shlex.split(command)
    assert words == ["python", "-m", chosen.drawn_by, f"--results={tmp_path}", f"--out={tmp_path / 'figures'}"]
    drawing = importlib.import_module(chosen.drawn_by)
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
def test_a_command_is_printed_where_the_figure_has_the_axes(every, name, varied, is_drawn, tmp_path):
  write(tmp_path / name, points((0.0,)))
  assert (drawing_command(every[name], tmp_path, varied) is not None) == is_drawn
  # What is drawn beside the results of another experiment needs those.
  assert drawing_command(every["mean_field"], tmp_path, ["ws"]) is None or name == "recurrent_gain"


def test_the_folder_decides_and_not_the_sweep(every, tmp_path):
  """A figure reads all that is stored: so it is the second sweep that the first one's figure has no axis for."""
  chosen = every["activation_choice"]
  chosen = chosen._replace(measure=chosen.measure._replace(headline=STUDY.measure.headline))
  folder, first = tmp_path / "activation_choice", points((0.0, 1.0))
  write(folder, first)
  assert summary.after(chosen, folder, first, 0, 0).splitlines()[-1].startswith("Draw it:   python -m analysis.")
  for scale in (2.0, 3.0):
    write(folder, points((0.0, 1.0), input_scale=scale))
  *_, reason, command = summary.after(chosen, folder, first, 0, 0).splitlines()
  assert reason == "Its figure has no axis for input_scale."
  assert command.startswith("Load it:   python -c ")
