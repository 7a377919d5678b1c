"""The memory of each class at the default weights of its library, before a single update.

Each row is a recipe of default weights, which the named libraries share. Filled marks are the memory -1/rate. Hollow marks are
the first lag at which the norm of the Jacobian product is below 1/e. Both are means over seeds. A net can
have a long first lag and a short -1/rate, since a product can grow before it falls. Small crosses are -1/rate of nets that the
cell's own `init` drew, with the options in the table. The tables name these options, and what a forget bias of 1 adds.
"""

import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.defaults._libraries import KINDS, compared, grid, kind, label, look, nearest, plain
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.style import PAGE, confidence_band, legend_line, new_figure
from analysis.wording import listed, short
import recurrent_lab as rl
from sweepkit.words import FEW

OPTIONS = ("recurrent_gain", "input_gain", "bias_scale", "forget_bias")
ESTIMATES = {"memory_length": "-1 / rate", "first_lag_below": "first lag below 1/e"}


def numbers(datasets: Datasets) -> xr.Dataset:
  data = compared(grid(datasets["library_defaults"]))
  own = plain(data)
  memory = xr.concat([own[name] for name in ESTIMATES], "estimate").assign_coords(estimate=list(ESTIMATES.values()))
  units = int(nearest(grid(datasets["library_defaults"]), "hidden_size", 128))
  chosen = {recipe: rl.init_like(recipe).options(units, units) for recipe in data.recipe.values.tolist()}
  table = [
    [*(options[name] for name in OPTIONS), float(options["recurrent_init"] == "orthogonal")]
    for options in chosen.values()
  ]
  option = xr.DataArray(table, {"recipe": data.recipe, "option": [*OPTIONS, "orthogonal"]}, ("recipe", "option"))
  shown = xr.Dataset(
    {"memory": memory.transpose("recipe", "estimate", ...), "alike": _alike(data, own), "start": option}
  )
  shown.memory.attrs = {"long_name": "memory", "units": "steps"}
  return shown


def _alike(data: xr.Dataset, own: xr.Dataset) -> xr.DataArray:
  """Returns -1/rate as the library draws, as the options draw, and with a forget bias of 1 added, where each was measured."""
  ways = {"as the library draws": own.memory_length}
  none = nearest(data, "forget_bias", 0)
  if "options" in data.weights:
    ways["by options"] = data.memory_length.sel(weights="options", forget_bias=none, drop=True)
  if 1 in data.forget_bias and none != 1 and "recipe" in data.weights:
    ways["with a forget bias of 1 added"] = data.memory_length.sel(weights="recipe", forget_bias=1, drop=True)
  return xr.concat(list(ways.values()), "drawn").assign_coords(drawn=list(ways)).transpose("recipe", "drawn", ...)


def _rows(shown: xr.Dataset, name: str) -> list[str]:
  """Returns the recipes of a kind, those with the longest memory first."""
  found = [recipe for recipe in shown.recipe.values.tolist() if kind(recipe) == name]
  memory = shown.memory.isel(estimate=0).mean("seed")
  return sorted(found, key=lambda recipe: -np.nan_to_num(float(memory.sel(recipe=recipe))))


def _mark(panel: Axes, row: int, values: xr.DataArray, recipe: str, fill: str) -> None:
  finite = values.where(np.isfinite(values)).dropna("seed")
  if not finite.size:
    return
  band = confidence_band(finite)
  color = look(recipe)["color"]
  if finite.size >= FEW:
    panel.plot([band.low, band.high], [row, row], color=color, linewidth=2.5, alpha=0.35, solid_capstyle="butt")
  panel.plot([band.mean], [row], "o", color=color, markersize=4, fillstyle=fill)


def draw(datasets: Datasets) -> Figure:
  shown = numbers(datasets)
  rows = {name: _rows(shown, name) for name in KINDS}
  rows = {name: recipes for name, recipes in rows.items() if recipes}
  heights = [len(recipes) + 1.0 for recipes in rows.values()]
  figure, axes = new_figure(
    PAGE, 0.17 * sum(heights) + 0.9, len(rows), 1, sharex=True, gridspec_kw={"height_ratios": heights}
  )
  for panel, (name, recipes) in zip(axes[:, 0], rows.items(), strict=True):
    for row, recipe in enumerate(recipes):
      one = shown.sel(recipe=recipe)
      _mark(panel, row, one.memory.isel(estimate=0), recipe, "full")
      _mark(panel, row, one.memory.isel(estimate=1), recipe, "none")
      if "by options" in shown.drawn:
        by_options = one.alike.sel(drawn="by options").mean("seed")
        panel.plot([by_options], [row], "x", color="0.3", markersize=3, markeredgewidth=0.8)
    panel.set_yticks(range(len(recipes)), [label(recipe) for recipe in recipes], fontsize=6.5)
    panel.set_ylim(len(recipes) - 0.4, -0.6)
    panel.set_title(name, loc="left")
    panel.set_xlim(left=0)
  axes[-1, 0].set_xlabel("memory (steps)")
  marks: dict[str, Any] = {
    "-1 / rate": {"marker": "o", "linestyle": "none", "color": "0.3"},
    "first lag below 1/e": {"marker": "o", "linestyle": "none", "color": "0.3", "fillstyle": "none"},
  }
  if "by options" in shown.drawn:
    marks["-1 / rate, drawn by options"] = {"marker": "x", "linestyle": "none", "color": "0.3", "markersize": 3}
  figure.legend([legend_line(**mark) for mark in marks.values()], list(marks), loc="outside upper right", ncols=3)
  return figure


def finding(shown: xr.Dataset) -> str:
  """Names the shortest and the longest memory of every kind with their ratio, by both estimates, and how well options do."""
  means = shown.memory.mean("seed")
  said = []
  for name in KINDS:
    parts = [
      part for estimate in means.estimate.values.tolist() if (part := _range(means.sel(estimate=estimate), name))
    ]
    said += [f"{name}: {'; '.join(parts)}"] if parts else []
  text = f"{'. '.join(said)}." if said else "No memory is known."
  return f"{text}{of_options(shown)}"


def _range(means: xr.DataArray, name: str) -> str:
  """Returns `-1 / rate 2.02 (Equinox, MLX) to 5.33 steps (Chainer), 2.6 times`; empty if none is finite and positive."""
  known = {recipe: float(means.sel(recipe=recipe)) for recipe in means.recipe.values.tolist() if kind(recipe) == name}
  known = {recipe: value for recipe, value in known.items() if np.isfinite(value) and value > 0}
  if not known:
    return ""
  low, high = min(known, key=lambda recipe: known[recipe]), max(known, key=lambda recipe: known[recipe])
  if low == high:
    return f"{means.estimate.item()} {short(known[low])} steps ({label(low)})"
  return (
    f"{means.estimate.item()} {short(known[low])} ({label(low)}) to {short(known[high])} steps ({label(high)}),"
    f" {short(known[high] / known[low])} times"
  )


def of_options(shown: xr.Dataset) -> str:
  """Says how far -1/rate by options is from that of the library, relative to it: the median and the worst."""
  if "by options" not in shown.drawn:
    return ""
  own, other = (shown.alike.sel(drawn=way).mean("seed") for way in ("as the library draws", "by options"))
  away = {
    recipe: float(other.sel(recipe=recipe) / own.sel(recipe=recipe) - 1) for recipe in shown.recipe.values.tolist()
  }
  away = {recipe: value for recipe, value in away.items() if np.isfinite(value)}
  if not away:
    return ""
  worst = max(away, key=lambda recipe: abs(away[recipe]))
  middle = float(np.median(np.abs(list(away.values()))))
  where = listed([f"{kind(worst)} of {label(worst)}"])
  return f" Options give -1 / rate within {short(100 * middle)} % at the median, {short(100 * away[worst])} % at worst ({where})."


FIGURE = FigureSpec(
  name="library_memory",
  reads=("library_defaults",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "memory": TableSpec("memory (steps)"),
    "alike": TableSpec("-1 / rate (steps)"),
    "start": TableSpec("options of `init` with the same standard deviations, for as many inputs as units", "none"),
  },
  order=10,
  title="How far does each class remember at the default weights of its library?",
  over_seeds="bars",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
