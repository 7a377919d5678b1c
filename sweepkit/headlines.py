"""The headlines of stored points: the numbers that a summary shows, by setting and over seeds."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sweepkit.points import Point
from sweepkit.settings import Value
from sweepkit.store.attributes import defaults, older_axes
from sweepkit.store.blocks import STATUS
from sweepkit.store.files import ResultsError
from sweepkit.store.inventory import Entry, Inventory
from sweepkit.store.layout import axis_values
from sweepkit.store.selection import completed


class Row(NamedTuple):
  """The results of all seeds that share their settings.

  Attributes:
    settings: those that vary between rows.
    seeds: how many there are.
    values: headline -> its values over the seeds, without NaN.
  """

  settings: Mapping[str, Value]
  seeds: int
  values: Mapping[str, np.ndarray]


class Found(NamedTuple):
  """The results of some points in a folder.

  Attributes:
    axes: the first setting and the other settings that vary, with their values.
    rows: in the order of the axes.
    statuses: status -> number of points.
    seconds: that it took to compute, added over processes.
    problems: a sentence for each file that cannot be read.
    varied: the dimensions along which all that the folder holds varies, wanted or not.
  """

  axes: Mapping[str, Sequence[Value]]
  rows: Sequence[Row]
  statuses: Mapping[str, int]
  seconds: float
  problems: Sequence[str]
  varied: Sequence[str]


def find(inventory: Inventory, headline: Mapping[str, str], wanted: Sequence[Point] | None = None) -> Found:
  """Collects the headlines of all stored points, or of those that are `wanted`.

  Raises:
    ResultsError: if there are none.
  """
  rows_of = {point: (entry, entry.points.index(point)) for point, entry in inventory.in_force().items()}
  points = list(rows_of) if wanted is None else [point for point in dict.fromkeys(wanted) if point in rows_of]
  if not points:
    reason = f" that can be read: {inventory.problems[0]}" if inventory.problems else "; run its experiment first."
    raise ResultsError(f"{inventory.folder} holds no results{reason}")
  chosen = [rows_of[point] for point in points]
  values = {name: _values(chosen, name) for name in ("status", *headline)}
  stored_axes = chosen[0][0].axes or older_axes()
  points = list(completed(points, defaults(entry.attributes for entry, _ in chosen)))
  axes = axis_values(points, stored_axes)
  first = next(iter(axes))
  axes = {name: axes[name] for name in axes if name == first or (len(axes[name]) > 1 and name != "seed")}
  groups: dict[tuple[int, ...], list[int]] = {}
  for i, point in enumerate(points):
    groups.setdefault(tuple(axes[name].index(point[name]) for name in axes), []).append(i)
  rows = []
  for place, members in sorted(groups.items()):
    over_seeds = {name: values[name][members] for name in headline}
    settings = {name: axes[name][j] for name, j in zip(axes, place, strict=True)}
    rows.append(Row(settings, len(members), {name: a[~np.isnan(a)] for name, a in over_seeds.items()}))
  statuses = {name: int(np.sum(values["status"] == i)) for i, name in enumerate(STATUS)}
  used = {entry.path: entry for entry, _ in chosen}
  seconds = sum(entry.provenance.get("wall_seconds", 0.0) for entry in used.values())
  return Found(axes, rows, statuses, seconds, inventory.problems, _varied(inventory))


def _values(chosen: Sequence[tuple[Entry, int]], name: str) -> np.ndarray:
  """The first entry of an array at some points."""
  return np.array([entry.firsts[name][row] for entry, row in chosen], float)


def _varied(inventory: Inventory) -> list[str]:
  """The settings in which the points of a folder differ."""
  held: dict[str, set[Value]] = {}
  for point in inventory.points():
    for name, value in point.items():
      held.setdefault(name, set()).add(value)
  return [name for name, values in held.items() if len(values) > 1]
