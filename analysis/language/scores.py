"""Scores of the language study: what each module adds to the study's table."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from analysis.figure import Datasets
from analysis.style import cell_style

Row = tuple[str, str, str]  # name, score, baseline


class Scores(NamedTuple):
  """One section of the table: the scores of an experiment beside a simple baseline.

  Attributes:
    experiment: whose results it shows.
    score: what a score is, with its unit.
    rows: `datasets by experiment -> rows`.
    overlays: experiments that baselines are taken from, if they were run.
    order: its place in the table; sections are sorted by it.
  """

  experiment: str
  score: str
  rows: Callable[[Datasets], Iterator[Row]]
  overlays: Sequence[str] = ()
  order: int = 1000


def label(cell: object) -> str:
  """Returns the name of a cell as a person reads it."""
  return cell_style(str(cell)).label
