"""The growth rate of cells whose time constants are stretched, for every cell that has them as parameters.

Each panel is one cell at gain 1: the growth rate of the spectral norm against the factor by which time is stretched in its
initial net. Lines are means with 95 % bands over seeds, or each seed if there are few. The dashed grey line is the rate at the
smallest factor in slower time, so it falls as one over the factor. All panels share their axes, which are logarithmic but around
rate 0.
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
from analysis.style import MEASURED_ZERO, PAGE, legend_line, new_figure, plot_band
from analysis.wording import short

COLUMNS, LOWEST, HIGHEST = 6, -6.0, 0.1
LINEAR = 1e-5  # nats per step around 0 in which the axis is linear
NEAR = 0.1  # relative distance from the rate of a net in slower time


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["timescales"], "timescale").sortby("timescale")
  return data[["growth_rate"]].sel(norm="spectral", drop=True)


def stretched(rates: xr.DataArray) -> xr.DataArray:
  """Returns the mean rate at the smallest factor, divided as much as time is stretched."""
  first = rates.mean("seed").isel(timescale=0, drop=True)
  return first * float(rates.timescale[0]) / rates.timescale


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  cells, factors = data.cell.values.tolist(), data.timescale.values
  rows = math.ceil(len(cells) / COLUMNS)
  figure, axes = new_figure(PAGE, 1.05 * rows + 0.7, rows, min(COLUMNS, len(cells)), sharex=True, sharey=True)
  for panel, cell in zip(axes.flat, cells, strict=False):
    color, _ = KINDS[kind(cell)]
    rates = data.growth_rate.sel(cell=cell).transpose("seed", "timescale")
    panel.plot(factors, stretched(rates), **MEASURED_ZERO | {"linewidth": 0.7})
    plot_band(panel, factors, rates, color=color, linewidth=1.0)
    panel.axhline(0, color="0.3", linewidth=0.4)
    panel.set_title(label(cell), fontsize=6, loc="center", pad=1.5, color=color)
    panel.tick_params(labelsize=5, length=1.5)
  for panel in axes.flat[len(cells) :]:
    panel.set_visible(False)
  for panel in axes.flat[max(0, len(cells) - COLUMNS) : len(cells)]:
    panel.tick_params(labelbottom=True)
  axes.flat[0].set_yscale("symlog", linthresh=LINEAR)
  axes.flat[0].set_yticks([-1, -1e-2, -1e-4, 0, 1e-4, 1e-2])
  axes.flat[0].set_ylim(LOWEST, HIGHEST)
  axes.flat[0].set_xscale("log", base=2)
  used = {kind(cell) for cell in cells}
  looks = {name: {"color": color} for name, (color, _) in KINDS.items() if name in used}
  looks["rate at the smallest factor in slower time"] = MEASURED_ZERO
  figure.legend(
    [legend_line(**look) for look in looks.values()], list(looks), loc="outside upper center", ncols=4, fontsize=6
  )
  figure.supxlabel("timescale: factor by which time is stretched\n", fontsize=7)  # the line below is for the source
  figure.supylabel("growth rate (nats per step)", fontsize=7)
  return figure


def finding(shown: xr.Dataset) -> str:
  rates = shown.growth_rate
  mean, expected = rates.mean("seed").isel(timescale=-1), stretched(rates).isel(timescale=-1)
  low, high = (float(shown.timescale[i]) for i in (0, -1))
  first = rates.mean("seed").isel(timescale=0)
  names = [label(cell) for cell in rates.cell.values.tolist()]
  known = np.isfinite(mean.values) & np.isfinite(first.values)
  slower = known & (np.abs(mean.values) < np.abs(first.values))
  known_both = known & np.isfinite(expected.values)
  away = np.abs(np.subtract(mean.values, expected.values, out=np.full(known.shape, np.inf), where=known_both))
  near = known_both & (away <= NEAR * np.abs(expected.values))
  said = (
    f"From a timescale of {short(low)} to {short(high)} the growth rate comes closer to 0 in {int(slower.sum())} of"
  )
  said += f" {len(names)} cells. It is within {NEAR:.0%} of the rate in slower time in {int(near.sum())}"
  said += f" ({some([name for name, is_near in zip(names, near, strict=True) if is_near])})." if near.any() else "."
  others = [name for name, is_slower, is_known in zip(names, slower, known, strict=True) if is_known and not is_slower]
  return said + (f" It does not come closer in {some(others)}." if others else "")


FIGURE = FigureSpec(
  name="timescales",
  reads=("timescales",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"growth_rate": TableSpec("growth rate (nats per step)")},
  order=37,
  title="Does a longer time constant mean a longer memory?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
