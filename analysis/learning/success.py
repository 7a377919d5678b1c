"""Success of training runs: the share of seeds that solved a task, with its interval, and how it is drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
import numpy as np
import xarray as xr

from analysis.numbers import TableSpec
from analysis.style import Band

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
