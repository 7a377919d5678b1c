"""What results say in short: five lines after a sweep, and a table of everything that is in a folder.

Both show the headline of the measure, mean ± standard deviation over the seeds (of fewer than five the values), and end with
the command that draws the rest, or loads it.
"""

from collections.abc import Iterator, Mapping, Sequence
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments import commands, curves, store
from experiments.experiment import Experiment, drawing_command, undrawn
from experiments.grid import Point, Value, content_hash
from experiments.measure import Measure
from experiments.words import FEW, count, duration, number

ROWS = 40  # of a table, at the most


class Row(NamedTuple):
  """The results of all seeds that share their settings.

  Attributes:
    settings: those that vary between rows.
    seeds: how many there are.
    values: headline -> its values over the seeds, where it is no NaN.
  """

  settings: Mapping[str, Value]
  seeds: int
  values: Mapping[str, np.ndarray]


class Found(NamedTuple):
  """What a folder holds of some points.

  Attributes:
    axes: the settings that vary, with their values; the cell always.
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


def find(folder: Path, measure: Measure, wanted: Sequence[Point] | None = None) -> Found:
  """Reads the headlines of all stored points, or of those that are `wanted`.

  Raises:
    ResultsError: if there are none, or they are of another schema.
  """
  in_force = store.in_force(folder)
  hashes = in_force.keys() if wanted is None else set(map(content_hash, wanted))
  points: list[Point] = []
  values: dict[str, list[Any]] = {name: [] for name in ("status", *measure.headline)}
  held: dict[str, set[Value]] = {}
  seconds, problems = 0.0, []
  for path in store.block_paths(folder):
    try:
      block = store.read_block(path)
    except store.SchemaError:
      raise
    except store.ResultsError as error:
      problems.append(str(error))
      continue
    for name in block.points[0]:
      held.setdefault(name, set()).update(point[name] for point in block.points)
    names = map(content_hash, block.points)
    chosen = [i for i, point in enumerate(names) if point in hashes and in_force.get(point) == path]
    points += [block.points[i] for i in chosen]
    for name, found in values.items():
      found += [np.ravel(block.arrays[name][i])[0] for i in chosen]
    seconds += block.provenance.get("wall_seconds", 0.0) if chosen else 0.0
  if not points:
    damaged = (
      f" that can be read: {problems[0]}" if problems else f"; run the experiment first{commands.filling(folder)}."
    )
    raise store.ResultsError(f"{folder} holds no results{damaged}")
  axes = store.axis_values(points)
  axes = {name: axes[name] for name in axes if name == "cell" or (len(axes[name]) > 1 and name != "seed")}
  groups: dict[tuple[int, ...], list[int]] = {}
  for i, point in enumerate(points):
    groups.setdefault(tuple(axes[name].index(point[name]) for name in axes), []).append(i)
  rows = []
  for place, members in sorted(groups.items()):
    over_seeds = {name: np.array([values[name][i] for i in members], float) for name in measure.headline}
    settings = {name: axes[name][j] for name, j in zip(axes, place, strict=True)}
    rows.append(Row(settings, len(members), {name: a[~np.isnan(a)] for name, a in over_seeds.items()}))
  statuses = {name: int(np.sum(np.array(values["status"]) == i)) for i, name in enumerate(store.STATUS)}
  return Found(axes, rows, statuses, seconds, problems, [name for name, values in held.items() if len(values) > 1])


def mean(row: Row, name: str) -> float:
  return float(np.mean(row.values[name])) if row.values[name].size else math.nan


def spread(row: Row, name: str) -> str:
  """Mean ± standard deviation over seeds; of few seeds the values, and a dash where there is no number."""
  values = row.values[name]
  # Of what either is or is not, the mean says all.
  varies = values.size > 1 and not np.all((values == 0) | (values == 1))
  if varies and values.size < FEW:
    return ", ".join(number(float(value)) for value in values)
  is_spread = varies and np.all(np.isfinite(values))
  return number(mean(row, name)) + (f" ± {number(float(np.std(values, ddof=1)), 2)}" if is_spread else "")


def _text(value: Value) -> str:
  return f"{value:g}" if isinstance(value, float) else str(value)


def _where(settings: Mapping[str, Value]) -> str:
  others = [f"{name} {_text(value)}" for name, value in settings.items() if name != "cell"]
  return " at ".join([str(settings["cell"]), *([", ".join(others)] if others else [])])


def _range(found: Found, name: str, unit: str) -> str:
  """Where a headline is lowest and highest."""
  rows = [row for row in found.rows if row.values[name].size]
  if not rows:
    return f"{name}: no point has a number"
  low, high = (choose(rows, key=lambda row: mean(row, name)) for choose in (min, max))
  ends = [f"{spread(row, name)} ({_where(row.settings)})" for row in ([low] if low is high else [low, high])]
  return f"{name}: {' to '.join(ends)}, {unit}"


def _curves(found: Found) -> tuple[str, dict[str, list[Row]], dict[str, Value]] | None:
  """The longest axis of numbers, for each cell the rows along it, and what all other settings are there: as in the last row."""
  numeric = [name for name, values in found.axes.items() if not any(isinstance(v, str | bool) for v in values)]
  if not numeric:
    return None
  axis = max(numeric, key=lambda name: len(found.axes[name]))
  fixed = {name: value for name, value in found.rows[-1].settings.items() if name not in ("cell", axis)}
  curves: dict[str, list[Row]] = {}
  for row in found.rows:
    if all(row.settings[name] == value for name, value in fixed.items()):
      curves.setdefault(str(row.settings["cell"]), []).append(row)
  return axis, curves, fixed


def _along(found: Found, name: str) -> Iterator[str]:
  """A headline along the longest axis, cell by cell: which way its mean goes, and where it lies beside 0."""
  along = _curves(found)
  if along is None:
    return
  axis, lines, fixed = along
  others = f" ({', '.join(f'{name} {_text(value)}' for name, value in fixed.items())})" if fixed else ""
  low, high = _text(found.axes[axis][0]), _text(found.axes[axis][-1])
  shapes = {
    cell: ([float(row.settings[axis]) for row in rows], [mean(row, name) for row in rows])
    for cell, rows in lines.items()
  }
  trends = [f"{cell} {curves.trend(*shape, axis)}" for cell, shape in shapes.items()]
  yield f"{name} from {axis} {low} to {high}{others}: {'; '.join(trends)}"
  if any(curves.crossings(*shape) for shape in shapes.values()):
    yield f"{name}: {'; '.join(f'{cell} {curves.against_zero(*shape, axis)}' for cell, shape in shapes.items())}"


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


def after(experiment: Experiment, folder: Path, points: Sequence[Point], skipped: int, failed: int) -> str:
  """Where the data of a sweep lies, five lines of what it says, and the command that draws it.

  Args:
    points: those of the sweep.
    skipped, failed: how many of them were stored before, and how many were tried in vain.
  """
  try:
    found = find(folder, experiment.measure, points)
  except store.ResultsError:
    return f"{folder}: nothing is stored of this sweep."
  lines = [_points(found, len(points) - sum(found.statuses.values()), skipped, failed), _axes(found)]
  headline = list(experiment.measure.headline.items())
  for i, (name, unit) in enumerate(headline):
    lines.append(_range(found, name, unit))
    lines += _along(found, name) if i == 0 else []
  return "\n".join([f"{folder}:", *(f"  {line}" for line in lines[:5]), _show(experiment, folder, found)])


def _show(experiment: Experiment, folder: Path, found: Found) -> str:
  """The command that draws what a folder holds or, where no figure would, the one that loads it."""
  if command := drawing_command(experiment, folder.parent, found.varied):
    return f"Draw it:   {command}"
  without = undrawn(experiment, found.varied) if commands.is_experiment(experiment.name) else []
  reason = f"Its figure has no axis for {' and '.join(without)}.\n" if without and experiment.drawn_by else ""
  return f"{reason}Load it:   {commands.load(folder)}"


def _thinned(axes: Mapping[str, Sequence[Value]], rows: Sequence[Row]) -> Sequence[Row]:
  """Rows at fewer values of the longest axes, evenly chosen and with both ends, until they are few enough."""
  kept = {name: list(values) for name, values in axes.items()}
  while len(rows) > ROWS:
    longest = max(kept, key=lambda name: len(kept[name]))
    places = np.linspace(0, len(kept[longest]) - 1, (len(kept[longest]) + 1) // 2).round().astype(int)
    kept[longest] = [kept[longest][i] for i in places]
    rows = [row for row in rows if row.settings[longest] in kept[longest]]
  return rows


def table(experiment: Experiment, folder: Path) -> str:
  """All that is stored as a table: a row for each cell and combination of settings, the headlines in columns.

  Raises:
    ResultsError: if there is nothing to show.
  """
  found = find(folder, experiment.measure)
  headline = experiment.measure.headline
  rows = _thinned(found.axes, found.rows)
  cells = [
    [*map(_text, row.settings.values()), *(spread(row, name) for name in headline), str(row.seeds)] for row in rows
  ]
  heads = [*found.axes, *headline, "seeds"]
  widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
  texts = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in (heads, *cells)]
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
