"""Apple the fruit or Apple the company: wrong tags of the ambiguous word by length of the sentence; one word has no context."""

from collections.abc import Iterator
import sys

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.language.panels import plot_by_length
from analysis.language.scores import Row, Scores, label
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import COLUMN, THEORY, new_figure
from analysis.wording import each, spread
from sweepkit.words import count


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["tagging"], "length")
  figure, ((axes,),) = new_figure(COLUMN, 2.7)
  plot_by_length(axes, ((cell, one.final_score) for (cell,), one in runs(data, "cell")))
  axes.axhline(0.5, label="chance", **(THEORY | {"linestyle": "--"}))
  axes.set_ylim(-0.03, 0.6)
  axes.set_xlabel("words in the sentence (1: no context)")
  axes.set_ylabel("wrong tags of the ambiguous word")
  figure.legend(loc="outside upper center", ncols=4)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  return only_axes(datasets["tagging"], "length")[["final_score"]]


def finding(shown: xr.Dataset) -> str:
  alone, longest = int(shown.length.min()), int(shown.length.max())
  wrong = lambda length: each(shown.sel(length=length), lambda one: f"{spread(one.final_score, 100)} %")
  said = f"Wrong tags of the ambiguous word in sentences of {count(alone, 'word')}: {wrong(alone)}."
  return said if alone == longest else f"{said} In sentences of {count(longest, 'word')}: {wrong(longest)}."


def rows(datasets: Datasets) -> Iterator[Row]:
  for (length, cell), one in runs(only_axes(datasets["tagging"], "length"), "length", "cell"):
    yield f"{length} word{'s' * (length > 1)}, {label(cell)}", spread(one.final_score, 100), "chance 50"


FIGURE = FigureSpec(
  name="tagging",
  reads=("tagging",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"final_score": TableSpec("share of wrong answers", over_seeds="median")},
  order=50,
  title="Does the context decide the tag of an ambiguous word?",
)
SCORES = Scores("tagging", "wrong tags of the ambiguous word, %", rows, order=50)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
