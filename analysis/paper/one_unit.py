"""One unit: where its orbits settle and their Lyapunov exponents, with the fixed points and 2-cycles of S = tanh(w S + b)."""

import sys

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import one_cell
from analysis.style import PAGE, THEORY, cell_style, legend_line, new_figure
from analysis.wording import short, with_unit

UNSTABLE = THEORY | {"linestyle": ":"}
LOWEST = -3.0  # nats per step at the lower edge; the exponent at w = 0 is -inf


def branches(bias: float, limit: float) -> list[tuple[np.ndarray, np.ndarray]]:
  """Returns (w, S) along the fixed points, w = (atanh S - b) / S; for b = 0 also S = 0 and the 2-cycle ±S, w = -atanh S / S."""
  s = np.tanh(np.geomspace(1e-4, 1 + 2 * limit, 4001))
  result = [((np.arctanh(half) - bias) / half, half) for half in (s, -s)]
  if bias == 0:
    w = np.linspace(-limit, limit, 801)
    result += [*((-w_fixed, half) for w_fixed, half in result), (w, np.zeros_like(w))]
  return [(np.where(np.abs(w) <= limit, w, np.nan), half) for w, half in result]


def plot_theory(orbit: Axes, exponent: Axes, bias: float, limit: float) -> None:
  """Draws fixed points and 2-cycles for |w| up to `limit`, and the exponents of those that are stable."""
  for w, s in branches(bias, limit):
    with np.errstate(divide="ignore"):
      rate = np.log(np.abs(w * (1 - s**2)))  # also for the 2-cycle, because both of its states have the same slope
    orbit.plot(w, np.where(rate <= 0, s, np.nan), **THEORY)
    orbit.plot(w, np.where(rate > 0, s, np.nan), **UNSTABLE)
    exponent.plot(w, np.where(rate <= 0, rate, np.nan), **THEORY)


def draw(datasets: Datasets) -> Figure:
  data = one_cell(datasets["one_unit"], "ws", "bias")
  gains, limit = data.ws.values, float(np.abs(data.ws).max())
  look = {"linestyle": "none", "color": cell_style("rnn").color, "marker": "o", "markersize": 2.6, "markeredgewidth": 0}
  figure, axes = new_figure(PAGE, 4.0, 2, data.sizes["bias"], sharex=True, sharey="row")
  for (orbit, exponent), bias in zip(axes.T, data.bias.values, strict=True):
    one = data.sel(bias=bias)
    orbit.plot(gains, one.state.stack(all=("seed", "kept")).transpose("ws", "all").values, **look)
    rates = one.exponent.transpose("ws", "seed").values
    exponent.plot(gains, np.where(np.isfinite(rates), rates, np.nan), **look)
    if str(data.cell.values) == "rnn":
      plot_theory(orbit, exponent, float(bias), limit)
    exponent.axhline(0, color="0.3", linewidth=0.6)
    exponent.set_ylim(LOWEST, 0.3)
    exponent.set_xlabel("recurrent weight $w$")
    orbit.set_title(f"end of the orbits, $b$ = {bias:g}", loc="left")
    exponent.set_title(f"exponent, $b$ = {bias:g}", loc="left")
  axes[0, 0].set_ylabel("state $S$")
  axes[1, 0].set_ylabel(with_unit("exponent", data.exponent))
  lines = [legend_line(**look), legend_line(**THEORY), legend_line(**UNSTABLE)]
  names = ["measured, all seeds", "stable: fixed point, 2-cycle at $b$ = 0", "unstable fixed point"]
  figure.legend(lines, names, loc="outside upper center", ncols=3)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  return one_cell(datasets["one_unit"], "ws", "bias").drop_vars("cell")[["exponent", "state"]]


def finding(shown: xr.Dataset) -> str:
  rates = shown.exponent
  return (
    f"Of {int(rates.notnull().sum())} orbits, {int((rates > 0).sum())} have an exponent above 0. The largest exponent is "
    f"{short(float(rates.max()))} nats per step, for w from {float(shown.ws.min()):g} to {float(shown.ws.max()):g}."
  )


FIGURE = FigureSpec(
  name="one_unit",
  reads=("one_unit",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"state": TableSpec(over_seeds="none")},
  order=40,
  title="Where does a single unit settle, and can its gradient explode?",
  over_seeds="all",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
