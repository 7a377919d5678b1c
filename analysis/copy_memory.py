"""Copying over a lag: the loss of each forget bias in training, and the trivial loss of a net that only knows when to answer."""

import sys

from matplotlib.figure import Figure

from analysis.figure import Datasets, Plot, bias_value, main, only_axes, runs
from analysis.style import PAGE, THEORY, cell_style, legend_line, new_figure, plot_seeds
from recurrent_lab.tasks import get_task

LOOKS = (  # of the biases in increasing order
  {"color": "#E69F00", "linestyle": ":", "marker": "v"},
  {"color": "#56B4E9", "linestyle": "--", "marker": "P"},
  {"color": "#5D3A9B", "linestyle": "-", "marker": "X"},
  {"color": "#CC79A7", "linestyle": "-.", "marker": "D"},
)
TRIVIAL = THEORY | {"linestyle": (0, (6, 2))}


def draw(datasets: Datasets) -> Figure:
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
  names = [*(f"forget bias {bias}" for bias in biases), "knows when, not what"]
  figure.legend(lines, names, loc="outside upper center", ncols=len(names))
  return figure


PLOT = Plot("copy_memory", ("copy_memory",), draw)

if __name__ == "__main__":
  sys.exit(main(PLOT))
