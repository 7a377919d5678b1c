"""Singular values of the Jacobian product at the W_s where its norm grows or shrinks least: how many directions are kept."""

import itertools
import sys

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, legend_line, new_figure
from analysis.wording import each, short

LOWEST = -4.0  # nats per step at the left edge; values beyond count, but are not shown
KEPT = 0.1  # nats per step; a direction that shrinks by less counts as kept
STYLES = ("-", ":")  # lines of the critical W_s and the next below


def cumulative(log_values: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
  """Returns ln σ of all seeds and directions in increasing order, and the share of values up to each; zeros (-inf) only count."""
  values = np.sort(log_values.values.ravel())
  values = values[~np.isnan(values)]  # a cell with fewer directions than others is filled up with NaN
  share = np.arange(1, values.size + 1) / max(values.size, 1)
  return values[np.isfinite(values)], share[np.isfinite(values)]


def critical_gains(one: xr.Dataset) -> list[int]:
  """Returns the index of the W_s at which the norm of a cell's product grows or shrinks least, and of the next W_s below."""
  rates = np.abs(one.growth_rate.sel(norm="spectral").mean("seed"))
  critical = int(rates.fillna(np.inf).argmin("ws"))
  return [i for i in (critical, critical - 1) if i >= 0]


def _panel(panel: Axes, one: xr.Dataset, shades: np.ndarray) -> float:
  """Draws the distributions of one cell and returns the largest rate."""
  right, lags = 0.0, one.sv_lag.values
  chosen = critical_gains(one)
  for (gain, linestyle), i in itertools.product(zip(chosen, STYLES, strict=False), range(len(lags))):
    values, share = cumulative(one.log_singular_value.isel(sv_lag=i, ws=gain))
    rates = values / lags[i]
    right = max(right, rates.max(initial=0))
    panel.plot(rates, share, color=shades[i], linestyle=linestyle, linewidth=1.2 if gain == chosen[0] else 0.9)
  panel.axvline(0, color="black", linewidth=0.6)
  gains = " (solid), ".join(f"{float(one.ws[i]):g}" for i in chosen) + " (dotted)" * (len(chosen) > 1)
  panel.set_title(f"{cell_style(str(one.cell.values)).label}, $W_s$ = {gains}", loc="left")
  panel.set_xlabel(r"ln $\sigma_i$ / lag (nats per step)")
  return right


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["recurrent_gain"], "ws")
  lags = data.sv_lag.values
  shades = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(lags)))
  figure, (axes,) = new_figure(PAGE, 2.5, 1, data.sizes["cell"], sharex=True, sharey=True)
  right = max(_panel(panel, data.isel(cell=i), shades) for i, panel in enumerate(axes))
  axes[0].set_xlim(LOWEST, right + 0.2)
  axes[0].set_ylabel(r"share of values $\leq\sigma_i$")
  lines = [legend_line(color=shade) for shade in shades] + [legend_line(color="0.3", linestyle=s) for s in STYLES]
  names = [*(f"lag {lag}" for lag in lags), "$W_s$ of growth nearest to 0", "next $W_s$ below"]
  figure.legend(lines, names, loc="outside upper center", ncols=5)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["recurrent_gain"], "ws")
  chosen = [critical_gains(data.sel(cell=cell)) for cell in data.cell.values]
  is_shown = xr.DataArray([data.ws.isin(data.ws[i]).values for i in chosen], dims=("cell", "ws"))
  return (data.log_singular_value / data.sv_lag).where(is_shown).to_dataset(name="rate")


def finding(shown: xr.Dataset) -> str:
  far = shown.isel(sv_lag=-1)

  def kept(one: xr.Dataset) -> str:
    rates = one.rate.dropna("ws", how="all").isel(ws=-1)
    share = float((rates > -KEPT).sum() / rates.notnull().sum())
    return f"{short(100 * share)} % (W_s = {float(rates.ws):g})"

  return (
    f"Share of directions that shrink by less than {KEPT:g} nats per step over {int(far.sv_lag)} steps, at the W_s where the "
    f"norm grows or shrinks least: {each(far, kept)}."
  )


FIGURE = FigureSpec(
  name="isometry",
  reads=("recurrent_gain",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"rate": TableSpec("ln σ_i / lag (nats per step)")},
  order=70,
  title="How many directions does the product keep near its critical gain?",
  over_seeds="pooled",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
