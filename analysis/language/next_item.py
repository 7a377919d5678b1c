"""Next item of a session: errors of cells and of n-grams, and the lowest possible error from all items or from the last alone."""

from collections.abc import Iterator
import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.language import counts
from analysis.language.panels import plot_scores
from analysis.language.scores import Row, Scores, label
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import COLUMN, cell_style, new_figure
from analysis.wording import each, spread


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.tasks.sessions import BAYES_ERROR, MARKOV_ERROR

  data = only_axes(datasets["next_item"])
  ngrams = counts.of_task(datasets.get("ngram_tasks"), "next_item")
  if ngrams is not None and int(data.length) in ngrams.length.values:
    ngrams = ngrams.sel(length=int(data.length))
    cases = [(f"{int(order)}-gram", "ngram", ngrams.sel(order=order).values) for order in ngrams.order[1:]]
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
  ngrams = counts.of_task(datasets.get("ngram_tasks"), "next_item")
  shown = data[["final_score"]]
  if ngrams is None or int(data.length) not in ngrams.length.values:
    return shown
  return shown.assign(ngram_error=ngrams.sel(length=int(data.length)).mean("seed").reset_coords(drop=True))


def finding(shown: xr.Dataset) -> str:
  from recurrent_lab.tasks.sessions import BAYES_ERROR, MARKOV_ERROR

  wrong = each(shown[["final_score"]], lambda one: f"{spread(one.final_score, 100)} %")
  best, last = (f"{100 * error:.3g} %" for error in (BAYES_ERROR, MARKOV_ERROR))
  return f"Wrong next items: {wrong}; the lowest possible error is {best}, and {last} from the last item alone."


def rows(datasets: Datasets) -> Iterator[Row]:
  from recurrent_lab.tasks.sessions import BAYES_ERROR, MARKOV_ERROR

  beside = f"last item alone {100 * MARKOV_ERROR:.3g}, best of all {100 * BAYES_ERROR:.3g}"
  for (cell,), one in runs(only_axes(datasets["next_item"]), "cell"):
    yield label(cell), spread(one.final_score, 100), beside


FIGURE = FigureSpec(
  name="next_item",
  reads=("next_item",),
  overlays=("ngram_tasks",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "final_score": TableSpec("share of wrong answers", over_seeds="median"),
    "ngram_error": TableSpec("share of wrong answers of n-grams", over_seeds="median"),
  },
  order=40,
  title="Which net predicts the next item of a session?",
)
SCORES = Scores("next_item", "wrong next items, %", rows, order=40)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
