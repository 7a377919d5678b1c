"""A number of a cell as the page shows it: a value to sort by, and a text with its interval."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from analysis.atlas._timings import Time
from analysis.style import confidence_band
from analysis.wording import short


class Entry(NamedTuple):
  """A number of a cell: the value that sorts it, and the text that shows it."""

  value: float
  text: str


NOT_MEASURED = Entry(float("nan"), "not measured")
NONE = Entry(float("nan"), "–")


def entry(values: xr.DataArray) -> Entry:
  """Returns the mean over seeds with its 95 % interval, or the median with the range of all seeds if one is infinite."""
  known = values.values.ravel()
  known = known[~np.isnan(known)]
  if not known.size:
    return NONE
  if np.all(known == known[0]):
    return Entry(float(known[0]), short(float(known[0])))
  if np.isinf(known).any():
    # Not np.median, which is NaN between -∞ and ∞.
    low, middle, high = (float(np.sort(known)[i]) for i in (0, (known.size - 1) // 2, -1))
  else:
    middle, low, high = (float(part) for part in confidence_band(xr.DataArray(known, dims="seed")))
  return Entry(middle, f"{short(middle)} ({short(low)} to {short(high)})")


def timed(time: Time | None) -> Entry:
  """Returns the time per step of a batch."""
  return Entry(time.median, f"{short(time.median)} ({short(time.low)} to {short(time.high)})") if time else NOT_MEASURED
