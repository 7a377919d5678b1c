"""A check is asked once for all points that agree in what it reads, and finds every point that is not allowed."""

import random

import pytest

from sweepkit.grids import Grid
from sweepkit.grids.checks import check

AXES = {
  "cell": ("rnn", "lstm", "gru"),
  "size": tuple(range(1, 8)),
  "ws": tuple(i / 4 for i in range(200)),
  "bias": (0.0, 1.0),
}
GRID = Grid(AXES, 1000, False)


def test_settings_that_are_not_read_multiply_nothing():
  asked = []

  def allows(point):
    asked.append((point["cell"], point["size"]))
    assert point["seed"] == 0

  assert check(allows, GRID) == len(asked) == len(set(asked)) == 3 * 7


def test_a_setting_may_be_read_for_some_values_only():
  """As where a cell that has no forget bias may have its default alone."""
  asked = []

  def allows(point):
    asked.append((point["cell"], point["bias"] if point["cell"] == "rnn" else None))

  check(allows, GRID)
  assert sorted(asked, key=str) == sorted([("rnn", 0.0), ("rnn", 1.0), ("lstm", None), ("gru", None)], key=str)


@pytest.mark.parametrize("whole", [hash, dict, repr, lambda point: point | {"x": 1}, lambda point: point.without("ws")])
def test_what_needs_the_whole_point_reads_all_of_it(whole):
  small = Grid({"cell": ("rnn", "gru"), "ws": (1.0, 2.0)}, 9, False, [["ws"]])
  assert check(whole, small) == 4


def test_every_point_that_is_not_allowed_is_found(seed):
  chance = random.Random(seed)
  for _ in range(20):
    zipped = chance.choice([[], [["a", "b"]], [["c", "a"]]])
    grid = Grid(
      {name: tuple(chance.choices(range(3), k=3)) if zipped else (0, 1, 2) for name in "abcd"}, 2, False, zipped
    )
    wrong = {name: chance.randrange(3) for name in chance.sample("abcd", 3)}
    if not zipped:
      assert any(all(point[name] == value for name, value in wrong.items()) for point in grid)

    def allows(point, wrong=wrong):
      if all(point[name] == value for name, value in wrong.items()):  # stops to read at the first difference
        raise ValueError(str(wrong))

    if any(all(point[name] == value for name, value in wrong.items()) for point in grid):
      with pytest.raises(ValueError, match=next(iter(wrong))):
        check(allows, grid)
    else:
      check(allows, grid)


def test_few_answers_are_spread_over_the_axes():
  asked = []
  assert check(lambda point: asked.append(dict(point)), GRID, 12) is None
  assert len(asked) == 12
  assert all(len({point[name] for point in asked}) > 1 for name in AXES)
