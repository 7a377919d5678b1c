"""Accuracy against the length of the test sequences, for products of bits and of permutations. Nets were trained at 40 steps.

Top: linear cells with eigenvalues in [0, 1] (dashed) and in [-1, 1] (solid). Bottom: cells as the table has them. H is the number
of units. Every seed is a thin line, and the thick one is their median. Grey: the length of training. Dotted: chance. For swaps
chance knows the sign of the permutation, which the number of steps tells. All lengths are even, so a net that always names the
same even permutation reaches that chance too, and one that names an odd one is never right.
"""

import itertools
import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, cell_style, legend_line, new_figure, plot_seeds
from analysis.wording import listed, with_unit

TITLES = {"parity": "parity", "swap_product": "product of swaps", "permutation_product": "product of permutations"}
CHANCE = {"parity": 1 / 2, "swap_product": 1 / 3, "permutation_product": 1 / 6}
LINES = {"positive": "--", "signed": "-", "own": "-"}
RANGES = {"positive": "[0, 1]", "signed": "[-1, 1]"}
COLORS = {"hgrn_real": "#E69F00", "s6": "#CC79A7", "delta_net": "#0072B2", "delta_product": "#009E73", "lru": "#CC79A7"}
RIGHT = 0.99  # accuracy from which a net counts as right


def _name(cell: str, eigenvalues: str) -> str:
  return f"{cell_style(cell).label} {RANGES.get(eigenvalues, '')}".strip()


def _label(cell: str, eigenvalues: str, units: int) -> str:
  return f"{_name(cell, eigenvalues)}, H = {units}"


def _look(cell: str, eigenvalues: str) -> dict[str, Any]:
  return {"color": COLORS.get(cell, cell_style(cell).color), "linestyle": LINES[eigenvalues], "linewidth": 1.2}


def _panel(panel: Axes, data: xr.Dataset, task: str, trained: int) -> None:
  """Draws the curves of one task for the cells in `data`."""
  for (cell, eigenvalues, _), one in runs(data.sel(task=[task]), "cell", "eigenvalues", "hidden_size"):
    values = one.accuracy.isel(task=0).transpose("seed", "test_length")
    plot_seeds(panel, data.test_length.values, values, **_look(cell, eigenvalues))
  panel.axvline(trained, color="0.5", linewidth=0.8, linestyle="-")
  panel.axhline(CHANCE[task], color="black", linewidth=0.8, linestyle=":")
  panel.set(xscale="log", ylim=(0, 1.05), xlabel=with_unit("length", data.test_length))
  panel.set_title(TITLES[task], loc="left")
  ticks = [int(n) for n in data.test_length.values if n in (4, 16, 40, 128, 256)]
  panel.set_xticks(ticks, [str(n) for n in ticks])
  panel.minorticks_off()


def _rows(data: xr.Dataset) -> list[xr.Dataset]:
  """Returns the results of pairs of ranges, and those of cells as they are, each without the cells that have none."""
  found = []
  for names in (("positive", "signed"), ("own",)):
    there = data.sel(eigenvalues=[name for name in data.eigenvalues.values.tolist() if name in names])
    cells = [
      cell
      for cell in there.cell.values.tolist()
      if there.sizes["eigenvalues"] and any(True for _ in runs(there.sel(cell=[cell]), "cell"))
    ]
    if cells:
      found.append(there.sel(cell=cells))
  return found


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["state_tracking"], "task", "eigenvalues", "hidden_size")
  trained = int(np.asarray(data.length).flat[0])
  rows, tasks = _rows(data), [task for task in TITLES if task in data.task.values]
  figure, axes = new_figure(PAGE, 2.3 * len(rows), len(rows), len(tasks), sharey=True)
  for panels, row in zip(axes, rows, strict=True):
    for panel, task in zip(panels, tasks, strict=True):
      _panel(panel, row, task, trained)
    panels[0].set_ylabel("accuracy")
    curves = [values for values, _ in runs(row, "cell", "eigenvalues", "hidden_size")]
    handles = [legend_line(**_look(cell, eigenvalues)) for cell, eigenvalues, _ in curves]
    panels[-1].legend(
      handles, [_label(*curve) for curve in curves], loc="center left", bbox_to_anchor=(1.02, 0.5), borderaxespad=0
    )
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["state_tracking"], "task", "eigenvalues", "hidden_size")
  return data[["accuracy"]]


def finding(shown: xr.Dataset) -> str:
  """Counts the seeds that are right at the longest length, of the cells and ranges of which any is."""
  longest = int(shown.test_length.max())
  accuracy = shown.accuracy.sel(test_length=longest)
  if not accuracy.notnull().any():
    return "No net was measured."
  said = []
  for task in (task for task in TITLES if task in shown.task.values):
    counts = []
    axes = (shown[name].values.tolist() for name in ("cell", "eigenvalues", "hidden_size"))
    for cell, eigenvalues, units in itertools.product(*axes):
      one = accuracy.sel(task=task, cell=cell, eigenvalues=eigenvalues, hidden_size=units)
      if right := int((one > RIGHT).sum()):
        counts.append(f"{_name(cell, eigenvalues)} {right} of {int(one.notnull().sum())}")
    said.append(f"{TITLES[task]}: {listed(counts) or 'none'}")
  return f"Seeds with over {RIGHT:.0%} of answers right after {longest} steps, and no others: {'; '.join(said)}."


FIGURE = FigureSpec(
  name="state_tracking",
  reads=("state_tracking",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"accuracy": TableSpec("accuracy", over_seeds="median")},
  order=40,
  title="Which cells follow a state beyond the lengths of training?",
  over_seeds="seeds",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
