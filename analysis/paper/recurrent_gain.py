"""Growth rate of ln ‖∏ J‖₂ against W_s, for all cells with their mean field. Above 0 gradients explode, below 0 they vanish."""

import sys

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.paper.prediction import plot_mean_field, with_mean_field
from analysis.selection import only_axes
from analysis.style import COLUMN, cell_style, new_figure, plot_band
from analysis.wording import against_zero, each, with_unit


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["recurrent_gain"], "ws")
  figure, axes = new_figure(COLUMN, 2.5)
  panel = axes[0, 0]
  for cell in map(str, data.cell.values):
    label, color, marker, linestyle = cell_style(cell)
    rates = data.growth_rate.sel(cell=cell, norm="spectral").transpose("seed", "ws")
    plot_band(panel, data.ws.values, rates, color=color, marker=marker, linestyle=linestyle, label=label)
  plot_mean_field(panel, datasets.get("mean_field"), data)
  panel.axhline(0, color="black", linewidth=0.8)
  for side, height, align in (
    ("explodes", 2, "bottom"),
    ("vanishes", -2, "top"),
  ):  # at the left edge no curve is near 0
    place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    panel.annotate(side, (0, 0), (4, height), va=align, **place)
  panel.set_xlabel("recurrent gain $W_s$")
  panel.set_ylabel(with_unit("growth rate", data.growth_rate))
  panel.legend(loc="lower right", bbox_to_anchor=(1.0, 0.03))
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["recurrent_gain"], "ws")
  return with_mean_field(data[["growth_rate"]].sel(norm="spectral", drop=True), datasets.get("mean_field"), data)


def finding(shown: xr.Dataset) -> str:
  crossings = each(shown, lambda one: against_zero(one.growth_rate))
  return f"Growth rate, above 0 where gradients explode and below 0 where they vanish: {crossings}."


FIGURE = FigureSpec(
  name="recurrent_gain",
  reads=("recurrent_gain",),
  overlays=("mean_field",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"mean_field": TableSpec("mean field of a large net (nats per step)")},
  order=20,
  title="At which recurrent gain do gradients explode?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
