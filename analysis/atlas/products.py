"""The norm of the Jacobian product by lag, for every cell.

Each panel is one cell at its recommended initialisation: ln of the spectral norm (line) and of the Frobenius norm divided by √n
(dotted), mean and 95 % band over seeds. All panels share their axes; what lies below the lower edge has vanished. The number is
the growth rate of the spectral norm in nats per step.
"""

import math
import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.atlas._kinds import KINDS, kind, label, some
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, new_figure, plot_band
from analysis.wording import short

COLUMNS, LOWEST, HIGHEST = 8, -12, 6


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["atlas"])
  return data[["log_norm", "growth_rate"]]


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  cells = data.cell.values.tolist()
  rows = math.ceil(len(cells) / COLUMNS)
  figure, axes = new_figure(PAGE, 0.72 * rows + 0.5, rows, COLUMNS, sharex=True, sharey=True)
  for panel, cell in zip(axes.flat, cells, strict=False):
    one = data.sel(cell=cell)
    color, _ = KINDS[kind(cell)]
    for norm, linestyle in (("spectral", "-"), ("frobenius", ":")):
      values = one.log_norm.sel(norm=norm).transpose("seed", "lag")
      plot_band(
        panel, data.lag.values, values.where(np.isfinite(values)), color=color, linestyle=linestyle, linewidth=0.8
      )
    rate = float(one.growth_rate.sel(norm="spectral").mean())
    panel.set_title(label(cell), fontsize=5, loc="center", pad=1.5, color=color)
    panel.text(0.97, 0.93, short(rate), transform=panel.transAxes, ha="right", va="top", fontsize=4.5, color="0.3")
    panel.axhline(0, color="0.3", linewidth=0.4)
    panel.tick_params(labelsize=4.5, length=1.5)
  for panel in axes.flat[len(cells) :]:
    panel.set_visible(False)
  axes.flat[0].set_ylim(LOWEST, HIGHEST)
  figure.supxlabel("lag (steps)\n", fontsize=7)  # the line below is for the source
  figure.supylabel("ln of the norm (nats)", fontsize=7)
  return figure


def finding(shown: xr.Dataset) -> str:
  rate = shown.growth_rate.sel(norm="spectral").mean("seed")
  growing = [label(cell) for cell in rate.cell.values[rate.values > 0].tolist()]
  said = f"{len(growing)} of {rate.size} products grow" + (f" ({some(growing)})." if growing else ".")
  if not np.isfinite(rate).any():
    return said
  finite = rate[np.isfinite(rate).values]
  return f"{said} {label(finite.idxmin().item())} forgets fastest ({short(float(finite.min()))} nats per step)."


FIGURE = FigureSpec(
  name="products",
  reads=("atlas",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"log_norm": TableSpec(over_seeds="none"), "growth_rate": TableSpec("growth rate (nats per step)")},
  order=20,
  title="Where does the Jacobian product of each cell go?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
