"""Flags become values, values points, points blocks."""

import importlib
from pathlib import Path

import pytest

from sweepkit import points as grid
from sweepkit import store

KEPT = Path(__file__).parent.parent.parent / "results" / "reference"


@pytest.mark.parametrize(
  ("name", "text", "values"),
  [
    ("ws", "0.5,1,-1.5", (0.5, 1.0, -1.5)),
    ("ws", "0:1:5", (0.0, 0.25, 0.5, 0.75, 1.0)),
    ("ws", "-2:6:3", (-2.0, 2.0, 6.0)),
    ("input_scale", "0.1:10:log:3", (0.1, 1.0, 10.0)),
    ("ws", "0.1:0.5:5", (0.1, 0.2, 0.3, 0.4, 0.5)),
    ("ws", "1:2:2,5", (1.0, 2.0, 5.0)),
    ("ws", "0.1:0.7:7", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
    ("ws", "-0.3:0.3:7", (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)),
    ("ws", "-1.1:2.2:4", (-1.1, 0.0, 1.1, 2.2)),
    ("ws", "-0.3:0.6:10", (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
    ("ws", "0.1234567890123456,0.30000000000000004", (0.1234567890123456, 0.30000000000000004)),
    ("ws", "1,1.0,1e0,0,-0.0,0.5,0.50,0:1:3", (1.0, 0.0, 0.5)),
    ("hidden_size", "4,4.0,40e-1,9007199254740993", (4, 9007199254740993)),
    ("cells", "gru,rnn,gru", ("gru", "rnn")),
    ("hidden_size", "16:64:log:3", (16, 32, 64)),
    ("cells", "rnn, gru", ("rnn", "gru")),
  ],
)
def test_lists_and_ranges(name, text, values):
  found = grid.parse_axis(name, text)
  assert found == values
  assert [repr(value) for value in found] == [repr(value) for value in values]  # 0.0 is no -0.0, and 4 no 4.0


@pytest.mark.parametrize(
  ("name", "text", "message"),
  [
    ("ws", "", "has an empty value"),
    ("ws", "1,,2", "has an empty value"),
    ("ws", "one", "'one' is not a number"),
    ("ws", "nan", "nan is not allowed; it must be a finite number"),
    ("ws", "2:1:5", "'2:1:5' is an empty or reversed range; its start must be below its stop"),
    ("ws", "1:1:5", "empty or reversed"),
    ("ws", "1:2:1", "has 1 values; a range has 2 or more"),
    ("ws", "1:2", "is not a range; a range is start:stop:count or start:stop:log:count"),
    ("ws", "1:2:lin:5", "is not a range"),
    ("ws", "1:inf:5", "has an end that is not finite"),
    ("input_scale", "0:1:log:5", "a logarithmic range starts above 0"),
    ("input_scale", "-1", "-1.0 is not allowed; it must be a finite number of 0 or more"),
    ("hidden_size", "4.00000000000000000001", "is not a whole number"),
    ("hidden_size", "1e-999999999", "is not a whole number"),
    ("hidden_size", "-4", "-4 is not allowed; it must be a whole number of 1 or more"),
    ("hidden_size", "2.5", "'2.5' is not a whole number"),
    ("hidden_size", "1:2:3", "'1.5' is not a whole number"),
    ("cells", "rnn,lstn", "'lstn' is not allowed; it must be one of rnn, "),
    ("seq_len", "3", "3 is not allowed; it must be a whole number of 4 or more"),
  ],
)
def test_bad_values_are_named(name, text, message):
  with pytest.raises(ValueError, match=message):
    grid.parse_axis(name, text)


def test_every_setting_has_a_default_that_parses():
  for name, setting in grid.SETTINGS.items():
    assert grid.parse_axis(name, setting.default)


def points(**axes):
  defaults = {name: grid.parse_axis(name, setting.default) for name, setting in grid.SETTINGS.items()}
  return grid.expand(defaults | axes, 3, False)


def test_points_are_every_combination_once():
  result = points(ws=(0.5, 1.0))
  assert len(result) == 3 * 2 * 3
  assert len({grid.content_hash(point) for point in result}) == len(result)
  assert all(set(point) == {"cell", "seed", "x64", *list(grid.SETTINGS)[1:]} for point in result)


def test_blocks_share_one_program_and_hold_every_point_once():
  all_points = points(ws=tuple(range(7)), hidden_size=(4, 8))
  blocks = grid.blocks(all_points, 8)
  assert sorted(grid.content_hash(point) for block in blocks for point in block) == sorted(
    map(grid.content_hash, all_points)
  )
  for block in blocks:
    assert len({grid.content_hash(grid.static_part(point)) for point in block}) == 1
    assert len(block) <= 8


def test_keys_come_from_content_alone():
  first, second = points(ws=(0.5, 1.0)), points(ws=(1.0, 2.0), cells=("gru", "rnn"))
  shared = [p for p in first if p in second]
  assert len(shared) == 6
  words = {grid.key_words(point) for point in first + second}
  assert len(words) == len(first) + len(second) - 6


def test_the_points_of_kept_results_keep_their_identity():
  """The hash of a point is its key and its name on disk: it was this before axes were read as decimals."""
  point = points(ws=grid.parse_axis("ws", "0.1:0.7:7"))[-1]
  assert grid.content_hash(point) == "9ad802a8d0ae0e1ab029aa05bedbab81048b01b9d072eb902b0be47328594fad"
  folders = sorted(KEPT.iterdir())
  for path in (next(iter(sorted(folder.glob("*.json")))) for folder in folders):
    kept = store.read_meta(path)["points"]
    settings = importlib.import_module(f"experiments.{path.parent.name}").EXPERIMENT.measure.settings
    assert store.block_name(kept) == path.stem
    for name in settings:
      if name != "corpus":
        value = kept[0][grid.dimension(name)]
        (again,) = grid.parse_axis(name, str(value), settings)
        assert repr(again) == repr(value), (path, name)
