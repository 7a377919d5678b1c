"""A figure of any sweep from the names of its axes: panels of curves, or of maps with one colour bar."""

from collections.abc import Mapping, Sequence
import math
from pathlib import Path
import re
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis import coverage, own_style
from analysis.charts import MOST_LINES, Labels, changes_sign, draw_lines, draw_map, limits, lines, refuse_many
from analysis.figure import FigureSpec, write
from analysis.style import COLUMN, MEASURED_ZERO, PAGE, legend_line, new_figure
from analysis.sweep_axes import Selected, number_names, places, select, setting, told_apart, value_label, varied_axes
from analysis.wording import trend
from sweepkit.store import ResultsError, block_paths
from sweepkit.store.places import why_too_deep

MOST_PANELS, ACROSS = 12, 3  # panels in all, and in a row


class Request(NamedTuple):
  """A figure that was asked for.

  Attributes:
    value: name of the number.
    x, y: its axes; a curve has no `y`.
    at: axis -> labels to keep.
    log: whether the axis of the number is logarithmic.
    name: of the files; made of the other fields if it is empty.
  """

  value: str
  x: str
  y: str | None = None
  at: Mapping[str, Sequence[str]] = {}
  log: bool = False
  name: str = ""

  @property
  def axes(self) -> list[str]:
    """Names of its axes."""
    return [self.x, *([self.y] if self.y else [])]

  def file(self, experiment: str) -> str:
    """Returns the name of its files."""
    chosen = [f"{name}-{'_'.join(labels)}" for name, labels in self.at.items()]
    text = "-".join([experiment, self.value, "by", *self.axes, *chosen])
    return self.name or re.sub(r"[^\w.+-]", "_", text)


def _panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
  """A figure with so many panels that share their axes; the user's own style may set its size."""
  columns = 2 if count == 4 else min(ACROSS, count)
  rows = math.ceil(count / columns)
  width, height = own_style.figure_size() or (COLUMN if count == 1 else PAGE, 0.5 + height * rows)
  figure, axes = new_figure(width, height, rows, columns, sharex=True, sharey=True)
  for panel in axes.flat[count:]:
    panel.set_visible(False)
  for panel in axes.flat[count - columns : count]:
    panel.tick_params(labelbottom=True)  # also where the panel below is left out
  return figure, list(axes.flat[:count])


def _label_outer(panels: Sequence[Axes]) -> None:
  """Removes the labels of axes that the neighbour repeats."""
  columns = len({panel.get_subplotspec().colspan.start for panel in panels})  # type: ignore[union-attr]
  for i, panel in enumerate(panels):
    if i + columns < len(panels):
      panel.set_xlabel("")
    if i % columns:
      panel.set_ylabel("")


def _legend(figure: Figure, handles: Sequence[Any], names: Sequence[str]) -> None:
  """Puts the legend above the panels, in as many columns as fit."""
  width = max(8 * figure.get_figwidth() / (4 + 0.55 * max(map(len, names))), 1)
  figure.legend(handles, names, loc="outside upper center", ncols=min(len(names), int(width)))


def draw_curves(values: xr.DataArray, request: Request) -> Figure:
  """Draws curves: all in one panel, or a panel for each cell if other settings make several lines."""
  rest = [name for name in values.dims if name not in ("cell", "seed", request.x)]
  cells = values.cell.values.tolist() if "cell" in values.dims and rest else [None]
  figure, panels = _panels(len(cells), 2.2)
  named: dict[str, Any] = {}
  every = [labels for _, labels, _ in lines(values, request.x)]
  for panel, cell in zip(panels, cells, strict=True):
    one = values if cell is None else values.sel(cell=cell)
    draw_lines(panel, one, request.x, request.log, changes_sign(values), every)
    if cell is not None:
      panel.set_title(setting("cell", cell), loc="left")
    for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
      named.setdefault(name, handle)
  _label_outer(panels)
  if len(named) > 1:
    _legend(figure, list(named.values()), list(named))
  return figure


def draw_maps(values: xr.DataArray, request: Request) -> Figure:
  """Draws a map for each combination of the other settings, all in the same colours."""
  x, y = request.axes
  found: list[tuple[Labels, xr.DataArray]] = [(labels, one) for _, labels, one in lines(values, x, y)]
  every, limit = [labels for labels, _ in found], limits(values)
  figure, panels = _panels(len(found), 2.3)
  for panel, (_, one), title in zip(panels, found, told_apart(every, every), strict=True):
    mesh = draw_map(panel, one, x, y, limit)
    panel.set_title(title, loc="left")
  _label_outer(panels)
  means = values.mean("seed", skipna=False).values
  beyond = bool(isinstance(limit, float) and (np.abs(means[np.isfinite(means)]) > limit).any())
  figure.colorbar(mesh, ax=panels, extend="both" if beyond else "neither", label=value_label(values))
  if isinstance(limit, float):
    _legend(figure, [legend_line(**MEASURED_ZERO)], [f"{request.value.replace('_', ' ')} = 0"])
  return figure


def unseen(values: xr.DataArray) -> list[str]:
  """Returns a sentence about the means that cannot be drawn, because a seed is infinite or has no value."""
  made = values.notnull().any("seed")
  lost = made & ~np.isfinite(values.mean("seed", skipna=False))
  return [f"{int(lost.sum())} of {int(made.sum())} means are not finite and not drawn"] if lost.any() else []


def _says(shown: xr.Dataset, request: Request) -> str:
  said = [
    f"{', '.join(setting(name, label) for name, label in labels.items()) or request.value} {trend(one, request.x)}"
    for _, labels, one in lines(shown[request.value], request.x)
  ]
  return f"{request.value.replace('_', ' ').capitalize()} by {request.x}: {'; '.join(said)}."


def spec(experiment: str, selected: Selected, request: Request) -> FigureSpec:
  """Returns the figure of a sweep that was selected."""
  draw = draw_maps if request.y else draw_curves
  chosen = [f"{name} = {', '.join(labels)}" for name, labels in request.at.items()]
  taken = [f"{name.replace('_', ' ')} = {label}" for name, label in selected.taken.items()]
  by = " and ".join(name.replace("_", " ") for name in request.axes)
  return FigureSpec(
    name=request.file(experiment),
    reads=(experiment,),
    draw=lambda datasets: draw(selected.values, request),
    caption=f"{request.value.replace('_', ' ').capitalize()} by {by}.",
    numbers=lambda datasets: selected.values.to_dataset(name=request.value),
    finding=lambda shown: _says(shown, request),
    over_seeds="mean" if request.y else "marks" if places(selected.values[request.x]).names else "band",
    fixed="; ".join([*chosen, *taken]),
  )


def _check_count(values: xr.DataArray, request: Request) -> None:
  """Raises a `ResultsError` for more maps, panels or lines than one figure shows."""
  found = [labels for _, labels, _ in lines(values, *request.axes)]
  if request.y:
    refuse_many(found, "maps", MOST_PANELS)
  elif len(found[0]) > 1 and "cell" in found[0]:
    refuse_many(list({one["cell"]: {"cell": one["cell"]} for one in found}.values()), "panels", MOST_PANELS)
    for cell in dict.fromkeys(one["cell"] for one in found):
      refuse_many([one for one in found if one["cell"] == cell], "lines in a panel", MOST_LINES)
  else:
    refuse_many(found, "lines", MOST_LINES)


def draw(folder: Path, out: Path, request: Request) -> list[Path]:
  """Draws a figure of the results of one experiment, and returns the files written.

  Raises:
    ResultsError: if the folder is not that of one experiment, a name or label is not there, or there is more than one figure
      shows.
  """
  if not folder.name or folder.name == "..":
    folder = folder.resolve()
  if not block_paths(folder):
    there = sorted(path.name for path in folder.iterdir() if block_paths(path)) if folder.is_dir() else []
    listed = ", ".join(there[:8]) + ", …" * (len(there) > 8)
    if wrong := "" if there else why_too_deep(folder):
      raise ResultsError(f"--results: {wrong.partition(';')[0]}; give that one.")
    hint = (
      f"it has folders of {listed}; give one of them, such as {folder / there[0]}"
      if there
      else "run its experiment first"
    )
    raise ResultsError(f"--results: {folder} holds no results of an experiment; {hint}.")
  data = coverage.load(folder)
  if not request.value:
    raise ResultsError(f"--value is missing; {folder} holds {', '.join(number_names(data))}.")
  if not request.x:
    raise ResultsError(f"--x is missing; {request.value} varies in {', '.join(varied_axes(data, request.value))}.")
  selected = select(data, request.value, *request.axes, at=request.at)
  _check_count(selected.values, request)
  made = spec(folder.name, selected, request)
  return write(made, {folder.name: data}, unseen(selected.values), out)
