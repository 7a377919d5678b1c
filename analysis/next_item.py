"""The next item of a session: errors of cells and of counts, and the best there can be, from all items or the last alone."""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, Plot, main, only_axes, runs
from analysis.recall import counts_of
from analysis.style import COLUMN, cell_style, new_figure, plot_scores
from analysis.words import each, spread
from recurrent_lab.tasks.sessions import BAYES_ERROR, MARKOV_ERROR


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["next_item"])
  counts = counts_of(datasets.get("ngram_tasks"), "next_item")
  if counts is not None and int(data.length) in counts.length.values:
    counts = counts.sel(length=int(data.length))
    cases = [(f"{int(order)}-gram", "ngram", counts.sel(order=order).values) for order in counts.order[1:]]
  else:
    cases = []
  cases += [(cell_style(cell).label, cell, np.asarray(one.final_score)) for (cell,), one in runs(data, "cell")]
  figure, ((axes,),) = new_figure(COLUMN, 2.9)
  plot_scores(axes, cases, {"best with memory": BAYES_ERROR, "best from the last item": MARKOV_ERROR})
  axes.set_xlim(0, 0.75)
  axes.set_xlabel("share of wrong next items")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["next_item"])
  counts = counts_of(datasets.get("ngram_tasks"), "next_item")
  shown = data[["final_score"]]
  if counts is None or int(data.length) not in counts.length.values:
    return shown
  return shown.assign(ngram_error=counts.sel(length=int(data.length)).mean("seed").reset_coords(drop=True))


def finding(shown: xr.Dataset) -> str:
  wrong = each(shown[["final_score"]], lambda one: f"{spread(one.final_score, 100)} %")
  best, last = (f"{100 * error:.3g} %" for error in (BAYES_ERROR, MARKOV_ERROR))
  return f"Wrong next items: {wrong}; the best there can be is {best}, from the last item alone {last}."


PLOT = Plot("next_item", ("next_item", "ngram_tasks"), draw, __doc__, numbers, finding, overlays=("ngram_tasks",))

if __name__ == "__main__":
  sys.exit(main(PLOT))
