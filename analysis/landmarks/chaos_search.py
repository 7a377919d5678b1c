"""λ₁ before and after an ascent on it, for cells with and without a bound on it.

Every pair of marks is a net under one kind of input: open for random parameters, full for those that the ascent found, with λ₁
measured over a long trajectory. Full marks above 0 are counterexamples, orange if λ₁ is above five standard errors. The shaded
cells have Jacobians of norm 1 at most, so λ₁ ≤ 0 by construction. The scale is linear between the dotted lines.
"""

import sys

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, legend_line, new_figure
from analysis.wording import listed, short, with_unit

BOUNDED = ("min_gru", "lru", "s6", "mamba2", "delta_net")  # ‖J‖ ≤ 1 for all parameters and inputs
TITLES = {"zero": "no input", "constant": "constant input", "white": "white input"}
LINEAR = 0.01  # nats per step, within which the scale is linear
ROUNDING = 1e-12  # nats per step
FOUND, CALM = "#D55E00", "#0072B2"


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["chaos_search"], "input")
  kinds = sorted(data.input.values.tolist(), key=list(TITLES).index)
  shown = data.sel(input=kinds)[["exponent_before", "largest_exponent", "standard_error", "is_positive"]]
  return shown.transpose("input", "cell", "seed", ...)


def _panel(panel: Axes, data: xr.Dataset) -> None:
  cells, seeds = data.cell.values.tolist(), data.sizes["seed"]
  for row, cell in enumerate(cells):
    one = data.sel(cell=cell)
    places = row + np.linspace(-0.25, 0.25, seeds) if seeds > 1 else np.array([float(row)])
    before, after = one.exponent_before.values, one.largest_exponent.values
    panel.hlines(places, before, after, color="0.7", linewidth=0.5)
    panel.plot(before, places, "o", color="0.4", fillstyle="none", markersize=2.5, markeredgewidth=0.5)
    for is_positive, color in ((True, FOUND), (False, CALM)):
      here = (one.is_positive.values > 0) == is_positive
      panel.plot(after[here], places[here], "o", color=color, markersize=3)
    if cell in BOUNDED:
      panel.axhspan(row - 0.5, row + 0.5, color="0.93", linewidth=0)
  panel.axvline(0, color="0.2", linewidth=0.8)
  for edge in (-LINEAR, LINEAR):
    panel.axvline(edge, color="0.6", linewidth=0.5, linestyle=":")
  panel.set_xscale("symlog", linthresh=LINEAR)
  panel.set_xticks([-1, -0.1, -0.01, 0, 0.01, 0.1], ["−1", "−0.1", "−0.01", "0", "0.01", "0.1"])
  panel.minorticks_off()
  panel.set_ylim(len(cells) - 0.5, -0.5)
  panel.set_yticks(range(len(cells)), [cell_style(cell).label for cell in cells])
  panel.grid(False)
  panel.set_xlabel(with_unit("λ₁", data.largest_exponent))


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  kinds = data.input.values.tolist()
  figure, axes = new_figure(PAGE, 0.8 + 0.24 * data.sizes["cell"], 1, len(kinds), sharey=True, sharex=True)
  for panel, kind in zip(axes[0], kinds, strict=True):
    _panel(panel, data.sel(input=kind))
    panel.set_title(TITLES.get(kind, kind), loc="left")
  looks = {
    "random parameters": {"color": "0.4", "fillstyle": "none"},
    "found, λ₁ not above five errors": {"color": CALM},
    "found, λ₁ above five errors": {"color": FOUND},
  }
  lines = [legend_line(marker="o", linestyle="", **look) for look in looks.values()]
  figure.legend(lines, list(looks), loc="outside upper left", ncols=3)
  return figure


def finding(shown: xr.Dataset) -> str:
  """Counts the nets with λ₁ > 0 of every cell and input, and names the largest λ₁ of the cells and inputs that have none."""
  known = shown.is_positive.notnull()
  counts = (shown.is_positive > 0).sum("seed")
  said = []
  for cell in shown.cell.values.tolist():
    kinds = [str(kind) for kind in shown.input.values if int(counts.sel(cell=cell, input=kind))]
    parts = [f"{int(counts.sel(cell=cell, input=kind))} with {TITLES.get(kind, kind)}" for kind in kinds]
    said += [f"{cell_style(cell).label} {listed(parts)}"] if parts else []
  text = (
    f"Nets with λ₁ > 0 found, of {shown.sizes['seed']} each: {'; '.join(said)}."
    if said
    else "No net with λ₁ > 0 was found."
  )
  rest = shown.largest_exponent.where((counts == 0) & known)
  highest = float(rest.max())
  if not np.isfinite(highest):
    return text
  where = rest.max("seed").transpose("cell", "input")
  row, column = np.unravel_index(np.nanargmax(where.values), where.shape)
  kind = str(where.input.values[column])
  label = cell_style(str(where.cell.values[row])).label
  value = "0 to rounding" if abs(highest) < ROUNDING else short(highest)
  return text + f" Where none was found, the largest λ₁ is {value} ({label} with {TITLES.get(kind, kind)})."


FIGURE = FigureSpec(
  name="chaos_search",
  reads=("chaos_search",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "exponent_before": TableSpec("λ₁ of random parameters (nats per step)", over_seeds="median"),
    "largest_exponent": TableSpec("λ₁ of what was found (nats per step)", over_seeds="median"),
    "standard_error": TableSpec("standard error of λ₁ (nats per step)", over_seeds="none"),
    "is_positive": TableSpec("nets with λ₁ > 0 found", over_seeds="count"),
  },
  order=30,
  title="Can chaos be found in cells that are said to have none?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
