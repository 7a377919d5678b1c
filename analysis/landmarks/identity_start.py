"""Nets that add two numbers out of 150 and that read a digit pixel by pixel: errors in training, and seeds that succeed.

A net of rectified units that starts at the identity, beside a tanh net and an LSTM with Gaussian weights. Every seed is a thin
line, and the thick one is their median. Bars are Wilson's 95 % intervals, with the median update at which the task was solved.
Dotted: the score below which a task counts as solved. Dashed: a mean squared error of 1/6, of always answering 1.
"""

import sys

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED, Case, plot_cases
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, THEORY, cell_style, new_figure
from analysis.wording import count, each

AXES = ("task", "optimizer", "learning_rate", "updates", "recurrent_init", "input_gain", "output_gain", "forget_bias")
TITLES = {"adding": "adding", "digits": "digits, pixel by pixel"}
SCORES = {"adding": "mean squared error", "digits": "share of wrong answers"}
SOLVED_BELOW = {"adding": 0.01, "digits": 0.1}
TRIVIAL = {"adding": 1 / 6, "digits": 0.9}


def numbers(datasets: Datasets) -> xr.Dataset:
  """The results by cell and task: no cell was run with two sets of weights at the same task."""
  data = only_axes(datasets["identity_start"], *AXES)[["solved", "solved_at", "score"]]
  return data.max(AXES[1:], keep_attrs=True)


def _name(cell: str, data: xr.Dataset) -> str:
  starts = [init for (init,), _ in runs(data.sel(cell=[cell]), "recurrent_init")]
  return f"{cell_style(cell).label}, {' or '.join(starts)}"


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["identity_start"], *AXES)
  shown = numbers(datasets)
  tasks = [task for task in TITLES if task in data.task.values]
  figure, axes = new_figure(PAGE, 2.2 * len(tasks), len(tasks), 2, width_ratios=[1.6, 1])
  for (curves, success), task in zip(axes, tasks, strict=True):
    one = shown.sel(task=task)
    cells = [cell for cell in data.cell.values.tolist() if one.solved.sel(cell=cell).notnull().any()]
    cases = []
    for cell in cells:
      _, color, marker, linestyle = cell_style(cell)
      look = {"color": color, "marker": marker, "markersize": 2.5, "linestyle": linestyle}
      made = one.sel(cell=cell).dropna("seed", subset=["solved"]).dropna("update", how="all", subset=["score"])
      cases.append(Case(_name(cell, data), look, made))
    plot_cases(curves, success, cases)
    curves.axhline(TRIVIAL[task], **(THEORY | {"linestyle": "--"}))
    curves.axhline(SOLVED_BELOW[task], **(THEORY | {"linestyle": ":"}))
    curves.set(yscale="log", ylabel=SCORES[task])
    curves.set_title(TITLES[task], loc="left")
  return figure


def finding(shown: xr.Dataset) -> str:
  parts = []
  for task in shown.task.values.tolist():
    solved = shown[["solved"]].sel(task=task)
    parts.append(f"{TITLES.get(task, task)}: {each(solved, lambda one: count(one.solved))}")
  return f"Seeds that solve a task; {'. '.join(parts)}."


FIGURE = FigureSpec(
  name="identity_start",
  reads=("identity_start",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"solved": SOLVED, "solved_at": TableSpec(over_seeds="median"), "score": TableSpec(over_seeds="none")},
  order=80,
  title="What does a net of rectified units gain from starting at the identity?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
