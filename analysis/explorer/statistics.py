"""Numbers over seeds, as the page holds them: a mean with its band, and a text.

The estimators are those of the figures and of the ledger. The page itself computes no mean and no interval.
"""

from functools import cache
from typing import Any

import numpy as np

from analysis import wording
from sweepkit.words import FEW

Numbers = list[Any]  # numbers, and None for what is not finite


def plain(values: np.ndarray, decimals: int) -> Numbers:
  """Returns numbers with so many decimals, and None for what is not finite."""
  return [round(float(value), decimals) + 0.0 if np.isfinite(value) else None for value in values]


@cache
def _quantile(seeds: int) -> float:
  """Student's t that 95 % of the means of so many seeds stay within."""
  from scipy import stats  # it takes half a second to import, which a page of help does without

  return float(stats.t.ppf(0.975, seeds - 1))


def interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the mean `[…]` of values `[seeds, …]` and half of its 95 % interval, as `analysis.style.confidence_band` draws it.

  That function takes labelled arrays, and 20 seconds for all numbers of a page.
  """
  finite = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
  seeds = len(finite)
  return finite.mean(0), _quantile(seeds) * finite.std(0, ddof=1) / np.sqrt(seeds)


def band(values: np.ndarray, decimals: int) -> tuple[Numbers, Numbers, Numbers]:
  """Returns the mean over seeds `[n]`, and the two ends of its band, of values `[seeds, n]`.

  The band is the 95 % interval of the mean. With fewer than five seeds it goes from the smallest seed to the largest, as an
  interval of so few says little. Where a seed is not finite there is no mean.
  """
  if len(values) >= FEW:
    mean, half = interval(values)
    found = (mean, mean - half, mean + half)
  else:
    finite = np.where(np.isfinite(values), values, np.nan)
    with np.errstate(invalid="ignore"):
      found = (finite.mean(0), finite.min(0), finite.max(0))
  first, second, third = (plain(part, decimals) for part in found)
  return first, second, third


def text(values: np.ndarray) -> str:
  """Returns one number per seed as `-1.09 ± 0.01`, or the seeds themselves if there are few; the range if some are infinite.

  >>> text(np.array([1.5, 2.5, np.inf, 3.0, 2.0]))
  '1.5 … ∞'
  """
  known = np.sort(values[~np.isnan(values)])
  if not known.size:
    return "–"
  ends = [wording.short(float(value)) for value in (known[0], known[-1])]
  if ends[0] == ends[1]:
    return ends[0]
  if not np.isfinite(known).all():
    return " … ".join(ends)
  if known.size < FEW:
    return ", ".join(wording.short(float(value)) for value in values[~np.isnan(values)])
  return wording.with_error(*map(float, interval(known)))
