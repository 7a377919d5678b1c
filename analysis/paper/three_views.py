"""One growth rate measured in three ways: forward Lyapunov exponent, slope of ln ‖∏ J‖₂, growth of the adjoint ∂L/∂S_k."""

import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, confidence_band, legend_line, plot_band
from analysis.wording import each, short, with_unit
from sweepkit.words import FEW

MARKERS = {"slope of the product": "o", "growth of the adjoint": "x"}  # beside the forward exponent, which is a line
SHIFT = 0.08  # part of the distance between two W_s, so that bars stand beside each other


def _estimates(panel: Axes, data: xr.Dataset) -> None:
  """Draws all three estimates of all cells: the forward exponent as a line, the others as marks on it."""
  gains = data.ws.values
  for one in (data.isel(cell=i) for i in range(data.sizes["cell"])):
    cell = cell_style(str(one.cell.values))
    look: Any = {"color": cell.color, "fillstyle": "none", "markersize": 5}
    plot_band(panel, gains, one.largest_exponent.transpose("seed", "ws"), color=cell.color, linestyle=cell.linestyle)
    for view, marker in zip((one.growth_rate, one.adjoint_growth_rate), MARKERS.values(), strict=True):
      panel.plot(gains, view.mean("seed", skipna=False), linestyle="none", marker=marker, **look)
  panel.axhline(0, color="0.3", linewidth=0.6)
  panel.set_title("three estimates", loc="left")
  panel.set_ylabel(with_unit("growth rate", data.growth_rate))
  panel.set_xlabel("recurrent gain $W_s$")


def _differences(panel: Axes, one: xr.Dataset) -> None:
  """Draws how far the other two estimates of a cell are from its forward exponent, with the interval of the mean."""
  cell = cell_style(str(one.cell.values))
  gains = one.ws.values
  step = SHIFT * float(np.diff(gains).min(initial=np.inf)) if gains.size > 1 else 0.0
  for side, view, marker in zip((-1, 1), (one.growth_rate, one.adjoint_growth_rate), MARKERS.values(), strict=True):
    band = confidence_band(1000 * (view - one.largest_exponent).transpose("seed", "ws"))
    bars = (band.mean - band.low, band.high - band.mean) if one.sizes["seed"] >= FEW else None
    look: Any = {"marker": marker, "fillstyle": "none", "markersize": 3.5, "color": cell.color, "linestyle": "none"}
    panel.errorbar(gains + side * step, band.mean, yerr=bars, elinewidth=0.8, **look)
  panel.axhline(0, color="0.3", linewidth=0.6)
  panel.set_title(f"{cell.label}: difference from the forward exponent", loc="left")


def _views(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["recurrent_gain"], "ws")
  return data[["largest_exponent", "growth_rate", "adjoint_growth_rate"]].sel(norm="spectral", drop=True)


def draw(datasets: Datasets) -> Figure:
  data = _views(datasets)
  cells = data.cell.values.tolist()
  figure = Figure(figsize=(PAGE, 0.7 + 0.85 * max(len(cells), 2)), layout="constrained")
  axes = figure.subplot_mosaic([["all", cell] for cell in cells])
  _estimates(axes["all"], data)
  for cell in cells:
    _differences(axes[cell], data.sel(cell=cell))
    axes[cell].sharex(axes["all"])
    axes[cell].tick_params(labelbottom=cell == cells[-1])
  axes[cells[len(cells) // 2]].set_ylabel("difference ($10^{-3}$ nats per step)")
  axes[cells[-1]].set_xlabel("recurrent gain $W_s$")
  styles = [cell_style(cell) for cell in cells]
  lines = [legend_line(color=cell.color, linestyle=cell.linestyle) for cell in styles] + [legend_line(color="0.3")]
  marks = [legend_line(color="0.3", linestyle="none", marker=m, fillstyle="none") for m in MARKERS.values()]
  names = [*(cell.label for cell in styles), "line: forward exponent", *MARKERS]
  figure.legend(lines + marks, names, loc="outside upper center", ncols=6)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  return _views(datasets)


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
  title="Do three ways to measure the growth rate agree?",
  over_seeds="bars",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
