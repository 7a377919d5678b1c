"""Stored points that other code computed: a launch reports them, and computes them again or keeps them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sweepkit.execution.progress import say
from sweepkit.points import Point
from sweepkit.store.blocks import UNKNOWN, block_name
from sweepkit.store.inventory import Entry
from sweepkit.words import count


class Renewal(NamedTuple):
  """The code of a launch beside the code of what is stored.

  Attributes:
    of: the code that computes a point now.
    stored: the points that were stored before, with the blocks that hold them.
    keeps_other: whether points that other code computed are kept.
  """

  of: Callable[[Point], str]
  stored: Mapping[Point, Entry]
  keeps_other: bool

  def counts(self, point: Point, code: str) -> bool:
    """Returns True if a point that this code computed is done. Results from before the code was stored are done too."""
    return self.keeps_other or code in (UNKNOWN, self.of(point))

  def is_missing(self, point: Point) -> bool:
    """Returns True for a point that is still to be computed."""
    entry = self.stored.get(point)
    return entry is None or not self.counts(point, entry.code)

  def of_block(self, points: Sequence[Point]) -> dict[str, Any]:
    """The code of a block to be stored, and its revision: it replaces what other code computed of the block."""
    before = [self.stored[point].revision for point in points if point in self.stored]
    return {"code": self.of(points[0]), "revision": max(before, default=-1) + 1}

  def block_name(self, points: Sequence[Point]) -> str:
    """The name under which a block is stored."""
    return block_name(points, self.of_block(points)["revision"])

  def report(self, planned: Sequence[Sequence[Point]]) -> None:
    """Prints how many points other code computed, and whether they are computed again."""
    found: dict[tuple[str, str], int] = {}
    for point in (point for block in planned for point in block):
      entry = self.stored.get(point)
      if entry is not None and entry.code not in (UNKNOWN, self.of(point)):
        change = entry.code, self.of(point)
        found[change] = found.get(change, 0) + 1
    for (before, now), points in found.items():
      what = "they are kept" if self.keeps_other else "they are computed again; --changed_code=keep keeps them"
      say(f"The code has changed: {count(points, 'stored point')} came from {before}, and now it is {now}; {what}.")
