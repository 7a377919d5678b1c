"""Forecasts of a chaotic series: error of each cell during training, and of two forecasts without a net."""

from collections.abc import Iterator
import sys

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.language.scores import Row, Scores, label
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import COLUMN, THEORY, cell_style, new_figure, plot_seeds
from analysis.wording import each, short, spread

BASELINES = {"persistence": "--", "linear": ":"}
NAMES = {"persistence": "the last value", "linear": "least squares"}


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["forecast"])
  figure, ((axes,),) = new_figure(COLUMN, 2.7)
  for (cell,), one in runs(data, "cell"):
    label, color, marker, linestyle = cell_style(cell)
    look = {"label": label, "color": color, "marker": marker, "linestyle": linestyle, "markevery": 5}
    plot_seeds(axes, data["update"].values, one.test_loss, **look)
  for name, linestyle in BASELINES.items():
    axes.axhline(float(data[name].mean()), label=NAMES[name], **(THEORY | {"linestyle": linestyle}))
  axes.set_yscale("log")
  axes.set_xlabel("update")
  axes.set_ylabel("mean squared error / variance")
  figure.legend(loc="outside upper center", ncols=3)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["forecast"])
  return data[["final_score", "test_loss"]].rename(final_score="squared_error").assign(data[list(BASELINES)].mean())


def finding(shown: xr.Dataset) -> str:
  errors = each(shown[["squared_error"]], lambda one: spread(one.squared_error))
  beside = ", ".join(f"{short(float(shown[name]))} for {NAMES[name]}" for name in BASELINES)
  return f"Mean squared error at the end, as a share of the variance: {errors}; beside {beside}."


def rows(datasets: Datasets) -> Iterator[Row]:
  for (cell,), one in runs(only_axes(datasets["forecast"]), "cell"):
    beside = f"least squares {spread(one.linear[:1])}, last value {spread(one.persistence[:1])}"
    yield label(cell), spread(one.final_score), beside


FIGURE = FigureSpec(
  name="forecast",
  reads=("forecast",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "squared_error": TableSpec("squared error over variance, at the end", over_seeds="median"),
    "test_loss": TableSpec(over_seeds="median"),
  },
  order=90,
  title="How well do nets forecast a chaotic series?",
  over_seeds="seeds",
)
SCORES = Scores("forecast", "mean squared error / variance", rows, order=90)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
