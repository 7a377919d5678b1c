"""One growth rate measured in three ways: forward Lyapunov exponent, slope of ln ‖∏ J‖₂, growth of the adjoint ∂L/∂S_k."""

import itertools
import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, legend_line, new_figure, plot_band
from analysis.wording import each, short, with_unit

MARKERS = {"forward exponent": "o", "slope of the product": "+", "growth of the adjoint": "x"}


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["recurrent_gain"], "ws")
  gains = data.ws.values
  views = [data.largest_exponent, data.growth_rate.sel(norm="spectral", drop=True), data.adjoint_growth_rate]
  figure, (axes,) = new_figure(PAGE, 2.6, 1, 2)
  cells = [cell_style(str(cell)) for cell in data.cell.values]
  for (i, cell), (view, marker) in itertools.product(enumerate(cells), zip(views, MARKERS.values(), strict=True)):
    forward, one = (values.isel(cell=i).transpose("seed", "ws") for values in (views[0], view))
    is_forward = view is views[0]
    look = {"marker": marker, "fillstyle": "none", "markersize": 6 if is_forward else 5, "color": cell.color}
    plot_band(axes[0], gains, one, linestyle=cell.linestyle if is_forward else "none", **look)
    if not is_forward:
      plot_band(axes[1], gains, one - forward, linestyle=cell.linestyle, linewidth=0.8, **look)
  axes[0].set_title("three estimates", loc="left")
  axes[0].set_ylabel(with_unit("growth rate", data.growth_rate))
  axes[1].set_title("difference from the forward exponent", loc="left")
  axes[1].set_ylabel(with_unit("difference", data.growth_rate))
  for panel in axes:
    panel.axhline(0, color="0.3", linewidth=0.6)
    panel.set_xlabel("recurrent gain $W_s$")
  lines = [legend_line(color=cell.color, linestyle=cell.linestyle) for cell in cells]
  marks = [legend_line(color="0.3", linestyle="none", marker=m, fillstyle="none") for m in MARKERS.values()]
  figure.legend(lines + marks, [*(cell.label for cell in cells), *MARKERS], loc="outside upper center", ncols=6)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["recurrent_gain"], "ws")
  return data[["largest_exponent", "growth_rate", "adjoint_growth_rate"]].sel(norm="spectral", drop=True)


def finding(shown: xr.Dataset) -> str:
  views = [shown.growth_rate, shown.adjoint_growth_rate]
  apart = [np.abs((view - shown.largest_exponent).mean("seed")) for view in views]
  far = xr.concat(apart, "view").max(["view", "ws"]).to_dataset(name="difference")
  largest = each(far, lambda one: short(float(one.difference)))
  return (
    "In the mean over seeds, the slope of the product and the growth of the adjoint differ from the forward exponent by at most, "
    f"in nats per step: {largest}."
  )


FIGURE = FigureSpec(
  name="three_views",
  reads=("recurrent_gain",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  order=30,
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
