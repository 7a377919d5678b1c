"""Names of digits written letter by letter from their images: share of exact names of held-out images, overall and by digit."""

from collections.abc import Iterator
import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.language.panels import plot_scores
from analysis.language.scores import Row, Scores, label
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, cell_style, new_figure
from analysis.wording import each, spread


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["captions"])
  figure, (axes,) = new_figure(PAGE, 2.3, 1, 2)
  cells = list(runs(data, "cell"))
  cases = [(cell_style(cell).label, cell, 100 * np.asarray(one.exact)) for (cell,), one in cells]
  plot_scores(axes[0], cases, {"most frequent name": 100 * float(data.most_frequent.max())})
  axes[0].set_xlim(0, 102)
  axes[0].set_xlabel("exact names (% of held-out images)")
  for i, ((cell,), one) in enumerate(cells):
    look = cell_style(cell)
    at = one.digit.values + 0.25 * (i - (len(cells) - 1) / 2)
    axes[1].plot(
      at,
      100 * one.exact_by_digit.transpose("digit", "seed").values,
      color=look.color,
      marker=look.marker,
      markersize=2.5,
      linestyle="none",
      alpha=0.7,
    )
  axes[1].set_xticks(data.digit.values)
  axes[1].set_xlabel("digit")
  axes[1].set_ylabel("exact names (%)")
  axes[0].set_title("all digits", loc="left")
  axes[1].set_title("by digit, one mark per seed", loc="left")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  return only_axes(datasets["captions"])[["exact", "exact_by_digit"]]


def finding(shown: xr.Dataset) -> str:
  return f"Exact names of held-out images: {each(shown[['exact']], lambda one: f'{spread(one.exact, 100)} %')}."


def rows(datasets: Datasets) -> Iterator[Row]:
  for (cell,), one in runs(only_axes(datasets["captions"]), "cell"):
    yield label(cell), spread(one.exact, 100), f"most frequent name {spread(one.most_frequent[:1], 100)}"


FIGURE = FigureSpec(
  name="captions",
  reads=("captions",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"exact": TableSpec(over_seeds="median"), "exact_by_digit": TableSpec(over_seeds="median")},
  order=80,
  title="Can a net spell the name of a digit that it sees?",
)
SCORES = Scores("captions", "exact names, % of held-out images", rows, order=80)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
