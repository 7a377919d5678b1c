"""The transition to chaos of tanh nets with heavy-tailed weights, against the gain g.

Top: λ₁ by the stability index α of the weights, for each number of units N; the median over seeds, and the middle half of
them as a band. Middle: the share of nets whose λ₁ is positive by more than five standard errors. Bottom: the Kaplan–Yorke
dimension per unit, for the sizes whose whole spectrum was computed; the same median and band. The weights have scale g / N^{1/α}.
α = 2 is Gaussian, with its transition at g = 1/√2 for large N (dotted line).
"""

import sys

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import one_cell
from analysis.style import PAGE, new_figure
from analysis.wording import short, with_unit
from sweepkit.curves import crossings

AXES = ("alpha", "hidden_size", "ws")
GAUSSIAN = 1 / np.sqrt(2)  # entries of variance 2 g² / N have spectral radius √2 g for large N
SHOWN = ("largest_exponent", "is_chaotic", "dimension_share")


def numbers(datasets: Datasets) -> xr.Dataset:
  data = one_cell(datasets["heavy_tails"], *AXES)
  return data[list(SHOWN)].transpose(*AXES, "seed")


def transition(chaotic: xr.DataArray) -> float:
  """Returns the gain at which the share of chaotic nets rises through a half for the first time, NaN if it does not."""
  share = chaotic.mean("seed", skipna=False)
  found = [c for c in crossings(share.ws.values.tolist(), (share.values - 0.5).tolist()) if c.rises]
  return (found[0].before + found[0].after) / 2 if found else np.nan


def _quartiles(panel: Axes, values: xr.DataArray, color: object, label: str) -> None:
  if not values.notnull().any():
    return
  low, middle, high = values.quantile([0.25, 0.5, 0.75], "seed").values
  panel.plot(values.ws.values, middle, color=color, marker="o", markersize=2.5, label=label)
  panel.fill_between(values.ws.values, low, high, color=color, alpha=0.15, linewidth=0)


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  alphas, sizes = data.alpha.values.tolist(), data.hidden_size.values.tolist()
  colors = colormaps["viridis"](np.linspace(0.85, 0.0, len(sizes)))
  figure, axes = new_figure(PAGE, 5.2, 3, len(alphas), sharex=True, sharey="row")
  for column, alpha in zip(axes.T, alphas, strict=True):
    for size, color in zip(sizes, colors, strict=True):
      one = data.sel(alpha=alpha, hidden_size=size)
      _quartiles(column[0], one.largest_exponent, color, f"N = {size}")
      column[1].plot(one.ws.values, one.is_chaotic.mean("seed").values, color=color, marker="o", markersize=2.5)
      _quartiles(column[2], one.dimension_share, color, f"N = {size}")
    for panel in column:
      panel.set_xscale("log")
      if alpha == 2:
        panel.axvline(GAUSSIAN, color="0.4", linestyle=":", linewidth=0.8)
    column[0].axhline(0, color="0.3", linewidth=0.6)
    column[0].set_title(f"α = {alpha:g}", loc="left")
    ticks = [gain for gain in (0.3, 0.5, 0.7, 1, 2, 3) if data.ws[0] <= gain <= data.ws[-1]]
    column[2].set_xticks(ticks, [f"{gain:g}" for gain in ticks])
    column[2].minorticks_off()
    column[2].set_xlabel("gain g")
  for panel, said in zip(
    axes[:, 0], (with_unit("λ₁", data.largest_exponent), "share of chaotic nets", "$D_{KY}$ / N"), strict=True
  ):
    panel.set_ylabel(said)
  handles, labels = axes[0, 0].get_legend_handles_labels()
  figure.legend(handles, labels, loc="outside upper left", ncols=len(sizes))
  return figure


def finding(shown: xr.Dataset) -> str:
  """Names the gain at which half of the nets are chaotic at the smallest and the largest size, and the largest dimension."""
  sizes = shown.hidden_size.values[[0, -1]].tolist()
  parts = []
  for alpha in shown.alpha.values.tolist():
    gains = [transition(shown.is_chaotic.sel(alpha=alpha, hidden_size=size)) for size in sizes]
    said = f"α = {alpha:g} at {short(gains[0])} for N = {sizes[0]} and {short(gains[1])} for N = {sizes[1]}"
    dimension = shown.dimension_share.sel(alpha=alpha).median("seed").max()
    if np.isfinite(dimension):
      said += f", with a dimension of up to {short(float(dimension))} N"
    parts.append(said)
  return f"Gain at which half of the nets are chaotic (– if none was reached): {'; '.join(parts)}."


FIGURE = FigureSpec(
  name="heavy_tails",
  reads=("heavy_tails",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "largest_exponent": TableSpec("largest Lyapunov exponent λ₁ (nats per step)", over_seeds="median"),
    "is_chaotic": TableSpec("chaotic nets", over_seeds="count"),
    "dimension_share": TableSpec("Kaplan–Yorke dimension / N", over_seeds="median"),
  },
  order=50,
  title="When do nets with heavy-tailed weights become chaotic?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
