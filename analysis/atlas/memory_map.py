"""The map of all cells: how far each remembers against the growth rate of its Jacobian product.

The memory is the first lag at which the spectral norm of the product is below 1/e. Cells that never fall below it within the
sequence are at the upper edge, drawn hollow. The line is the memory -1/rate that the growth rate alone would give. Each cell is
the median over seeds at its recommended initialisation.
"""

from collections.abc import Sequence
import sys

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from scipy import stats
import xarray as xr

from analysis.atlas._kinds import KINDS, kind, label, some
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, THEORY, legend_line, new_figure
from analysis.wording import short

LINEAR = 1e-3  # rates closer to 0 than this are on a linear scale, nats per step


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["atlas"]).sel(norm="spectral", drop=True)
  return data[
    ["growth_rate", "first_lag_below", "adjoint_growth_rate", "participation_ratio", "parameters", "state_size"]
  ]


def _label(axes: Axes, places: Sequence[tuple[float, float, str, str]]) -> None:
  """Writes the names beside their points, each moved up or down until it covers no other."""
  axes.figure.canvas.draw()
  taken: list[tuple[float, float, float]] = []
  for x, y, name, color in sorted(places, key=lambda place: (place[1], place[0])):
    at = axes.transData.transform((x, y))
    width = 2.9 * len(name)  # pixels of this font at 100 dots per inch
    height, row = 6.5, 0
    while any(abs(at[0] - u) < (width + w) / 2 and abs(at[1] + row * height - v) < height for u, v, w in taken):
      row = -row if row > 0 else 1 - row
    where = (at[0], at[1] + row * height, width)
    taken.append(where)
    axes.annotate(
      name,
      (x, y),
      xytext=(4, 72 / 100 * row * height),
      textcoords="offset points",
      fontsize=4.5,
      color=color,
      va="center",
      arrowprops={"arrowstyle": "-", "linewidth": 0.2, "color": "0.7", "shrinkA": 0, "shrinkB": 1} if row else None,
    )


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  steps = float(datasets["atlas"].lag.max())
  figure, ((axes,),) = new_figure(PAGE, 5.6)
  places = []
  for cell in data.cell.values.tolist():
    one = data.sel(cell=cell)
    rate, lag = float(one.growth_rate.median()), float(one.first_lag_below.median())
    color, marker = KINDS[kind(cell)]
    is_beyond = not np.isfinite(lag)
    at = 1.12 * steps if is_beyond else lag
    axes.plot(rate, at, marker, color=color, markersize=3, fillstyle="none" if is_beyond else "full")
    places.append((rate, at, label(cell), color))
  axes.set_xscale("symlog", linthresh=LINEAR)
  axes.set_yscale("log")
  axes.set_ylim(0.8, 1.6 * steps)
  rates = -np.geomspace(1 / steps, 2, 200)
  axes.plot(rates, -1 / rates, **THEORY)
  axes.set_xlabel("growth rate of the Jacobian product (nats per step)")
  axes.set_ylabel("first lag below 1/e (steps)")
  lines = [legend_line(color=color, marker=marker, linestyle="none") for color, marker in KINDS.values()]
  axes.legend([*lines, legend_line(**THEORY)], [*KINDS, "-1 / growth rate"], loc="lower right")
  _label(axes, places)
  return figure


def finding(shown: xr.Dataset) -> str:
  rate, lag = shown.growth_rate.median("seed"), shown.first_lag_below.median("seed")
  far = lag.cell.values[~np.isfinite(lag.values)].tolist()
  said = f"Of {lag.size} cells {len(far)} stay above 1/e to the end"
  said += f" ({some([label(cell) for cell in far])})." if far else "."
  forgets = np.isfinite(lag.values) & (rate.values < 0)
  if forgets.sum() < 3:
    return said
  rates, lags = rate.values[forgets], lag.values[forgets]
  correlation = float(stats.spearmanr(-1 / rates, lags).statistic)
  outlasting = label(str(lag.cell.values[forgets][np.argmax(-lags * rates)]))
  return (
    f"{said} Among those that forget, the rank correlation between the first lag and -1/rate is {short(correlation)};"
    f" {outlasting} outlasts its rate most."
  )


FIGURE = FigureSpec(
  name="memory_map",
  reads=("atlas",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "first_lag_below": TableSpec("first lag below 1/e (steps)", "median"),
    "growth_rate": TableSpec("growth rate (nats per step)"),
  },
  order=10,
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
