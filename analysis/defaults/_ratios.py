"""The longest memory of a kind of net divided by the shortest: how much the same class differs between libraries."""

from collections.abc import Iterator
import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from analysis.defaults._libraries import KINDS, kind, label


class Ratio(NamedTuple):
  """The longest memory of a kind divided by the shortest, at one setting."""

  kind: str
  units: int
  scale: float
  recipes: int
  shortest: str
  longest: str
  value: float
  low: float  # end of the 95 % interval
  high: float
  first_lag: float  # the longest first lag divided by the shortest one
  ranks: float = math.nan  # Spearman's correlation between -1/rate and the first lag over recipes

  @property
  def text(self) -> str:
    """The ratio with its interval."""
    return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio_of_means(longer: np.ndarray, shorter: np.ndarray) -> tuple[float, float, float]:
  """Returns the ratio of two means of independent seeds, with the ends of its 95 % interval.

  The interval is that of ln ratio, whose variance is the sum of the relative variances of both means, with Welch's degrees of
  freedom.
  """
  from scipy import stats

  spread = lambda one: np.var(one, ddof=1) / one.size if one.size > 1 else 0.0
  parts = [float(spread(one) / np.mean(one) ** 2) for one in (longer, shorter)]
  variance, value = sum(parts), float(np.mean(longer) / np.mean(shorter))
  if not variance > 0:  # equal seeds, or one alone
    return value, value, value
  freedom = variance**2 / sum(part**2 / (one.size - 1) for part, one in zip(parts, (longer, shorter), strict=True))
  half = float(stats.t.ppf(0.975, freedom)) * math.sqrt(variance)
  return value, value * math.exp(-half), value * math.exp(half)


def settings(memory: xr.DataArray) -> list[tuple[int, float]]:
  """Returns the (units, input scale) at which something was measured."""
  there = memory.notnull().any([name for name in memory.dims if name not in ("hidden_size", "input_scale")])
  return [
    (int(units), float(scale))
    for units in memory.hidden_size.values
    for scale in memory.input_scale.values
    if there.sel(hidden_size=units, input_scale=scale)
  ]


def ratios(data: xr.Dataset) -> Iterator[Ratio]:
  """Yields the ratio of every kind at every setting. `data` is `plain(grid(results))`."""
  from scipy import stats

  for name in KINDS:
    for units, scale in settings(data.memory_length):
      one = data.sel(hidden_size=units, input_scale=scale)
      memory, lag = (
        {recipe: values.sel(recipe=recipe).values for recipe in data.recipe.values.tolist() if kind(recipe) == name}
        for values in (one.memory_length, one.first_lag_below)
      )
      known = [
        recipe for recipe, values in memory.items() if np.all(np.isfinite([values, lag[recipe]])) and np.all(values > 0)
      ]
      if len(known) < 2:
        continue
      order = sorted(known, key=lambda recipe: np.mean(memory[recipe]))
      lags = [float(np.mean(lag[recipe])) for recipe in known]
      found = ratio_of_means(memory[order[-1]], memory[order[0]])
      rates = [float(np.mean(memory[recipe])) for recipe in known]
      ranks = float(stats.spearmanr(rates, lags).statistic) if len({*rates}) > 2 < len({*lags}) else math.nan
      ends = label(order[0]), label(order[-1])
      yield Ratio(name, units, scale, len(known), *ends, *found, max(lags) / min(lags), ranks)
