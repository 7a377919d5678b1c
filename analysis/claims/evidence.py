"""Intervals and what they resolve: shares of solved seeds by Wilson's, means by Student's t, and the seeds that it would take."""

from collections.abc import Hashable
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
import xarray as xr

from analysis.learning.success import success_rate
from analysis.style import confidence_band
from sweepkit.curves import short

LEVEL = 0.95
MOST_SEEDS = 10_000  # beyond this a difference counts as none
ALL_SOLVED = "all seeds of both solve it"


class Compared(NamedTuple):
  """Two groups of seeds beside each other.

  Attributes:
    is_above: whether the first interval lies wholly above the second.
    text: both shares with their intervals; if these overlap, how many seeds would part them.
  """

  is_above: bool
  text: str


def select(data: xr.Dataset, **wanted: Hashable) -> xr.Dataset:
  """Returns the results with these settings, without axes of one value other than `seed`.

  Raises:
    KeyError: if a setting has another value, whether it is an axis or not.
  """
  for name, value in wanted.items():
    if name in data.dims:
      data = data.sel({name: value})
    elif data[name].item() != value:
      raise KeyError(name)
  return data.squeeze([name for name, size in data.sizes.items() if size == 1 and name != "seed"])


def wilson(share: float, seeds: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
  """Returns the ends of Wilson's 95 % interval of a share, for every number of seeds."""
  seeds = np.asarray(seeds)
  z = stats.norm.ppf(0.5 + LEVEL / 2)
  middle, half = share + z**2 / (2 * seeds), z * np.sqrt(share * (1 - share) / seeds + (z / (2 * seeds)) ** 2)
  return (middle - half) / (1 + z**2 / seeds), (middle + half) / (1 + z**2 / seeds)


def share(solved: xr.DataArray) -> str:
  """Returns `0.4 (0.168 – 0.687), 4 of 10`: the share of seeds that solved a task, with Wilson's interval."""
  rate = success_rate(solved)
  interval = f"{short(float(rate.mean))} ({short(float(rate.low))} – {short(float(rate.high))})"
  return f"{interval}, {int(solved.sum())} of {int(solved.count())}"


def seeds_for_half(share: float) -> int | None:
  """Returns the seeds from which Wilson's interval of a share like this excludes one half; None if none does."""
  if share == 0.5:
    return None
  seeds = np.arange(2, MOST_SEEDS)
  low, high = wilson(share, seeds)
  resolved = (low > 0.5) | (high < 0.5)
  return int(seeds[resolved.argmax()]) if resolved.any() else None


def most(solved: xr.DataArray) -> tuple[bool, str]:
  """Returns whether the interval of a share lies above one half, and the share, with the seeds that would resolve the side."""
  rate = success_rate(solved)
  text = share(solved)
  if rate.low <= 0.5 <= rate.high:
    seeds = seeds_for_half(float(rate.mean))
    text += f" (the side of one half is not resolved{f'; such a share needs {seeds} seeds' if seeds else ''})"
  return bool(rate.low > 0.5), text


def seeds_to_part(more: float, fewer: float) -> int | None:
  """Returns the seeds of each group from which shares like these have intervals that do not overlap; None for equal shares."""
  if more == fewer:
    return None
  seeds = np.arange(2, MOST_SEEDS)
  parted = wilson(max(more, fewer), seeds)[0] > wilson(min(more, fewer), seeds)[1]
  return int(seeds[parted.argmax()]) if parted.any() else None


def compare(more: xr.DataArray, fewer: xr.DataArray) -> Compared:
  """Holds the seeds that solved a task, of a group that should solve it more often, against those of another."""
  high, low = success_rate(more), success_rate(fewer)
  if not (more.count() and fewer.count()):
    raise ValueError("A group without seeds cannot be compared.")
  text = f"{share(more)}, against {share(fewer)}"
  if high.low > low.high:
    return Compared(True, text)
  if low.low > high.high:
    return Compared(False, f"{text} (the opposite is resolved)")
  seeds = seeds_to_part(float(high.mean), float(low.mean))
  if seeds is None:
    return Compared(False, f"{text} (not resolved; equal shares stay so with any number of seeds)")
  which = "" if high.mean > low.mean else ", for the opposite,"
  return Compared(False, f"{text} (not resolved; such shares need{which} {seeds} seeds each)")


def interval(values: xr.DataArray) -> tuple[float, float]:
  """Returns Student's 95 % interval of the mean over the seeds that were made; NaN for less than two."""
  made = values.dropna("seed")
  if made.size < 2:
    return np.nan, np.nan
  band = confidence_band(made)
  return float(band.low), float(band.high)


def seeds_for_sign(values: xr.DataArray) -> int | None:
  """Returns the seeds from which the interval of a mean like this excludes 0; None if that takes more than `MOST_SEEDS`."""
  made = values.dropna("seed")
  mean, deviation = abs(float(made.mean())), float(made.std(ddof=1))
  for seeds in count(2):
    if seeds > MOST_SEEDS or not np.isfinite(deviation):
      return None
    if stats.t.ppf(0.5 + LEVEL / 2, seeds - 1) * deviation / np.sqrt(seeds) < mean:
      return seeds
  return None


def has_sign(values: xr.DataArray, sign: int) -> bool:
  """Returns True if the interval of the mean lies wholly on one side of 0: above it for a sign of 1, below for -1."""
  low, high = interval(values)
  return bool(low > 0) if sign > 0 else bool(high < 0)


def for_sign(values: xr.DataArray, what: str = "the sign") -> str:
  """Returns an empty text if the interval of a mean excludes 0, and otherwise how many seeds would let it; `what` is resolved."""
  if has_sign(values, 1) or has_sign(values, -1):
    return ""
  seeds = seeds_for_sign(values)
  return f" ({what} is not resolved" + (f"; such values need {seeds} seeds)" if seeds else ")")


def solved_runs(data: xr.Dataset, **wanted: str | float) -> xr.DataArray:
  """The seeds that solved their task, with `length` as an axis; lengths that were not run are left out."""
  solved = select(data, **wanted).solved
  solved = solved if "length" in solved.dims else solved.expand_dims("length")
  over = [name for name in solved.dims if name != "length"]
  return solved.isel(length=solved.notnull().any(over).values)


def lengths_of(*groups: xr.DataArray) -> list[int]:
  """The lengths that all groups were run at."""
  return [length for length in groups[0].length.values.tolist() if all(length in group.length for group in groups)]


def by_length(better: xr.DataArray, worse: xr.DataArray) -> dict[int, Compared | None]:
  """Holds two groups of seeds against each other at every length; None where all seeds of both solve their task."""
  groups = ((length, better.sel(length=length), worse.sel(length=length)) for length in lengths_of(better, worse))
  return {length: None if float(min(a.mean(), b.mean())) == 1 else compare(a, b) for length, a, b in groups}


def resolved(found: dict[int, Compared | None]) -> dict[str, bool]:
  """The lengths that are a case, and whether the first group is above the second there."""
  return {f"{length}": one.is_above for length, one in found.items() if one}
