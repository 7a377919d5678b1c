"""Checks whether the settings of a grid go together, once for each combination of the settings that a check looks at.

A check is a function of one point. While it runs, the settings that it reads are noted. All points that agree in these have the
same answer, so that seeds, and gains that a cell has, multiply the points and not the checks.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from sweepkit.grids.product import Box, Grid, Group
from sweepkit.points import Point
from sweepkit.settings import Value


class _Watched(Point):
  """A point that notes which of its settings are read, in this order. What needs the whole point reads all of them."""

  __slots__ = ("_whole", "seen")

  def __init__(self, point: Point) -> None:
    self._whole = dict(point)
    self._hash = None
    self.seen: dict[str, None] = {}

  @property
  def _values(self) -> dict[str, Value]:  # type: ignore[override]  # every method of a point but these reads all settings
    self.seen |= dict.fromkeys(self._whole)
    return self._whole

  def __getitem__(self, name: str) -> Value:
    value = self._whole[name]
    self.seen[name] = None
    return value

  def __contains__(self, name: object) -> bool:
    return name in self._whole

  def __iter__(self) -> Iterator[str]:
    return iter(self._whole)

  def __len__(self) -> int:
    return len(self._whole)


def check(allows: Callable[[Point], Any], grid: Grid, most: int | None = None) -> int | None:
  """Runs a check on a grid, which its answers cover. The seed is 0 for all of them.

  Args:
    allows: the check, which raises a `ValueError` for a point whose settings do not go together.
    grid: the points.
    most: the largest number of answers, spread over the axes; all that are needed by default.

  Returns:
    The number of answers that covered the grid; None if `most` were not enough.

  Raises:
    ValueError: as the check does.
  """
  todo: deque[Iterator[Box]] = deque([iter(grid.boxes)])
  done = 0
  while todo:
    box = next(todo[-1], None)
    if box is None:
      todo.pop()
      continue
    if done == most:
      return None
    first = box._replace(groups=tuple(Group(group.names, group.values[:1]) for group in box.groups))
    point = _Watched(next(first.points([0])))
    allows(point)
    done += 1
    others = _others(box, point.seen)
    if most is None:
      todo.extend(others)  # depth first: few boxes are open at once
    else:
      todo.rotate()  # in turns, so that few answers vary every axis
      todo.extendleft(others)
  return done


def _others(box: Box, read: dict[str, None]) -> Iterator[Iterator[Box]]:
  """Yields boxes that hold what an answer for the first point of a box leaves open, given the settings that it has read.

  A check reads the same setting first at all points, the same second setting at all points that agree in the first, and so on.
  """
  groups = list(box.groups)
  for name in read:
    i = next((i for i, group in enumerate(groups) if name in group.names), None)
    if i is None or len(groups[i].values) == 1:
      continue
    same, *others = groups[i].by([name]).values()
    yield _with(box, groups, i, others)
    groups[i] = Group(groups[i].names, same)


def _with(box: Box, groups: list[Group], i: int, others: list[list[tuple[Value, ...]]]) -> Iterator[Box]:
  """Yields boxes with other values of one group."""
  before, names, after = tuple(groups[:i]), groups[i].names, tuple(groups[i + 1 :])
  return (box._replace(groups=(*before, Group(names, values), *after)) for values in others)
