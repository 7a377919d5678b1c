"""Selects the stored points that count, the points that were planned, and the points that are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepkit.points import Point, content_hash, expand
from sweepkit.store.attributes import older_axes
from sweepkit.store.files import ResultsError
from sweepkit.store.layout import axis_values

if TYPE_CHECKING:
  from sweepkit.store import Block


def rows_in_force(blocks: Sequence["Block"]) -> list[list[int]]:
  """For each block the indices of the points that count: of several measurements of a point the one of the highest revision,
  and of equal ones the last.
  """
  best: dict[str, tuple[int, int]] = {}
  hashes = [[point.content_hash for point in block.points] for block in blocks]
  for number, block in enumerate(blocks):
    for point in hashes[number]:
      best[point] = max(best.get(point, (-1, -1)), (block.revision, number))
  return [[i for i, point in enumerate(of) if best[point][1] == number] for number, of in enumerate(hashes)]


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


def planned_points(blocks: Iterable["Block"]) -> list[Point]:
  """All points that the launches which made these blocks were asked for, and all that are stored."""
  points: dict[Point, None] = {}
  seen = set()
  for block in blocks:
    plan = block.provenance.get("planned")
    if plan and (hashed := content_hash(plan)) not in seen:
      seen.add(hashed)
      # Older plans name their axes by flag. The axes of a plan and the settings of its points have one order.
      names = [name for name in block.points[0] if name not in ("seed", "x64")]
      axes = dict(zip(names, plan["axes"].values(), strict=True))
      points |= dict.fromkeys(expand(axes, plan["seeds"], plan["x64"]))
    points |= dict.fromkeys(block.points)
  return list(points)
