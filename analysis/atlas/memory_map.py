"""The map of all cells: how far each remembers against the growth rate of its Jacobian product.

The memory is the first lag at which the spectral norm of the product is below 1/e. Cells that never fall below it within the
sequence are at the upper edge, drawn hollow. The line is the memory -1/rate that the growth rate alone would give. Each cell is
the median over seeds at its recommended initialisation.
"""

from collections.abc import Sequence
import sys
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.atlas._kinds import KINDS, kind, label, some
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, THEORY, legend_line, new_figure
from analysis.wording import short

LINEAR = 1e-3  # rates closer to 0 than this are on a linear scale, nats per step


SIZE, NARROW, LINE = 4.5, 2.7, 5.2  # points: font, mean width of a letter, height of a line
MARK = 1.5  # half the width of a mark, points
COLUMNS = 3  # columns of the names that have no room beside their points


class Place(NamedTuple):
  """A cell in the map."""

  rate: float
  lag: float
  name: str
  color: str


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["atlas"]).sel(norm="spectral", drop=True)
  return data[
    ["growth_rate", "first_lag_below", "adjoint_growth_rate", "participation_ratio", "parameters", "state_size"]
  ]


def _beside(axes: Axes, places: Sequence[Place]) -> list[Place]:
  """Writes the names to the right of their points, some moved up or down a little. Returns those for which there is no room."""
  # left, right and height of marks and names, in points
  taken = [(x - MARK, x + MARK, y) for x, y in (_points(axes, place) for place in places)]
  crowded = []
  for place in sorted(places, key=lambda place: (place.lag, place.rate)):
    left, height = _points(axes, place)
    left += 4
    right = left + NARROW * len(place.name)
    is_free = lambda row: (
      not any(
        left < end and start < right and abs(height + row * LINE - h) < LINE  # noqa: B023
        for start, end, h in taken
      )
    )
    row = next((row for row in (0, 1, -1) if is_free(row)), None)
    if row is None:
      crowded.append(place)
    else:
      taken.append((left, right, height + row * LINE))
      _write(axes, place, (4, row * LINE), va="center")
  return crowded


def _in_columns(axes: Axes, places: Sequence[Place]) -> None:
  """Writes names in columns in the free room on the right, from long memories to short ones, each with a line to its point."""
  ordered = sorted(places, key=lambda place: (-place.lag, place.rate))
  rows = -(-len(ordered) // COLUMNS)
  box = axes.bbox
  for i, place in enumerate(ordered):
    x, y = _points(axes, place)
    column, row = divmod(i, max(1, rows))
    left = (box.x0 + (0.47 + 0.16 * column) * box.width) * 72 / axes.figure.dpi
    top = (box.y0 + 0.88 * box.height) * 72 / axes.figure.dpi - 1.5 * LINE * row
    _write(axes, place, (left - x, top - y), va="center")


def _above(axes: Axes, places: Sequence[Place]) -> None:
  """Writes the names upright above the plot, moved to the right until they are a line apart."""
  last = -np.inf
  for place in sorted(places, key=lambda place: place.rate):
    at, height = _points(axes, place)
    last = max(at, last + LINE)
    top = axes.bbox.y1 * 72 / axes.figure.dpi
    _write(axes, place, (last - at, top - height + 6), rotation=90, va="bottom", ha="center")


def _points(axes: Axes, place: Place) -> tuple[float, float]:
  """Returns where a place is in the figure, in points."""
  x, y = axes.transData.transform((place.rate, place.lag)) * 72 / axes.figure.dpi
  return float(x), float(y)


def _write(axes: Axes, place: Place, offset: tuple[float, float], **look: Any) -> None:
  common: dict[str, Any] = {"xytext": offset, "textcoords": "offset points", "fontsize": SIZE, "annotation_clip": False}
  if offset != (4, 0):
    line = {"arrowstyle": "-", "linewidth": 0.25, "color": "0.6", "shrinkA": 0, "shrinkB": 1.5}
    axes.annotate("", (place.rate, place.lag), arrowprops=line, zorder=2, **common)
    # A white ground, so that the lines to other names do not run through this one.
    look["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.3}
  axes.annotate(place.name, (place.rate, place.lag), color=place.color, zorder=4, **common, **look)


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  steps = float(datasets["atlas"].lag.max())
  figure, ((axes,),) = new_figure(PAGE, 5.6)
  below: list[Place] = []
  beyond: list[Place] = []
  for cell in data.cell.values.tolist():
    one = data.sel(cell=cell)
    rate, lag = float(one.growth_rate.median()), float(one.first_lag_below.median())
    color, marker = KINDS[kind(cell)]
    place = Place(rate, lag if np.isfinite(lag) else 1.2 * steps, label(cell), color)
    (below if np.isfinite(lag) else beyond).append(place)
    axes.plot(rate, place.lag, marker, color=color, markersize=3, fillstyle="full" if np.isfinite(lag) else "none")
  axes.set_xscale("symlog", linthresh=LINEAR)
  axes.set_yscale("log")
  axes.set_ylim(0.8, 1.4 * steps)
  rates = -np.geomspace(1 / steps, 1, 200)
  axes.plot(rates, -1 / rates, **THEORY)
  axes.set_xlabel("growth rate of the Jacobian product (nats per step)")
  axes.set_ylabel("first lag below 1/e (steps)")
  lines = [legend_line(color=color, marker=marker, linestyle="none") for color, marker in KINDS.values()]
  axes.legend([*lines, legend_line(**THEORY)], [*KINDS, "-1 / growth rate"], loc="lower right")
  figure.set_layout_engine("none")
  axes.set_position((0.08, 0.1, 0.89, 0.72))  # names stand above
  _in_columns(axes, _beside(axes, below))
  _above(axes, beyond)
  return figure


def finding(shown: xr.Dataset) -> str:
  from scipy import stats

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
  title="How far does each cell remember, for its growth rate?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
