"""Copying over a lag: test loss during training by forget bias. Dashed: a net that knows when to answer, but not what."""

import sys

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED
from analysis.numbers import TableSpec
from analysis.selection import bias_value, only_axes, runs
from analysis.style import PAGE, THEORY, cell_style, legend_line, new_figure, plot_seeds
from analysis.wording import each, last, short

LOOKS = (  # looks of the biases, in increasing order
  {"color": "#E69F00", "linestyle": ":", "marker": "v"},
  {"color": "#56B4E9", "linestyle": "--", "marker": "P"},
  {"color": "#5D3A9B", "linestyle": "-", "marker": "X"},
  {"color": "#CC79A7", "linestyle": "-.", "marker": "D"},
)
TRIVIAL = THEORY | {"linestyle": (0, (6, 2))}


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.tasks import get_task

  data = only_axes(datasets["copy_memory"], "length", "forget_bias")
  biases = sorted(data.forget_bias.values.tolist(), key=bias_value)
  looks = {bias: LOOKS[i % len(LOOKS)] for i, bias in enumerate(biases)}
  cells, lengths = data.cell.values.tolist(), data.length.values.tolist()
  figure, axes = new_figure(PAGE, 0.5 + 2.1 * len(cells), len(cells), len(lengths), sharex=True, sharey=True)
  for (cell, length, bias), one in runs(data, "cell", "length", "forget_bias"):
    panel = axes[cells.index(cell), lengths.index(length)]
    plot_seeds(panel, data["update"].values, one.test_loss, markevery=5, **looks[bias])
    panel.axhline(get_task(str(data.task.values), length).baseline, **TRIVIAL)
    panel.set_title(f"{cell_style(cell).label}, lag {length}", loc="left")
    panel.set_yscale("log")
  for panel in axes[-1]:
    panel.set_xlabel("update")
  for panel in axes[:, 0]:
    panel.set_ylabel("test loss (nats)")
  lines = [legend_line(**looks[bias]) for bias in biases] + [legend_line(**TRIVIAL)]
  names = [*(f"forget bias {bias}" for bias in biases), "knows when to answer, not what"]
  figure.legend(lines, names, loc="outside upper center", ncols=len(names))
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  from recurrent_lab.tasks import get_task

  data = only_axes(datasets["copy_memory"], "length", "forget_bias")
  data = data.sel(forget_bias=sorted(data.forget_bias.values.tolist(), key=bias_value))
  trivial = [get_task(str(data.task.values), length).baseline for length in data.length.values.tolist()]
  return data[["solved", "test_loss"]].assign(trivial_loss=("length", trivial))


def finding(shown: xr.Dataset) -> str:
  longest = shown.sel(length=shown.length.max())
  final = last(longest.test_loss, "update").median("seed").to_dataset()

  def losses(one: xr.Dataset) -> str:
    known = one.test_loss.dropna("forget_bias")
    return ", ".join(f"{short(float(loss))} (bias {loss.forget_bias.item()})" for loss in known)

  return (
    f"Median loss at the end at lag {int(longest.length)}, in nats: {each(final, losses)}. A net that knows only when to answer "
    f"has a loss of {short(float(longest.trivial_loss))}."
  )


FIGURE = FigureSpec(
  name="copy_memory",
  reads=("copy_memory",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "solved": SOLVED,
    "test_loss": TableSpec(over_seeds="median"),
    "trivial_loss": TableSpec("loss of a net that knows when to answer, not what (nats)"),
  },
  order=50,
  title="Does the forget bias decide what is copied over a lag?",
  over_seeds="seeds",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
