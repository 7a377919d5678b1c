"""Flags become values, values points, points blocks."""

import pytest

from experiments import grid


@pytest.mark.parametrize(
  ("name", "text", "values"),
  [
    ("ws", "0.5,1,-1.5", (0.5, 1.0, -1.5)),
    ("ws", "0:1:5", (0.0, 0.25, 0.5, 0.75, 1.0)),
    ("ws", "-2:6:3", (-2.0, 2.0, 6.0)),
    ("input_scale", "0.1:10:log:3", (0.1, 1.0, 10.0)),
    ("ws", "0.1:0.5:5", (0.1, 0.2, 0.3, 0.4, 0.5)),
    ("ws", "1:2:2,5", (1.0, 2.0, 5.0)),
    ("hidden_size", "16:64:log:3", (16, 32, 64)),
    ("cells", "rnn, gru", ("rnn", "gru")),
  ],
)
def test_lists_and_ranges(name, text, values):
  assert grid.parse_axis(name, text) == values


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
    ("ws", "1,1.0", "1.0 appears twice"),
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
