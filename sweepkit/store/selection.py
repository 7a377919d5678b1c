"""Selects the stored points that count, the points that were planned, and the points that are asked for."""

from collections.abc import Iterable, Mapping, Sequence
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepkit.grids import expand
from sweepkit.points import Point, content_hash
from sweepkit.settings import Value
from sweepkit.store.attributes import defaults, older_axes
from sweepkit.store.files import ResultsError
from sweepkit.store.layout import axis_values

if TYPE_CHECKING:
  from sweepkit.store import Block


def completed(points: Sequence[Point], defaults: Mapping[str, str]) -> Sequence[Point]:
  """The points with every setting that any of them has. Those that lack a setting get its default.

  Args:
    points: those of a folder.
    defaults: setting -> its default as a text, of settings that only some points have.
  """
  names = dict.fromkeys(name for point in points for name in point)
  if all(len(point) == len(names) for point in points):
    return points
  some = {name: next(point[name] for point in points if name in point) for name in names}
  fill = {name: _like(value, defaults.get(name, "")) for name, value in some.items()}
  return [Point({name: point.get(name, fill[name]) for name in names}) for point in points]


def completed_blocks(blocks: Sequence["Block"]) -> Sequence["Block"]:
  """The blocks, their points with every setting that any point of any block has."""
  stored = [point for block in blocks for point in block.points]
  every = completed(stored, defaults(block.attributes for block in blocks))
  if every is stored:
    return blocks
  points = iter(every)
  return [block._replace(points=list(itertools.islice(points, len(block.points)))) for block in blocks]


def _like(value: Value, text: str) -> Value:
  """The value of the same type that a text names; the value itself without a text."""
  return value if not text else type(value)(text)


def rows_in_force(blocks: Sequence["Block"]) -> list[list[int]]:
  """For each block the indices of the points that count.

  Of several measurements of a point that is the one of the highest revision, and of equal ones the last. A point that lacks a
  setting does not count beside one that has it at its default.
  """
  best: dict[str, tuple[int, int, int]] = {}
  hashes = [[point.content_hash for point in block.points] for block in completed_blocks(blocks)]
  for number, block in enumerate(blocks):
    for point, stored in zip(hashes[number], block.points, strict=True):
      best[point] = max(best.get(point, (-1, -1, -1)), (len(stored), block.revision, number))
  return [[i for i, point in enumerate(of) if best[point][2] == number] for number, of in enumerate(hashes)]


def has(point: Point, settings: Mapping[str, Any]) -> bool:
  return all(point[name] in values for name, values in settings.items())


def settings_of(folder: Path, blocks: Sequence["Block"], settings: Mapping[str, Any]) -> dict[str, list[Any]]:
  """The settings asked for, each as a list of plain values.

  Raises:
    ResultsError: for one that the points do not have, or a value that none of them has.
  """
  stored = axis_values([point for block in blocks for point in block.points], blocks[0].axes or older_axes())
  wanted = {}
  for name, value in settings.items():
    if name not in stored:
      raise ResultsError(f"{folder} has no setting {name!r}; it has {', '.join(stored)}.")
    wanted[name] = [value] if isinstance(value, str) else np.ravel(np.asarray(value)).tolist()
    if unknown := [one for one in wanted[name] if one not in stored[name]]:
      raise ResultsError(f"{folder} has no {name} {unknown[0]!r}; it has {', '.join(map(repr, stored[name]))}.")
  return wanted


def count_planned(blocks: Sequence["Block"], wanted: Mapping[str, Any]) -> int:
  """The number of points with these settings that the launches which made the blocks were asked for."""
  planned = completed(planned_points(blocks), defaults(block.attributes for block in blocks))
  return sum(has(point, wanted) for point in dict.fromkeys(planned))


def planned_points(blocks: Iterable["Block"]) -> list[Point]:
  """All points that the launches which made these blocks were asked for, and all that are stored."""
  points: dict[Point, None] = {}
  seen = set()
  for block in blocks:
    plan = block.provenance.get("planned")
    if plan and (hashed := content_hash(plan)) not in seen:
      seen.add(hashed)
      # Older plans name their axes by flag. The axes of a plan and the settings of its points have one order.
      # Settings that only some points have come after those of the plan.
      names = [name for name in block.points[0] if name not in ("seed", "x64")]
      axes = dict(zip(names, plan["axes"].values(), strict=False))
      seeds = plan.get("chosen_seeds", plan["seeds"])
      planned = expand(axes, seeds, plan["x64"], plan.get("zip", ()), plan.get("brought", {}))
      points |= dict.fromkeys(planned)
    points |= dict.fromkeys(block.points)
  return list(points)
