"""LSTMs of several forget biases and a GRU that learn to add: their errors in training, and the seeds that succeed.

Every seed is a thin line, and the thick one is their median. Bars are Wilson's 95 % intervals, with the median update at which
the task was solved. Dotted: the error below which it counts as solved. Dashed: 1/6, the error of always answering 1.
"""

import sys

from matplotlib import colormaps
from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED, Case, plot_cases
from analysis.numbers import TableSpec
from analysis.selection import bias_value, only_axes, runs
from analysis.style import PAGE, THEORY, cell_style, new_figure
from analysis.wording import count, listed
from recurrent_lab.tasks import get_task


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["forget_gap"], "forget_bias")
  biases = sorted(data.forget_bias.values.tolist(), key=bias_value)
  return data[["solved", "solved_at", "score"]].sel(forget_bias=biases)


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["forget_gap"], "forget_bias")
  task = get_task(str(data.task.values), int(data.length))
  found = sorted(runs(data, "cell", "forget_bias"), key=lambda run: (run[0][0] == "gru", bias_value(run[0][1])))
  colors = colormaps["viridis"]
  figure, ((curves, success),) = new_figure(PAGE, 2.5, 1, 2, width_ratios=[1.6, 1])
  cases = []
  for i, ((cell, bias), one) in enumerate(found):
    style = cell_style(cell)
    color = style.color if cell == "gru" else colors(0.85 * i / max(1, len(found) - 1))
    look = {"color": color, "marker": style.marker, "markersize": 2.5, "linestyle": style.linestyle}
    cases.append(Case(f"{style.label}, bias {bias}", look, one))
  plot_cases(curves, success, cases)
  curves.axhline(task.baseline, **(THEORY | {"linestyle": "--"}))
  curves.axhline(task.solved_below, **(THEORY | {"linestyle": ":"}))
  curves.set(yscale="log", ylabel="mean squared error")
  curves.set_title(f"adding over {int(data.length)} steps", loc="left")
  return figure


def finding(shown: xr.Dataset) -> str:
  parts = []
  for cell in shown.cell.values.tolist():
    solved = shown.solved.sel(cell=cell)
    made = [bias for bias in shown.forget_bias.values.tolist() if solved.sel(forget_bias=bias).notnull().any()]
    parts += [f"{cell_style(cell).label} with bias {bias}: {count(solved.sel(forget_bias=bias))}" for bias in made]
  return f"Seeds that learn to add: {listed(parts) or 'none was trained'}."


FIGURE = FigureSpec(
  name="forget_gap",
  reads=("forget_gap",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"solved": SOLVED, "solved_at": TableSpec(over_seeds="median"), "score": TableSpec(over_seeds="none")},
  order=75,
  title="Does a forget bias of 1 bring an LSTM level with a GRU?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
