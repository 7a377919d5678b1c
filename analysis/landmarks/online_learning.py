"""Gradients computed forward in time beside backpropagation: what they keep of it, and their error, by lag and by recurrent gain.

Top: the projection of an estimate on the gradient of a lag; 1 keeps all of it, 0 none. UORO, whose mean is the gradient, is left
out. Middle: the root mean square distance of an estimate from the gradient, relative to the gradient; every seed as a thin line,
and their median. Both rows are at the W_s nearest 1. Bottom: the cosine of an estimate and the gradient of all lags together.
e-prop keeps the paths within a unit, and its carry those of them that pass no weight.
"""

import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, legend_line, new_figure, plot_band, plot_seeds
from analysis.wording import each, short, with_unit

LOOKS: dict[str, dict[str, Any]] = {
  "rtrl": {"color": "black", "linestyle": "-", "linewidth": 0.8},
  "uoro": {"color": "#CC79A7", "linestyle": "-", "linewidth": 1.0},
  "snap1": {"color": "#56B4E9", "linestyle": "-", "linewidth": 2.4},
  "eprop": {"color": "#0072B2", "linestyle": "--", "linewidth": 1.0},
  "eprop_carry": {"color": "#D55E00", "linestyle": "-.", "linewidth": 1.0},
}
NAMES = {"rtrl": "RTRL", "uoro": "UORO", "snap1": "SnAp-1", "eprop": "e-prop", "eprop_carry": "carry of e-prop"}
RANDOM, EXACT = "uoro", "rtrl"


def at_gain(data: xr.Dataset) -> xr.Dataset:
  """Returns the results at the W_s nearest 1."""
  return data.sel(ws=data.ws.values[np.abs(data.ws.values - 1).argmin()])


def error(data: xr.Dataset) -> xr.DataArray:
  """Returns the root mean square error of an estimate at each lag, relative to the gradient."""
  return np.sqrt(data.relative_bias**2 + data.relative_deviation**2)


def _column(panels: list[Axes], data: xr.Dataset) -> None:
  """Draws one cell: the share kept and the error by lag, and the cosine by gain."""
  kept, wrong, cosine = panels
  here = at_gain(data)
  lags = data.lag.values
  for method, look in LOOKS.items():
    one = here.sel(estimator=method)
    if method != RANDOM:
      plot_band(kept, lags, one.kept.transpose("seed", "lag"), **look)
    if method != EXACT:  # it has rounding errors alone
      plot_seeds(wrong, lags, error(one).transpose("seed", "lag"), **look)
    plot_band(cosine, data.ws.values, data.whole_cosine.sel(estimator=method).transpose("seed", "ws"), **look)
  kept.set(ylim=(-0.25, 1.25), xlim=lags[[0, -1]])
  wrong.set(yscale="log", ylim=(0.1, None), xlim=lags[[0, -1]], xlabel=with_unit("lag", data.lag))
  cosine.set(ylim=(-0.1, 1.05), xlabel="recurrent gain $W_s$")
  label = cell_style(str(data.cell.values)).label
  for panel in (kept, wrong):
    panel.set_title(f"{label}, $W_s$ = {float(here.ws):g}", loc="left")
  cosine.set_title(label, loc="left")


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["online_learning"], "ws")
  cells = data.cell.values.tolist()
  figure, axes = new_figure(PAGE, 5.6, 3, len(cells), sharey="row")
  for column, cell in zip(axes.T, cells, strict=True):
    _column(list(column), data.sel(cell=cell))
  for panel, label in zip(axes[:, 0], ("share kept", "relative error", "cosine, all lags"), strict=True):
    panel.set_ylabel(label)
  figure.legend(
    [legend_line(**look) for look in LOOKS.values()], list(NAMES.values()), loc="outside upper left", ncols=5
  )
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["online_learning"], "ws")
  here = at_gain(data)
  by_lag = here[["kept"]].assign(relative_error=error(here)).drop_vars("ws")
  return xr.merge([by_lag, data[["whole_cosine"]]]).transpose("estimator", ...)


def finding(shown: xr.Dataset) -> str:
  """Names the share of the gradient kept at lag 1 and the cosine of all lags, each as means over seeds."""
  lag = int(shown.lag.values[min(1, shown.sizes["lag"] - 1)])
  exact = float(shown.whole_cosine.sel(estimator=EXACT).min())

  def say(one: xr.Dataset) -> str:
    kept = one.kept.sel(lag=lag).mean("seed")
    noise = one.relative_error.sel(estimator=RANDOM, lag=lag).median("seed")
    shares = ", ".join(f"{NAMES[name]} {short(float(kept.sel(estimator=name)))}" for name in ("snap1", "eprop_carry"))
    return f"{shares}, error of UORO {short(float(noise))}"

  said = each(shown, say)
  return f"RTRL has a cosine of at least {short(exact)}. Share of the gradient kept at lag {lag}, and relative error: {said}."


FIGURE = FigureSpec(
  name="online_learning",
  reads=("online_learning",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"relative_error": TableSpec("root mean square error, relative to the gradient", over_seeds="median")},
  order=10,
  title="How much of the gradient do online methods keep?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
