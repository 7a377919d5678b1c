"""Numbers as words: what the ledger, the tables and the findings of figures say of values over seeds."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from analysis.style import cell_style, confidence_band
from sweepkit import curves
from sweepkit.curves import short as short
from sweepkit.words import FEW

AXES = {
  "ws": "W_s",
  "forget_bias": "b_f",
  "length": "length",
  "sv_lag": "lag",
  "watched_update": "update",
  "index": "i",
  "swept_bias": "b_f",
  "recurrent_init": "kernel",
}


def axis_name(axis: str) -> str:
  """An axis of results as the figures call it."""
  return AXES.get(axis, axis.replace("_", " "))


def mean(values: xr.DataArray) -> str:
  """`mean ± half width of the 95 % interval` over seeds, for one value a seed; of few seeds the values themselves.

  From two values the interval would be 13 standard errors wide, which says nothing of either.
  """
  if values.size < FEW:
    return listed([short(float(value)) for value in values.values.ravel()])
  band = confidence_band(values)
  return f"{float(band.mean):.3g} ± {float(band.high - band.mean):.2g}"


def spread(values: xr.DataArray | np.ndarray, scale: float = 1.0) -> str:
  """Mean (lowest to highest) over seeds, or the one value."""
  values = scale * np.asarray(values).ravel()
  values = values[np.isfinite(values)]
  if not len(values):
    return "–"
  return (
    short(values[0]) if len(values) == 1 else f"{short(values.mean())} ({short(values.min())} to {short(values.max())})"
  )


def count(solved: xr.DataArray) -> str:
  """`3 of 5`: the runs that solved their task (1, else 0), of those that were made."""
  return f"{int(solved.sum())} of {int(solved.count())}"


def listed(parts: Sequence[str]) -> str:
  """`a, b and c`."""
  return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def each(data: xr.Dataset, say: Callable[[xr.Dataset], str]) -> str:
  """`RNN …; LSTM …; GRU …`: what is to be said of every cell that was measured, and has a value."""
  by_cell = [values for values in data.data_vars.values() if "cell" in values.dims]
  cells = [cell for cell in data.cell.values.tolist() if any(v.sel(cell=cell).notnull().any() for v in by_cell)]
  return "; ".join(f"{cell_style(cell).label} {say(data.sel(cell=cell))}" for cell in cells) or "no cell has a value"


def against_zero(values: xr.DataArray, axis: str = "ws") -> str:
  """`rises above 0 at W_s = 1.9`: what the mean over seeds does beside 0 along an axis."""
  return curves.against_zero(*_mean_curve(values, axis), axis_name(axis))


def trend(values: xr.DataArray, axis: str) -> str:
  """`rises from -1.2 to 0.5`: what the mean over seeds does from the first to the last value of an axis."""
  return curves.trend(*_mean_curve(values, axis), axis_name(axis))


def _mean_curve(values: xr.DataArray, axis: str) -> tuple[list[float], list[float]]:
  """Places and means over seeds as they are drawn: NaN where a seed has no value."""
  means = values.mean("seed", skipna=False).transpose(axis)
  return means[axis].values.tolist(), means.values.tolist()


def last(values: xr.DataArray, axis: str) -> xr.DataArray:
  """The last value along an axis that is not NaN."""
  return values.isel({axis: values.notnull().cumsum(axis).argmax(axis)}).drop_vars(axis)
