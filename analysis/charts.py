"""Draws any sweep of one or two axes into axes of one's own: curves with bands over seeds, or a map with the line of zero.

    figure, axes = plt.subplots()
    curves(axes, load_results("results/forget_bias"), "memory_length", "forget_bias", at={"ws": 1})
    axes.legend()

`python -m analysis.plot` draws whole figures with these functions.
"""

from collections.abc import Iterator, Mapping, Sequence
import itertools
import math
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
import matplotlib.ticker
import numpy as np
import xarray as xr

from analysis import own_style
from analysis.numbers import name as label_of
from analysis.style import CELL_STYLES, cell_style, confidence_band, plot_band, plot_map, symmetric_limit
from analysis.sweep_axes import Places, axis_label, places, select, told_apart, value_label
from sweepkit.store import ResultsError
from sweepkit.words import FEW

MOST_LINES = 12
MARKERS = "os^DvPX*<>hp"
LINES = ("-", "--", "-.", ":")
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D3A9B", "#999999", "#000000")
NOTHING: Mapping[str, Any] = MappingProxyType({})

Labels = dict[str, Any]  # axis -> label


def lines(values: xr.DataArray, *axes: str) -> Iterator[tuple[int, Labels, xr.DataArray]]:
  """Yields the lines or maps of a selection that hold a value: their number, labels, and values `[seed, *axes]`."""
  others = [str(name) for name in values.dims if name not in ("seed", *axes)]
  for i, at in enumerate(itertools.product(*(values[name].values.tolist() for name in others))):
    one = values.sel(dict(zip(others, at, strict=True)))
    if one.notnull().any():
      yield i, dict(zip(others, at, strict=True)), one.transpose("seed", *axes)


def refuse_many(found: Sequence[Labels], what: str, most: int) -> None:
  """Raises a `ResultsError` for more lines or maps than a reader can tell apart; it names the axes that make them."""
  if len(found) > most:
    labels = {name: dict.fromkeys(one[name] for one in found) for name in found[0]}
    varied = " and ".join(f"{name} ({len(values)} values)" for name, values in labels.items() if len(values) > 1)
    name, values = max(labels.items(), key=lambda item: len(item[1]))
    raise ResultsError(
      f"The results also vary in {varied}, which makes {len(found)} {what} of at most {most}; choose some values, as by "
      f"--at={name}={label_of(name, next(iter(values)))}."
    )


def looks(values: xr.DataArray, axis: str) -> list[dict[str, Any]]:
  """Returns the looks of all lines.

  A cell has its own look, numbers of one setting have shades from dark to light, and names have colours. Where cells and settings
  vary, the colour tells the cell; line style and marker tell the settings.
  """
  rest = [str(name) for name in values.dims if name not in ("cell", "seed", axis)]
  count = math.prod(values.sizes[name] for name in rest)
  colors = list(own_style.colors() or COLORS)
  if len(rest) == 1 and not places(values[rest[0]]).names and not own_style.colors():
    colors = [mpl.colors.to_hex(shade) for shade in mpl.colormaps["viridis"](np.linspace(0, 0.85, count))]
  found = [
    {"color": colors[i % len(colors)], "marker": MARKERS[i % len(MARKERS)], "linestyle": LINES[i % len(LINES)]}
    for i in range(count)
  ]
  if "cell" not in values.dims:
    return found
  cells = _cell_looks([str(cell) for cell in values.cell.values])
  return [look | {"color": cell["color"]} for cell in cells for look in found] if rest else cells


def _cell_looks(cells: Sequence[str]) -> list[dict[str, Any]]:
  """The looks of cells: the usual ones, and for cells that share theirs with others, colours and markers that are free."""
  usual = {cell: cell_style(cell) for cell in cells}
  used = {usual[cell].color for cell in cells if cell in CELL_STYLES}
  free = itertools.cycle([color for color in COLORS if color not in used])
  found = []
  for i, (cell, style) in enumerate(usual.items()):
    look = {"color": style.color, "marker": style.marker, "linestyle": style.linestyle}
    if cell not in CELL_STYLES:
      look |= {"marker": MARKERS[i % len(MARKERS)], "linestyle": LINES[i % len(LINES)]}
      look |= {} if own_style.colors() else {"color": next(free)}
    found.append(look)
  return found


def _scale(axes: Axes, side: str, along: Places, label: str) -> None:
  """Labels one side of the axes, and gives it the scale of its numbers, or its names."""
  axis = axes.xaxis if side == "x" else axes.yaxis
  axes.set(**{f"{side}label": label})
  if along.names:
    axis.set_ticks(along.at, along.names, rotation=30 if side == "x" and sum(map(len, along.names)) > 30 else 0)
  if along.is_log:
    axes.set(**{f"{side}scale": "log"})
    axis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(mpl.ticker.NullFormatter())


def curves(
  axes: Axes, data: xr.Dataset, value: str, x: str, at: Mapping[str, Any] = NOTHING, log: bool = False
) -> None:
  """Draws a number against one axis of a sweep: a line for each cell and for each combination of all other settings.

  A line is the mean over seeds, with the band of its 95 % interval; fewer than five seeds are thin lines. It breaks where a seed
  is not finite. `axes.legend()` names the lines.

  Args:
    axes: where it is drawn; they get labels and scales.
    data: results of a sweep, as `load_results` and `sweep` return them.
    value: name of the number.
    x: the axis: a setting, or an axis of the number such as the lag.
    at: axis -> a label or a list of labels to keep. Axes of the number that are not named are taken at their first name or last
      number.
    log: whether the axis of the number is logarithmic.

  Raises:
    ResultsError: for a name or label that is not there, or more than 12 lines.
  """
  values = select(data, value, x, at=at).values
  draw_lines(axes, values, x, log, changes_sign(values), [labels for _, labels, _ in lines(values, x)])


def draw_lines(axes: Axes, values: xr.DataArray, x: str, log: bool, zero: bool, among: Sequence[Labels]) -> None:
  """Draws what `select` selected as lines.

  Args:
    axes: where it is drawn.
    values: `[*lines, seed, x]`.
    x: name of the axis.
    log: whether the axis of the values is logarithmic.
    zero: whether the axis of 0 is drawn.
    among: labels of all lines of the figure, from which the name of each tells it apart.
  """
  found = list(lines(values, x))
  refuse_many([labels for _, labels, _ in found], "lines", MOST_LINES)
  along, every = places(values[x]), looks(values, x)
  order = np.argsort(along.at, kind="stable")
  texts = told_apart([labels for _, labels, _ in found], among)
  for j, ((i, _, one), text) in enumerate(zip(found, texts, strict=True)):
    look = every[i] | {"label": text or None}
    if along.names:
      _draw_marks(axes, along.at + 0.5 * (j - (len(found) - 1) / 2) / len(found), one, look)
    else:
      plot_band(axes, along.at[order], one.isel({x: order}), markevery=max(1, along.at.size // 16), **look)
  _scale(axes, "x", along, axis_label(values[x]))
  axes.set_ylabel(value_label(values))
  if log:
    axes.set_yscale("log")
  elif zero:
    axes.axhline(0, color=mpl.rcParams["axes.edgecolor"], linewidth=0.6)


def _draw_marks(axes: Axes, at: np.ndarray, one: xr.DataArray, look: Mapping[str, Any]) -> None:
  """Draws means with bars of their intervals and no line, since names have no order; fewer than five seeds as a mark each."""
  seeds = one.sizes["seed"]
  marks = dict(look) | {"linestyle": "none"}
  if seeds >= FEW:
    band = confidence_band(one)
    axes.errorbar(at, band.mean, yerr=(band.mean - band.low, band.high - band.mean), elinewidth=0.9, **marks)
  else:
    axes.plot(np.repeat(at, seeds), one.values.T.ravel(), **marks)


def changes_sign(values: xr.DataArray) -> bool:
  """Tells whether some finite values are above 0 and some below."""
  finite = values.values[np.isfinite(values.values)]
  return bool(finite.size and finite.min() < 0 < finite.max())


def limits(values: xr.DataArray) -> float | tuple[float, float]:
  """Returns the limits of the colours of maps: one number where the means over seeds change their sign, else the extremes."""
  means = values.mean("seed", skipna=False).values
  finite = means[np.isfinite(means)]
  low, high = finite.min(initial=np.inf), finite.max(initial=-np.inf)
  if low < 0 < high:
    return symmetric_limit(finite)
  return (float(low), float(high)) if finite.size else (0.0, 1.0)


def heat_map(axes: Axes, data: xr.Dataset, value: str, x: str, y: str, at: Mapping[str, Any] = NOTHING) -> QuadMesh:
  """Draws the mean over seeds of a number against two axes of a sweep, and returns the tiles, for a colour bar.

  Where the means change their sign, the colours change at 0 and a dashed line is drawn there. A tile stays white where a seed is
  not finite.

  Args:
    axes: where it is drawn; they get labels and scales.
    data: results of a sweep, as `load_results` and `sweep` return them.
    value: name of the number.
    x: the axis across.
    y: the axis upwards.
    at: axis -> a label to keep. It must name a cell if there are several.

  Raises:
    ResultsError: for a name or label that is not there, or if the results vary in anything else.
  """
  values = select(data, value, x, y, at=at).values
  refuse_many([labels for _, labels, _ in lines(values, x, y)], "maps", 1)
  ((_, _, one),) = lines(values, x, y)
  return draw_map(axes, one, x, y, limits(values))


def draw_map(axes: Axes, values: xr.DataArray, x: str, y: str, limit: float | tuple[float, float]) -> QuadMesh:
  """Draws `values` [seed, x, y] as a map, in colours with this limit."""
  across, upwards = places(values[x]), places(values[y])
  by_x, by_y = (np.argsort(along.at, kind="stable") for along in (across, upwards))
  means = values.mean("seed", skipna=False).transpose(y, x).values[np.ix_(by_y, by_x)]
  are_log = (across.is_log, upwards.is_log)
  mesh = plot_map(axes, across.at[by_x], upwards.at[by_y], means, limit, are_log)
  _scale(axes, "x", across, axis_label(values[x]))
  _scale(axes, "y", upwards, axis_label(values[y]))
  return mesh
