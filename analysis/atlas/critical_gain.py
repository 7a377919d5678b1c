"""The critical gain of every cell: the recurrent gain W_s at which the growth rate of the product crosses 0.

For each seed, the first crossing between two gains of the sweep, by a straight line between them. A filled mark is the mean over
seeds with its 95 % interval. Where the products of some seed grow at every gain, or at none, a hollow mark is the median and the
line is the range of all seeds, which ends at an edge. A triangle at an edge is a median beyond it.
"""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.atlas._kinds import KINDS, kind, label, some
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import COLUMN, confidence_band, legend_line, new_figure
from analysis.wording import short


def crossing(gains: np.ndarray, rates: np.ndarray) -> float:
  """Returns the gain at which the rates first rise through 0: 0 if they start above it, infinity if they never do."""
  if rates[0] >= 0:
    return 0.0
  above = np.flatnonzero(rates >= 0)
  if not above.size:
    return np.inf
  i = above[0]
  share = rates[i] / (rates[i] - rates[i - 1])  # 0 where the rate before is -inf
  return float(gains[i] - share * (gains[i] - gains[i - 1]))


def crossings(rates: xr.DataArray) -> xr.DataArray:
  """Returns the critical gain of each seed from growth rates `[..., ws]`."""
  gains = rates.ws.values
  return xr.apply_ufunc(lambda seed: crossing(gains, seed), rates, input_core_dims=[["ws"]], vectorize=True)


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["critical_gain"], "ws")
  rates = data.growth_rate.sel(norm="spectral", drop=True).transpose("cell", "seed", "ws")
  return xr.Dataset({"critical_gain": crossings(rates), "growth_rate": rates})


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  gains = data.ws.values
  critical = data.critical_gain
  middle = critical.median("seed")
  cells = middle.cell.values[np.argsort(middle.values, kind="stable")].tolist()
  figure, ((axes,),) = new_figure(COLUMN + 1, 0.115 * len(cells) + 1.0)
  for place, cell in enumerate(cells):
    one = critical.sel(cell=cell)
    color, marker = KINDS[kind(cell)]
    if np.isfinite(one).all() and (one > 0).all():
      band = confidence_band(one)
      axes.plot([band.low, band.high], [place, place], color=color, linewidth=0.8)
      axes.plot(band.mean, place, marker, color=color, markersize=3)
    else:
      low, high = (float(np.clip(end, gains[0], gains[-1])) for end in (one.min(), one.max()))
      at = float(middle.sel(cell=cell))
      edge = "<" if at < gains[0] else ">" if at > gains[-1] else marker
      axes.plot([low, high], [place, place], color=color, linewidth=0.8)
      axes.plot(np.clip(at, gains[0], gains[-1]), place, edge, color=color, fillstyle="none", markersize=3)
  axes.set_yticks(range(len(cells)), [label(cell) for cell in cells], fontsize=5)
  axes.set_ylim(-1, len(cells))
  axes.set_xlabel("critical gain $W_s$")
  used = {kind(cell) for cell in cells}
  shown = {name: look for name, look in KINDS.items() if name in used}
  lines = [legend_line(color=color, marker=marker, linestyle="none") for color, marker in shown.values()]
  axes.legend(lines, list(shown), loc="lower right")
  return figure


def finding(shown: xr.Dataset) -> str:
  middle = shown.critical_gain.median("seed")
  inside = middle[(np.isfinite(middle) & (middle > 0)).values]
  never = [label(cell) for cell in middle.cell.values[np.isinf(middle.values)].tolist()]
  said = f"{inside.size} of {middle.size} cells cross 0 within the sweep"
  if inside.size:
    ends = [
      f"{short(float(inside.sel(cell=cell)))} ({label(cell)})"
      for cell in (inside.idxmin().item(), inside.idxmax().item())
    ]
    said += f", at gains from {ends[0]} to {ends[1]}"
  return f"{said}." + (f" These never grow up to the largest gain: {some(never)}." if never else "")


FIGURE = FigureSpec(
  name="critical_gain",
  reads=("critical_gain",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "critical_gain": TableSpec("critical gain W_s", "median"),
    "growth_rate": TableSpec("growth rate (nats per step)"),
  },
  order=30,
  title="At which gain does the product of each cell begin to grow?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
