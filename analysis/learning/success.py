"""Success of training runs: the share of seeds that solved a task, with its interval, and how it is drawn."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
import numpy as np
import xarray as xr

from analysis.numbers import TableSpec
from analysis.style import Band, plot_seeds

SOLVED = TableSpec("seeds that solve the task", over_seeds="count")


def success_rate(solved: xr.DataArray, dim: str = "seed", level: float = 0.95) -> Band:
  """Returns the share of runs that solved their task with its Wilson interval; `solved` is 1 or 0, and NaN for a run not made."""
  from scipy import stats

  def rate(successes: int, made: int) -> np.ndarray:
    if not made:
      return np.full(3, np.nan)
    test = stats.binomtest(int(successes), int(made))
    return np.array([test.statistic, *test.proportion_ci(level, method="wilson")])

  rates = np.vectorize(rate, signature="(),()->(k)")(solved.sum(dim), solved.count(dim))
  return Band(*np.moveaxis(rates, -1, 0))


def success_bars(solved: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the success rate, and the lengths of its bars down and up."""
  rate = success_rate(solved)
  return rate.mean, np.clip([rate.mean - rate.low, rate.high - rate.mean], 0, None)  # rounding may make them negative


def plot_success(axes: Axes, curves: Sequence[tuple[xr.DataArray, Mapping[str, Any]]]) -> None:
  """Draws success rates against `length` with Wilson bars for curves (`solved`, look), side by side so that all bars are seen."""
  for i, (solved, look) in enumerate(curves):
    share, bars = success_bars(solved)
    at = np.arange(share.size) + 0.4 * ((i + 0.5) / len(curves) - 0.5)
    axes.errorbar(at, share, bars, capsize=1.5, elinewidth=0.8, **look)
  axes.set_xticks(range(share.size), solved.length.values)
  axes.set_ylim(-0.04, 1.04)


class Case(NamedTuple):
  """Training runs that share all settings but their seed, and how they are drawn.

  Attributes:
    label: what a reader calls them.
    look: how their lines and marks are drawn.
    runs: their results, over `seed` and `update`.
  """

  label: str
  look: Mapping[str, Any]
  runs: xr.Dataset


def plot_cases(curves: Axes, success: Axes, cases: Sequence[Case]) -> None:
  """Draws the score of every case during training, and its share of seeds that solve the task with the median update."""
  for i, case in enumerate(cases):
    plot_seeds(curves, case.runs["update"].values, case.runs.score, label=case.label, **case.look)
    share, bars = success_bars(case.runs.solved)
    success.errorbar(share, i, xerr=bars[:, None], capsize=2, elinewidth=0.8, **case.look)
    # A seed that does not solve the task counts as infinitely slow.
    median = float(case.runs.solved_at.where(case.runs.solved == 1, np.inf).median("seed"))
    when = f"{median:.0f}" if np.isfinite(median) else "–"
    success.annotate(when, (1.02, i), xycoords=("axes fraction", "data"), va="center", fontsize=7)
  curves.set_xlabel("update")
  success.set_yticks(range(len(cases)), [case.label for case in cases])
  success.set_ylim(len(cases) - 0.5, -0.5)
  success.set_xlim(-0.04, 1.04)
  success.set_xlabel("share of seeds")
