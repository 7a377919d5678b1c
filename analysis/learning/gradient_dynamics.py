"""Gradients during training on the adding problem: how far back ∂L/∂S_k reaches, and the growth rates that decide it."""

import sys

import matplotlib as mpl
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, cell_style, legend_line, new_figure, plot_band
from analysis.wording import each, trend
from sweepkit.store import ResultsError

CELLS = ("rnn", "lstm", "gru")
RATES = {  # growth rates, in nats per step
  "largest_exponent": (r"$\lambda_1$", {"linestyle": "-"}),
  "product_growth": (r"slope of ln $\Vert\;\prod\;J\;\Vert_F$", {"linestyle": "--", "fillstyle": "none"}),
}


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["adding"], "layers")
  shown = {cell: one for (cell, layers), one in runs(data, "cell", "layers") if cell in CELLS and layers == 1}
  if not shown:
    raise ResultsError(
      f"{data.attrs['source']} holds none of {', '.join(CELLS)} with one layer; there is nothing to draw."
    )
  seen = np.any([one.log_adjoint.notnull().any(("seed", "lag")) for one in shown.values()], axis=0)
  updates = data.watched_update.values[seen]
  shades = mpl.colormaps["viridis_r"](np.linspace(0.1, 1, len(updates)))  # light to dark
  figure, axes = new_figure(PAGE, 3.9, 2, len(shown), sharex="row", sharey="row", height_ratios=[1.6, 1])
  for (lags, rates), (cell, one) in zip(axes.T, shown.items(), strict=True):
    one = one.sel(watched_update=updates)
    label, color, marker, _ = cell_style(cell)
    adjoint = (one.log_adjoint - one.log_adjoint.isel(lag=0)).transpose("watched_update", "seed", "lag")
    for shade, values in zip(shades, adjoint, strict=True):
      plot_band(lags, data.lag.values, values, color=shade)
    for name, (_, look) in RATES.items():
      plot_band(rates, updates, one[name].transpose("seed", "watched_update"), color=color, marker=marker, **look)
    for panel in (lags, rates):
      panel.axhline(0, color="0.3", linewidth=0.6)
    lags.set_title(f"{label}, by lag", loc="left")
    lags.set_xlabel("lag $l$ (steps)")
    rates.set_title(f"{label}, in training", loc="left")
    rates.set_xlabel("update")
  axes[0, 0].set_ylabel(r"ln $\Vert\partial L/\partial S_{T-l}\Vert\,/\,\Vert\partial L/\partial S_T\Vert$ (nats)")
  axes[1, 0].set_ylabel("nats per step")
  axes[0, -1].legend(
    [legend_line(color=shade) for shade in shades],
    [f"update {update}" for update in updates],
    loc="center left",
    bbox_to_anchor=(1.0, 0.5),
  )
  lines = [legend_line(color="0.3", marker="o", **look) for _, look in RATES.values()]
  axes[1, -1].legend(lines, [name for name, _ in RATES.values()], loc="center left", bbox_to_anchor=(1.0, 0.5))
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["adding"], "layers").sel(layers=1, drop=True)
  data = data.sel(cell=[cell for cell in CELLS if cell in data.cell])
  relative = data.log_adjoint - data.log_adjoint.isel(lag=0)
  return data[list(RATES)].assign(log_adjoint=relative)


def finding(shown: xr.Dataset) -> str:
  far = shown[["log_adjoint"]].isel(lag=-1)
  moves = each(far, lambda one: trend(one.log_adjoint, "watched_update"))
  return (
    f"ln ‖∂L/∂S_k‖ at lag {int(far.lag)}, relative to that at lag 0, from the first to the last watched update: "
    f"{moves}."
  )


FIGURE = FigureSpec(
  name="gradient_dynamics",
  reads=("adding",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"log_adjoint": TableSpec("ln ‖∂L/∂S_(T−l)‖ − ln ‖∂L/∂S_T‖ (nats)")},
  order=40,
  title="How far back do gradients reach during training?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
