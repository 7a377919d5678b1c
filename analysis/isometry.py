"""All singular values of the product where its norm neither grows nor shrinks: few directions keep their length."""

import sys

import matplotlib as mpl
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, Plot, main, only_axes
from analysis.style import PAGE, cell_style, legend_line, new_figure

LOWEST = -4.0  # nats per step at the left edge; the tail beyond counts, and is not shown
STYLES = ("-", ":")  # of the critical W_s and the one below


def cumulative(log_values: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
  """ln σ of all seeds and units, increasing, and the share up to there; zeros (-inf) count, but are not returned."""
  values = np.sort(log_values.values.ravel())
  values = values[~np.isnan(values)]  # of cells with fewer directions than others
  share = np.arange(1, values.size + 1) / max(values.size, 1)
  return values[np.isfinite(values)], share[np.isfinite(values)]


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["recurrent_gain"], "ws")
  lags = data.sv_lag.values
  shades = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(lags)))
  rates = np.abs(data.growth_rate.sel(norm="spectral").mean("seed"))
  right = 0.0
  figure, (axes,) = new_figure(PAGE, 2.5, 1, data.sizes["cell"], sharex=True, sharey=True)
  for panel, cell in zip(axes, map(str, data.cell.values), strict=True):
    critical = int(rates.sel(cell=cell).fillna(np.inf).argmin("ws"))
    chosen = [i for i in (critical, critical - 1) if i >= 0]
    for i, linestyle in zip(chosen, STYLES, strict=False):
      for lag, shade in zip(lags, shades, strict=True):
        values, share = cumulative(data.log_singular_value.sel(cell=cell, sv_lag=lag).isel(ws=i))
        right = max(right, (values / lag).max(initial=0))
        panel.plot(values / lag, share, color=shade, linestyle=linestyle, linewidth=1.2 if i == critical else 0.9)
    panel.axvline(0, color="black", linewidth=0.6)
    gains = ", ".join(f"{float(data.ws[i]):g}" for i in chosen)
    panel.set_title(f"{cell_style(cell).label}, $W_s$ = {gains}", loc="left")
    panel.set_xlabel(r"ln $\sigma_i$ / lag (nats per step)")
  axes[0].set_xlim(LOWEST, right + 0.2)
  axes[0].set_ylabel(r"share of values $\leq\sigma_i$")
  lines = [legend_line(color=shade) for shade in shades] + [legend_line(color="0.3", linestyle=s) for s in STYLES]
  names = [*(f"lag {lag}" for lag in lags), "$W_s$ of growth nearest to 0", "next $W_s$ below"]
  figure.legend(lines, names, loc="outside upper center", ncols=5)
  return figure


PLOT = Plot("isometry", ("recurrent_gain",), draw)

if __name__ == "__main__":
  sys.exit(main(PLOT))
