"""The memory -1/rate at the default weights of each library, against the size of the net and the scale of its inputs.

Top: by the number of units, at the input scale at which libraries are compared. Bottom: by the standard deviation of the inputs,
at the size at which they are compared. There are as many inputs as units.
"""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.defaults._libraries import KINDS, SCALE, SIZE, grid, kind, label, look, nearest, of_kind, plain
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.style import PAGE, new_figure, plot_band
from analysis.wording import short


def numbers(datasets: Datasets) -> xr.Dataset:
  memory = plain(grid(datasets["library_defaults"])).memory_length
  by_size = memory.sel(input_scale=nearest(memory.to_dataset(), "input_scale", SCALE), drop=True)
  by_scale = memory.sel(hidden_size=nearest(memory.to_dataset(), "hidden_size", SIZE), drop=True)
  shown = xr.Dataset({"by_size": by_size.transpose("recipe", "hidden_size", ...)})
  return shown.assign(by_scale=by_scale.transpose("recipe", "input_scale", ...))


def draw(datasets: Datasets) -> Figure:
  shown = numbers(datasets)
  kinds = [name for name in KINDS if any(kind(recipe) == name for recipe in shown.recipe.values.tolist())]
  data = plain(grid(datasets["library_defaults"]))
  figure, axes = new_figure(PAGE, 6.8, 2, len(kinds), sharex="row", sharey="col")
  for column, name in zip(axes.T, kinds, strict=True):
    for recipe in of_kind(data, name):
      for panel, values in zip(column, (shown.by_size, shown.by_scale), strict=True):
        one = values.sel(recipe=recipe)
        axis = str(next(dim for dim in one.dims if dim != "seed"))
        one = one.where(np.isfinite(one)).dropna(axis, how="all")
        if not one.size:
          continue
        line = {"marker": "o", "markersize": 2, "linewidth": 1.0, "label": label(recipe), **look(recipe)}
        plot_band(panel, one[axis].values, one.transpose("seed", axis), **line)
    column[0].set_title(name, loc="left")
    column[0].set_xlabel("units H")
    column[1].set_xlabel("input scale")
    lines, names = column[0].get_legend_handles_labels()
    column[1].legend(lines, names, fontsize=6, loc="upper left", bbox_to_anchor=(-0.02, -0.3), labelspacing=0.25)
    column[0].set_ylim(bottom=0)
  for row, axis in zip(axes, ("hidden_size", "input_scale"), strict=True):
    for panel in row:
      panel.set_xscale("log", base=2 if axis == "hidden_size" else 10)
      panel.set_xticks(shown[axis].values, [f"{value:g}" for value in shown[axis].values])
      panel.minorticks_off()
    row[0].set_ylabel("memory, -1 / rate (steps)")
  return figure


def finding(shown: xr.Dataset) -> str:
  """Names, for every kind, the range over recipes of the ratio of memories from end to end of both axes."""
  said = []
  for name in KINDS:
    parts = []
    for values, axis, text in ((shown.by_size, "hidden_size", "units"), (shown.by_scale, "input_scale", "scale")):
      ratios = [
        _ratio(values.sel(recipe=recipe), axis) for recipe in values.recipe.values.tolist() if kind(recipe) == name
      ]
      known = [ratio for ratio in ratios if np.isfinite(ratio) and ratio > 0]
      if known and values.sizes[axis] > 1:
        first = f"{values[axis].values[0].item():g}"
        last = "the largest" if axis == "hidden_size" else f"{values[axis].values[-1].item():g}"
        parts.append(f"from {text} {first} to {last} by factors of {short(min(known))} to {short(max(known))}")
    said += [f"{name} {' and '.join(parts)}"] if parts else []
  return f"The memory -1 / rate changes: {'; '.join(said)}." if said else "No change of the memory is known."


def _ratio(values: xr.DataArray, axis: str) -> float:
  """Returns the mean at the last value of an axis that was measured, divided by that at the first."""
  means = values.where(np.isfinite(values)).mean("seed").dropna(axis)
  return float(means[-1] / means[0]) if means.size > 1 else np.nan


FIGURE = FigureSpec(
  name="library_sizes",
  reads=("library_defaults",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "by_size": TableSpec("-1 / rate by the number of units (steps)"),
    "by_scale": TableSpec("-1 / rate by the input scale (steps)"),
  },
  order=30,
  title="Does the memory at default weights depend on the size of the net and on the scale of its inputs?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
