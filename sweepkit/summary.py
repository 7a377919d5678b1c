"""Summaries of results: five lines after a sweep, and a table of everything that is in a folder.

Both show the headline of the measure, mean ± standard deviation over the seeds (of fewer than five the values), and end with
the command that draws the rest, or loads it.
"""

from collections.abc import Iterator, Mapping, Sequence
import math
from pathlib import Path

import numpy as np

from sweepkit import commands, curves
from sweepkit.experiment import Experiment, drawing_command, undrawn
from sweepkit.headlines import Found, Row, find
from sweepkit.points import Point
from sweepkit.settings import Value
from sweepkit.store.files import ResultsError
from sweepkit.store.inventory import Inventory
from sweepkit.words import FEW, count, duration, number

ROWS = 40  # most rows of a table


def mean(row: Row, name: str) -> float:
  return float(np.mean(row.values[name])) if row.values[name].size else math.nan


def spread(row: Row, name: str) -> str:
  """Formats the mean ± standard deviation over seeds: the values where seeds are few, and a dash where there is no number."""
  values = row.values[name]
  # For values of 0 and 1 the mean says everything.
  varies = values.size > 1 and not np.all((values == 0) | (values == 1))
  if varies and values.size < FEW:
    return ", ".join(number(float(value)) for value in values)
  is_spread = varies and np.all(np.isfinite(values))
  return number(mean(row, name)) + (f" ± {number(float(np.std(values, ddof=1)), 2)}" if is_spread else "")


def _text(value: Value) -> str:
  return f"{value:g}" if isinstance(value, float) else str(value)


def _where(settings: Mapping[str, Value]) -> str:
  (_, first), *rest = settings.items()
  others = [f"{name} {_text(value)}" for name, value in rest]
  return " at ".join([_text(first), *([", ".join(others)] if others else [])])


def _range(found: Found, name: str, unit: str) -> str:
  """Says where a headline is lowest and highest."""
  rows = [row for row in found.rows if row.values[name].size]
  if not rows:
    return f"{name}: no point has a number"
  low, high = (choose(rows, key=lambda row: mean(row, name)) for choose in (min, max))
  ends = [f"{spread(row, name)} ({_where(row.settings)})" for row in ([low] if low is high else [low, high])]
  return f"{name}: {' to '.join(ends)}, {unit}"


def _curves(found: Found) -> tuple[str, dict[str, list[Row]], dict[str, Value]] | None:
  """The longest axis of numbers, the rows along it for each value of the first setting, and the values of all other settings:
  those of the last row.
  """
  first, *others = found.axes
  numeric = [name for name in others if not any(isinstance(value, str | bool) for value in found.axes[name])]
  if not numeric:
    return None
  axis = max(numeric, key=lambda name: len(found.axes[name]))
  fixed = {name: value for name, value in found.rows[-1].settings.items() if name not in (first, axis)}
  curves: dict[str, list[Row]] = {}
  for row in found.rows:
    if all(row.settings[name] == value for name, value in fixed.items()):
      curves.setdefault(_text(row.settings[first]), []).append(row)
  return axis, curves, fixed


def _along(found: Found, name: str) -> Iterator[str]:
  """Yields sentences about a headline along the longest axis, for each value of the first setting: its trend, and its sign."""
  along = _curves(found)
  if along is None:
    return
  axis, lines, fixed = along
  others = f" ({', '.join(f'{name} {_text(value)}' for name, value in fixed.items())})" if fixed else ""
  low, high = _text(found.axes[axis][0]), _text(found.axes[axis][-1])
  shapes = {
    label: ([float(row.settings[axis]) for row in rows], [mean(row, name) for row in rows])
    for label, rows in lines.items()
  }
  trends = [f"{label} {curves.trend(*shape, axis)}" for label, shape in shapes.items()]
  yield f"{name} from {axis} {low} to {high}{others}: {'; '.join(trends)}"
  if any(curves.crossings(*shape) for shape in shapes.values()):
    yield f"{name}: {'; '.join(f'{label} {curves.against_zero(*shape, axis)}' for label, shape in shapes.items())}"


def _points(found: Found, missing: int, skipped: int, failed: int) -> str:
  total = sum(found.statuses.values()) + missing
  numbers = {
    "ok": found.statuses["ok"],
    "with updates dropped": found.statuses["updates_dropped"],
    "not finite": found.statuses["nonfinite"],
    "failed": failed,
    "not computed": missing - failed,
  }
  parts = [f"{number(n)} {what}" for what, n in numbers.items() if n or what == "ok"]
  before = f" ({number(skipped)} skipped, stored before)" if skipped else ""
  return f"{count(total, 'point')}: {', '.join(parts)}{before}; {duration(found.seconds)} of one process"


def _axes(found: Found) -> str:
  shown = []
  for name, values in found.axes.items():
    is_long = len(values) > 4 and not isinstance(values[0], str)
    listed = (
      f"{_text(values[0])} … {_text(values[-1])} ({len(values)} values)" if is_long else ", ".join(map(_text, values))
    )
    shown.append(f"{name} {listed}")
  return "; ".join([*shown, f"up to {count(max(row.seeds for row in found.rows), 'seed')} each"])


def after(experiment: Experiment, inventory: Inventory, points: Sequence[Point], skipped: int, failed: int) -> str:
  """Returns the folder of a sweep, five lines about its results, and the command that draws them.

  Args:
    points: those of the sweep.
    skipped, failed: number of points that were stored before, and of points that failed.
  """
  folder = inventory.folder
  try:
    found = find(inventory, experiment.measure.headline, points)
  except ResultsError:
    return f"{folder}: nothing is stored of this sweep."
  lines = [_points(found, len(points) - sum(found.statuses.values()), skipped, failed), _axes(found)]
  headline = list(experiment.measure.headline.items())
  for i, (name, unit) in enumerate(headline):
    lines.append(_range(found, name, unit))
    lines += _along(found, name) if i == 0 else []
  return "\n".join([f"{folder}:", *(f"  {line}" for line in lines[:5]), _show(experiment, folder, found)])


def _show(experiment: Experiment, folder: Path, found: Found) -> str:
  """Returns the command that draws what a folder holds, or else the command that loads it."""
  if command := drawing_command(experiment, folder.parent, found.varied):
    return f"Draw it:   {command}"
  without = undrawn(experiment, found.varied) if experiment.figure is not None else []
  reason = f"Its figure has no axis for {' and '.join(without)}.\n" if without else ""
  return f"{reason}Load it:   {commands.load(folder)}"


def _thinned(axes: Mapping[str, Sequence[Value]], rows: Sequence[Row]) -> Sequence[Row]:
  """Thins rows along the longest axes, evenly and keeping both ends, until they are few enough."""
  kept = {name: list(values) for name, values in axes.items()}
  while len(rows) > ROWS:
    longest = max(kept, key=lambda name: len(kept[name]))
    places = np.linspace(0, len(kept[longest]) - 1, (len(kept[longest]) + 1) // 2).round().astype(int)
    kept[longest] = [kept[longest][i] for i in places]
    rows = [row for row in rows if row.settings[longest] in kept[longest]]
  return rows


def table(experiment: Experiment, inventory: Inventory) -> str:
  """Returns a table of all that is stored: a row for each combination of settings, the headlines in columns.

  Raises:
    ResultsError: if there is nothing to show.
  """
  folder, headline = inventory.folder, experiment.measure.headline
  found = find(inventory, headline)
  rows = _thinned(found.axes, found.rows)
  texts_of_rows = [
    [*map(_text, row.settings.values()), *(spread(row, name) for name in headline), str(row.seeds)] for row in rows
  ]
  heads = [*found.axes, *headline, "seeds"]
  widths = [max(map(len, column)) for column in zip(heads, *texts_of_rows, strict=True)]
  texts = [
    "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in (heads, *texts_of_rows)
  ]
  if len(rows) < len(found.rows):
    texts.append(f"({number(len(rows))} of {count(len(found.rows), 'row')}, evenly chosen)")
  units = "; ".join(f"{name}: {unit}" for name, unit in headline.items())
  about = (
    [
      f"{folder}: {_points(found, 0, 0, 0)}.",
      f"{units}; mean ± standard deviation over seeds, or their values where there are fewer than {FEW}.",
    ]
    if units
    else []
  )
  return "\n".join([*found.problems, *about, "", *texts, "", _show(experiment, folder, found)])
