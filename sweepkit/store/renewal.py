"""What a launch does about stored points that other code computed: it tells them, and computes them anew or keeps them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sweepkit import store
from sweepkit.points import Point, content_hash
from sweepkit.execution.progress import say
from sweepkit.words import count


class Renewal(NamedTuple):
  """What the code of a launch means for the points that are stored.

  Attributes:
    of: the code that computes a point now.
    stored: the points that were stored before, by hash.
    keeps_other: whether those that other code computed are kept.
  """

  of: Callable[[Point], str]
  stored: Mapping[str, store.Version]
  keeps_other: bool

  def counts(self, point: Point, code: str) -> bool:
    """Whether a point that this code computed is done; nothing is known of results from before the code was stored."""
    return self.keeps_other or code in (store.UNKNOWN, self.of(point))

  def is_missing(self, point: Point) -> bool:
    version = self.stored.get(content_hash(point))
    return version is None or not self.counts(point, version.code)

  def of_block(self, points: Sequence[Point]) -> dict[str, Any]:
    """The code of a block to be stored, and its revision: it takes the place of what other code computed of it."""
    before = [self.stored[point].revision for point in map(content_hash, points) if point in self.stored]
    return {"code": self.of(points[0]), "revision": max(before, default=-1) + 1}

  def block_name(self, points: Sequence[Point]) -> str:
    return store.block_name(points, self.of_block(points)["revision"])

  def tell(self, planned: Sequence[Sequence[Point]]) -> None:
    """Says how many points other code computed, and what becomes of them."""
    found: dict[tuple[str, str], int] = {}
    for point in (point for block in planned for point in block):
      version = self.stored.get(content_hash(point))
      if version is not None and version.code not in (store.UNKNOWN, self.of(point)):
        change = version.code, self.of(point)
        found[change] = found.get(change, 0) + 1
    for (before, now), points in found.items():
      what = "they are kept" if self.keeps_other else "they are computed anew; --changed_code=keep keeps them"
      say(f"The code has changed: {count(points, 'stored point')} came from {before}, and now it is {now}; {what}.")
