"""Recall of a name: wrong answers by the gap between the names and the question, and the gradient that reaches the first name."""

from collections.abc import Iterator
import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.language import counts
from analysis.language.panels import plot_by_length
from analysis.language.scores import Row, Scores, label
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, THEORY, legend_line, new_figure
from analysis.wording import each, short, spread

BEFORE = {"linestyle": ":", "marker": "none"}


def at_first_name(one: xr.Dataset, watched: int) -> Iterator[xr.DataArray]:
  """Yields ln ‖∂L/∂S_k‖ - ln ‖∂L/∂S_T‖ at the first name for every gap, at the first (0) or the last (-1) watched update."""
  from recurrent_lab.tasks import name_lags

  for length in one.length.values:
    seen = one.log_adjoint.sel(length=length).dropna("watched_update", how="all").isel(watched_update=watched)
    yield (seen.sel(lag=name_lags(int(length))[0]) - seen.sel(lag=0)).drop_vars(
      ["watched_update", "lag"], errors="ignore"
    )


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.tasks.stories import CHANCE_ERROR

  data = only_axes(datasets["recall"], "length")
  ngrams = counts.of_task(datasets.get("ngram_tasks"), "long_range_recall")
  cells = [(cell, one) for (cell,), one in runs(data, "cell")]
  figure, (axes,) = new_figure(PAGE, 2.7, 1, 2)
  plot_by_length(axes[0], ((cell, one.final_score) for cell, one in cells))
  if ngrams is not None:
    ngrams = ngrams.sel(length=np.intersect1d(ngrams.length, data.length))
    axes[0].plot(
      ngrams.length, ngrams.isel(order=-1).mean("seed"), label=f"{int(ngrams.order[-1])}-gram", **counts.LOOK
    )
  axes[0].axhline(CHANCE_ERROR, label="guessing", **(THEORY | {"linestyle": "--"}))
  axes[0].set_ylim(-0.03, 1)
  axes[0].set_ylabel("share of wrong answers")
  axes[0].set_title("after training", loc="left")
  handles, labels = axes[0].get_legend_handles_labels()
  for watched, look in ((-1, {}), (0, BEFORE)):
    reached = [(cell, xr.concat(at_first_name(one, watched), "length")) for cell, one in cells]
    plot_by_length(axes[1], reached, **look)
  axes[1].set_ylabel(r"$\ln\|\partial L/\partial S_k\| - \ln\|\partial L/\partial S_T\|$")
  axes[1].set_title("gradient at the first name", loc="left")
  for panel in axes:
    panel.set_xlabel("gap (words)")
  handles.append(legend_line(color="0.4", **BEFORE))
  figure.legend(handles, [*labels, "before training"], loc="outside upper center", ncols=6)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["recall"], "length")
  ngrams = counts.of_task(datasets.get("ngram_tasks"), "long_range_recall")
  cells = [(cell, one) for (cell,), one in runs(data, "cell")]
  reached = [xr.concat(at_first_name(one, -1), "length").reset_coords(drop=True) for _, one in cells]
  gradient = xr.concat(reached, "cell", join="outer").assign_coords(cell=[cell for cell, _ in cells])
  shown = data[["final_score"]].assign(at_first_name=gradient)
  if ngrams is None:
    return shown
  ngrams = ngrams.isel(order=-1).sel(length=np.intersect1d(ngrams.length, data.length))
  return shown.assign(ngram_error=ngrams.mean("seed").reset_coords(drop=True))


def finding(shown: xr.Dataset) -> str:
  from recurrent_lab.tasks.stories import CHANCE_ERROR

  errors = shown[["final_score"]].median("seed")

  def wrong(one: xr.Dataset) -> str:
    known = one.final_score.dropna("length")
    return f"{short(100 * float(known[-1]))} % (gap {int(known.length[-1])})"

  guessing = short(100 * CHANCE_ERROR)
  return (
    f"Wrong answers at the longest gap, median over seeds: {each(errors, wrong)}; guessing is wrong in {guessing} %."
  )


def rows(datasets: Datasets) -> Iterator[Row]:
  from recurrent_lab.tasks.stories import CHANCE_ERROR

  data = only_axes(datasets["recall"], "length")
  ngrams = counts.of_task(datasets.get("ngram_tasks"), "long_range_recall")
  for (length, cell), one in runs(data, "length", "cell"):
    beside = f"guessing {100 * CHANCE_ERROR:.1f}"
    if ngrams is not None and length in ngrams.length.values:
      longest = ngrams.isel(order=-1)
      beside = f"{int(longest.order)}-gram {spread(longest.sel(length=length), 100)}, {beside}"
    yield f"gap {length}, {label(cell)}", spread(one.final_score, 100), beside


FIGURE = FigureSpec(
  name="recall",
  reads=("recall",),
  overlays=("ngram_tasks",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "final_score": TableSpec("share of wrong answers", over_seeds="median"),
    "at_first_name": TableSpec("gradient at the first name, relative to that at the end (nats)", over_seeds="median"),
    "ngram_error": TableSpec("share of wrong answers of n-grams", over_seeds="median"),
  },
  order=30,
  title="Can a net recall a name across a gap?",
)
SCORES = Scores("recall", "wrong answers, %", rows, overlays=("ngram_tasks",), order=30)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
