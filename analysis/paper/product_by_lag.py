"""ln ‖∏ J‖₂, the logarithm of the spectral norm of the Jacobian product, against lag: one panel per cell, one curve per W_s."""

import sys

import matplotlib as mpl
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, new_figure, plot_band
from analysis.wording import each, trend, with_unit

CURVES = 5  # values of W_s that one panel shows


def shown_gains(data: xr.Dataset) -> list[int]:
  """Returns the indices of evenly spaced values of W_s, as many as a panel shows."""
  return sorted({int(i) for i in np.linspace(0, data.sizes["ws"] - 1, CURVES).round()})


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["recurrent_gain"], "ws")
  cells = [str(cell) for cell in data.cell.values]
  shown = shown_gains(data)
  figure, axes = new_figure(PAGE, 2.4, 1, len(cells), sharex=True, sharey=True)
  shades = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(shown)))
  for panel, cell in zip(axes[0], cells, strict=True):
    for i, shade in zip(shown, shades, strict=True):
      values = data.log_norm.sel(cell=cell, norm="spectral").isel(ws=i).transpose("seed", "lag")
      plot_band(panel, data.lag.values, values, color=shade, label=f"$W_s$ = {float(data.ws[i]):g}")
    panel.axhline(0, color="0.3", linewidth=0.6)
    panel.set_title(cell_style(cell).label, loc="left")
    panel.set_xlabel(with_unit("lag", data.lag))
  axes[0, 0].set_ylabel(with_unit(r"ln $\Vert\;\prod\;\partial S_j/\partial S_{j-1}\;\Vert_2$", data.log_norm))
  axes[0, -1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), reverse=True)  # in the order of the curves
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["recurrent_gain"], "ws")
  return data[["log_norm"]].sel(norm="spectral", drop=True).isel(ws=shown_gains(data))


def finding(shown: xr.Dataset) -> str:
  last = shown.log_norm.isel(lag=-1).to_dataset()
  gains = " to ".join(f"{gain:g}" for gain in shown.ws.values[[0, -1]])
  moves = each(last, lambda one: trend(one.log_norm, "ws"))
  return f"Logarithm of the norm over {int(shown.lag[-1])} steps, from W_s = {gains}, in nats: {moves}."


FIGURE = FigureSpec(
  name="product_by_lag",
  reads=("recurrent_gain",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  order=10,
  title="Does the Jacobian product grow or vanish with the lag?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
