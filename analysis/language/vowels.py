"""Speakers of the vowel /ae/: wrong speakers of held-out utterances, and of single frames given the frames before."""

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

TITLES = {"vowels": "whole utterances", "vowels_per_frame": "frames, given the frames before"}
LINES = {"vowels": {"counts as solved": 10.0}}  # percent of the held-out utterances


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["vowels"], "task")
  tasks = [task for task in TITLES if task in data.task.values]
  figure, (axes,) = new_figure(PAGE, 2.0, 1, len(tasks))
  for panel, task in zip(axes, tasks, strict=True):
    cases = [
      (cell_style(cell).label, cell, 100 * np.asarray(one.final_score))
      for (cell,), one in runs(data.sel(task=task), "cell")
    ]
    plot_scores(panel, cases, LINES.get(task, {}))
    panel.set_xlim(left=0)
    panel.set_title(TITLES[task], loc="left")
    panel.set_xlabel("wrong speaker (% of the held-out)")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  return only_axes(datasets["vowels"], "task")[["final_score"]]


def finding(shown: xr.Dataset) -> str:
  wrong = lambda task: each(shown.sel(task=task), lambda one: f"{spread(one.final_score, 100)} %")
  return " ".join(f"Wrong speakers of {TITLES[task]}: {wrong(task)}." for task in TITLES if task in shown.task)


def rows(datasets: Datasets) -> Iterator[Row]:
  for (task, cell), one in runs(only_axes(datasets["vowels"], "task"), "task", "cell"):
    yield f"{task.replace('_', ' ')}, {label(cell)}", spread(one.final_score, 100), "guessing one of nine 88.9"


FIGURE = FigureSpec(
  name="vowels",
  reads=("vowels",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"final_score": TableSpec("share of wrong answers", over_seeds="median")},
  order=70,
  title="Can a net tell speakers by a single vowel?",
)
SCORES = Scores("vowels", "wrong speakers, % of the held-out", rows, order=70)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
