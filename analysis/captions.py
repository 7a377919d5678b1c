"""The name of a digit from its image, written freely: exact names of held-out images, overall and by digit."""

import sys

from matplotlib.figure import Figure
import numpy as np

from analysis.figure import Datasets, Plot, main, only_axes, runs
from analysis.style import PAGE, cell_style, new_figure, plot_band, plot_scores


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["captions"])
  figure, (axes,) = new_figure(PAGE, 2.3, 1, 2)
  cells = list(runs(data, "cell"))
  cases = [(cell_style(cell).label, cell, 100 * np.asarray(one.exact)) for (cell,), one in cells]
  plot_scores(axes[0], cases, {"asked for": 90.0, "most frequent name": 100 * float(data.most_frequent.max())})
  axes[0].set_xlim(0, 102)
  axes[0].set_xlabel("exact names (% of held-out images)")
  for (cell,), one in cells:
    label, color, marker, linestyle = cell_style(cell)
    look = {"label": label, "color": color, "marker": marker, "linestyle": linestyle}
    plot_band(axes[1], one.digit.values, 100 * one.exact_by_digit.transpose("digit", "seed"), **look)
  axes[1].set_xticks(data.digit.values)
  axes[1].set_xlabel("digit")
  axes[1].set_ylabel("exact names (%)")
  axes[1].legend(ncols=3)
  return figure


PLOT = Plot("captions", ("captions",), draw)

if __name__ == "__main__":
  sys.exit(main(PLOT))
