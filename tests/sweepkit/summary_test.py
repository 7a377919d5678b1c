"""Summaries say what was stored, and a command is printed only for a figure that has the axes."""

import dataclasses

import numpy as np
import pytest

from sweepkit import Experiment, Measure, commands, store, summary
from sweepkit.experiment import drawing_command
from sweepkit.grids import expand
from sweepkit.runner import main
from tests.support import chaos, nets

STUDY = Experiment(
  "study",
  "What it shows.\n\nAnd more.",
  Measure(
    run=dict,
    settings=nets.SETTINGS,
    dims={"rate": ("norm",), "score": ()},
    headline={"rate": "nats per step", "score": "of 100"},
  ),
)
AXES = {"cell": ["rnn", "lstm", "gru"], "ws": [], "seed": []}


def rate(point):
  """Crosses 0 at ws = 1.5 for the RNN, never for the GRU; seeds lie 0.1 apart."""
  return (point["ws"] - 1.5 if point["cell"] == "rnn" else -1.0) + 0.1 * (point["seed"] - 1)


def points(ws, cells=("gru", "rnn"), seeds=3, **others):
  axes = {"cell": cells, "ws": ws} | {name: (value,) for name, value in others.items()}
  return expand(axes, seeds, x64=False)


def write(folder, points, scores=50.0, status="ok"):
  """A block a cell, as a sweep writes them."""
  for cell in {point["cell"]: None for point in points}:
    some = [point for point in points if point["cell"] == cell]
    arrays = {
      "rate": np.array([[rate(point), 99.0] for point in some]),
      "score": np.full(len(some), scores),
      "status": np.full(len(some), store.STATUS.index(status), np.int8),
    }
    block = store.Block(
      some, arrays, STUDY.measure.dims, {"norm": ["spectral", "frobenius"]}, {"wall_seconds": 50}, axes=AXES
    )
    store.write_block(folder, block)


def after(folder, points, skipped=0, failed=0, experiment=STUDY):
  inventory = store.Inventory(folder, kept=("status", *STUDY.measure.headline))
  inventory.look()
  return summary.after(experiment, inventory, points, skipped, failed)


def table(folder):
  inventory = store.Inventory(folder, kept=("status", *STUDY.measure.headline))
  inventory.look()
  return summary.table(STUDY, inventory)


def test_five_lines_after_a_sweep(tmp_path):
  folder, mine = tmp_path / "study", points((0.0, 1.0, 2.0, 4.0))
  write(folder, mine)
  write(folder, points((100.0,)))  # another sweep's
  assert after(folder, mine, skipped=6).splitlines() == [
    f"{folder}:",
    "  24 points: 24 ok (6 skipped, stored before); 1 min 40 s of one process",
    "  cell rnn, gru; ws 0, 1, 2, 4; up to 3 seeds each",
    "  rate: -1.6, -1.5, -1.4 (rnn at ws 0) to 2.4, 2.5, 2.6 (rnn at ws 4), nats per step",
    "  rate from ws 0 to 4: rnn rises from -1.5 to 2.5; gru stays at -1",
    "  rate: rnn rises above 0 at ws = 1.5; gru stays below 0 from ws = 0 to 4",
    f"Load it:   {commands.load(folder)}",  # it has no figure
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
  lines = after(tmp_path / "study", mine).splitlines()
  assert [line.strip() for line in lines if " from ws " in line] == said
  assert not any(word in line for line in lines for word in ("nowhere", "everywhere", "0 at ws", "nan"))


def test_what_is_missing_failed_or_not_finite_is_counted(tmp_path):
  folder, mine = tmp_path / "study", points((0.0,), cells=("gru",), seeds=6)
  write(folder, mine[:1])
  write(folder, mine[1:3], scores=np.nan, status="nonfinite")
  said = after(folder, mine, failed=2)
  assert "  6 points: 1 ok, 2 not finite, 2 failed, 1 not computed; " in said
  assert "  score: 50 (gru), of 100" in said
  assert after(folder, points((9.0,))) == f"{folder}: nothing is stored of this sweep."


def test_a_table_of_all_that_is_stored(tmp_path):
  folder = tmp_path / "study"
  write(folder, points((0.0, 2.0)))
  write(folder, points((2.0,), cells=("rnn",), seeds=4)[3:], scores=60.0)
  lines = table(folder).splitlines()
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
  text = table(folder)
  shown = [line.split()[1] for line in text.splitlines() if line.split()[:1] == ["gru"]]
  assert len(shown) <= summary.ROWS / 2
  assert (shown[0], shown[-1]) == ("0", "100")
  assert f"({2 * len(shown)} of 202 rows, evenly chosen)" in text


def test_the_table_is_printed_without_computing_anything(tmp_path, capsys):
  assert main(chaos.EXPERIMENT, ["--r=3,3.5", "--map=sine", f"--out={tmp_path}"]) == 0
  assert "4 points: 4 ok; " in capsys.readouterr().out
  broken = dataclasses.replace(chaos.EXPERIMENT, measure=dataclasses.replace(chaos.MEASURE, run=None, check=None))
  assert main(broken, ["--summary", f"--out={tmp_path}"]) == 0
  printed = capsys.readouterr().out
  for value in store.load_results(tmp_path / chaos.NAME)["mean"].values.ravel():
    assert f"{value:.3g}" in printed
  assert main(broken, ["--summary", f"--out={tmp_path / 'none'}"]) == 2
  assert f"{tmp_path / 'none' / chaos.NAME} holds no results; run its experiment first.\n" in capsys.readouterr().err
  assert not (tmp_path / "none").exists()


DRAWN = dataclasses.replace(STUDY, defaults={"ws": "0:1:2"}, figure="figures.of_study", drawn_along=("seq_len",))


@pytest.mark.parametrize(
  ("varied", "is_drawn"),
  [
    (["cell", "ws", "seed"], True),
    (["seq_len"], True),
    (["ws", "input_scale"], False),
    (["x64"], False),
  ],
)
def test_a_command_is_printed_where_the_figure_has_the_axes(varied, is_drawn, tmp_path):
  assert drawing_command(DRAWN, tmp_path, varied) is None  # there are no results
  write(tmp_path / "study", points((0.0,)))
  assert (drawing_command(DRAWN, tmp_path, varied) is not None) == is_drawn


def test_what_is_drawn_beside_other_results_needs_those(tmp_path):
  beside = dataclasses.replace(DRAWN, module="overlay", drawn_beside="study")
  write(tmp_path / "overlay", points((0.0,)))
  assert drawing_command(beside, tmp_path, ["ws"]) is None
  write(tmp_path / "study", points((0.0,)))
  assert drawing_command(beside, tmp_path, ["ws"]) == commands.draw("figures.of_study", tmp_path)


def test_the_folder_decides_and_not_the_sweep(tmp_path):
  """A figure reads all that is stored: so it is the second sweep that the first one's figure has no axis for."""
  folder, first = tmp_path / "study", points((0.0, 1.0), input_scale=1.0)
  write(folder, first)
  assert after(folder, first, experiment=DRAWN).splitlines()[-1].startswith("Draw it:   python -m figures.of_study ")
  write(folder, points((0.0, 1.0), input_scale=2.0))
  *_, reason, command = after(folder, first, experiment=DRAWN).splitlines()
  assert reason == "Its figure has no axis for input_scale."
  assert command.startswith("Load it:   python -c ")
