"""Adding problem: test error of each cell during training, the share of its seeds that solve the task, and when they do."""

import sys
from typing import Any

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED, success_bars
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, THEORY, cell_style, new_figure, plot_seeds
from analysis.wording import count, each


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.tasks import get_task

  data = only_axes(datasets["adding"], "layers")
  task = get_task(str(data.task.values), int(data.length))
  cases = list(runs(data, "cell", "layers"))
  figure, (axes,) = new_figure(PAGE, 2.7, 1, 2, width_ratios=[1.6, 1])
  names = []
  for i, ((cell, layers), one) in enumerate(cases):
    label, color, marker, linestyle = cell_style(cell)
    look: dict[str, Any] = {"color": color, "marker": marker, "linestyle": linestyle if layers == 1 else "-"}
    names.append(label if layers == 1 else f"{label}, {layers} layers")
    plot_seeds(axes[0], data["update"].values, one.test_loss, label=names[-1], markevery=(i, len(cases)), **look)
    share, bars = success_bars(one.solved)
    axes[1].errorbar(share, i, xerr=bars[:, None], capsize=2, elinewidth=0.8, color=color, marker=marker)
    # A seed that does not solve the task counts as infinitely slow.
    median = float(one.solved_at.where(one.solved == 1, np.inf).median("seed"))
    when = f"{median:.0f}" if np.isfinite(median) else "–"
    axes[1].annotate(when, (1.02, i), xycoords=("axes fraction", "data"), va="center", fontsize=7)

  axes[0].axhline(task.baseline, label="always 1", **(THEORY | {"linestyle": "--"}))
  axes[0].axhline(task.solved_below, label="solved", **(THEORY | {"linestyle": ":"}))
  axes[0].set_yscale("log")
  axes[0].set_ylim(top=10 * task.baseline)  # a large readout may have a larger error at first
  axes[0].set_title("test error, until all seeds solve it", loc="left")
  axes[0].set_xlabel("update")
  axes[0].set_ylabel("mean squared error")
  axes[1].set_yticks(range(len(names)), names)
  axes[1].set_ylim(len(names) - 0.5, -0.5)
  axes[1].set_xlim(-0.04, 1.04)
  axes[1].set_title("success, and the median update", loc="left")
  axes[1].set_xlabel("share of seeds that solve it")
  figure.legend(loc="outside upper center", ncols=4)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  return only_axes(datasets["adding"], "layers")[["solved", "solved_at", "test_loss"]]


def finding(shown: xr.Dataset) -> str:
  def solved(one: xr.Dataset) -> str:
    made = one.solved.dropna("layers", how="all")
    parts = [f"{count(made.sel(layers=n))}" + f" with {n} layers" * (n > 1) for n in made.layers.values.tolist()]
    return ", ".join(parts)

  return f"Seeds that solve the task: {each(shown[['solved']], solved)}."


FIGURE = FigureSpec(
  name="adding",
  reads=("adding",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "solved": SOLVED,
    "solved_at": TableSpec(over_seeds="median"),
    "test_loss": TableSpec(over_seeds="median"),
  },
  order=30,
  title="Which cells solve the adding problem?",
  over_seeds="seeds",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
