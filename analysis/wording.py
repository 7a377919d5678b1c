"""Numbers as words, for the ledger, the tables and the findings of figures."""

from collections.abc import Callable, Sequence
import math

import numpy as np
import xarray as xr

from analysis.style import cell_style, confidence_band
from sweepkit import curves
from sweepkit.curves import short as short
from sweepkit.words import FEW

# Symbols of settings and axes in figures; an axis that is not here is called by its name.
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
  """Returns the name of an axis in figures."""
  return AXES.get(axis, axis.replace("_", " "))


def minus(value: float, form: str = "g") -> str:
  """Returns a number as figures show it, with a minus sign instead of a hyphen."""
  return f"{value:{form}}".replace("-", "−")


def with_unit(text: str, values: xr.DataArray) -> str:
  """Returns `text (unit)` with the unit that is stored with the values, or the text alone if they have none."""
  units = values.attrs.get("units", "1")
  return text if units == "1" else f"{text} ({units})"


def mean(values: xr.DataArray) -> str:
  """Returns `mean ± half width of the 95 % interval` for one value per seed, or the values themselves if there are few seeds.

  The interval of two values is 13 standard errors wide, so it would say less than the values.
  """
  if values.size < FEW:
    texts = [short(float(value)) for value in values.values.ravel()]
    return f"{texts[0]} each" if len(texts) > 1 and len({*texts}) == 1 else listed(texts)
  band = confidence_band(values)
  return with_error(float(band.mean), float(band.high - band.mean))


def with_error(value: float, error: float) -> str:
  """Returns `-1.090 ± 0.008`: an error with one digit, or with two if the first is 1, and a value with as many decimals.

  Digits beyond these are noise. An error that three digits of the value do not show, such as that of rounding, is left out.
  """
  if error <= 5e-4 * abs(value):
    return short(value)
  if not (math.isfinite(value) and math.isfinite(error)) or max(abs(value), error) >= 1e6:
    return f"{short(value)} ± {short(error)}"
  first = math.floor(math.log10(error))
  decimals = -first + (error < 1.95 * 10.0**first)
  if decimals > 5:
    return f"{value:.3g} ± {error:.1g}"
  value, error = round(value, decimals) + 0.0, round(error, decimals)  # no -0
  return f"{value:.{max(decimals, 0)}f} ± {error:.{max(decimals, 0)}f}"


def spread(values: xr.DataArray | np.ndarray, scale: float = 1.0) -> str:
  """Returns `mean (lowest to highest)` over seeds, or the value if there is only one."""
  values = scale * np.asarray(values).ravel()
  values = values[np.isfinite(values)]
  if not len(values):
    return "–"
  return (
    short(values[0]) if len(values) == 1 else f"{short(values.mean())} ({short(values.min())} to {short(values.max())})"
  )


def count(solved: xr.DataArray) -> str:
  """Returns `3 of 5`: how many of the runs that were made solved their task. `solved` is 1 or 0, and NaN for a run not made."""
  return f"{int(solved.sum())} of {int(solved.count())}"


def listed(parts: Sequence[str]) -> str:
  """Returns `a, b and c`."""
  return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def each(data: xr.Dataset, say: Callable[[xr.Dataset], str]) -> str:
  """Returns `RNN …; LSTM …; GRU …`: what `say` says of each cell that has a value."""
  by_cell = [values for values in data.data_vars.values() if "cell" in values.dims]
  cells = [cell for cell in data.cell.values.tolist() if any(v.sel(cell=cell).notnull().any() for v in by_cell)]
  return "; ".join(f"{cell_style(cell).label} {say(data.sel(cell=cell))}" for cell in cells) or "no cell has a value"


def against_zero(values: xr.DataArray, axis: str = "ws") -> str:
  """Returns `rises above 0 at W_s = 1.9`: where the mean over seeds crosses 0 along an axis."""
  return curves.against_zero(*_mean_curve(values, axis), axis_name(axis))


def trend(values: xr.DataArray, axis: str) -> str:
  """Returns `rises from -1.2 to 0.5`: how the mean over seeds changes from the first to the last value of an axis."""
  return curves.trend(*_mean_curve(values, axis), axis_name(axis))


def _mean_curve(values: xr.DataArray, axis: str) -> tuple[list[float], list[float]]:
  """The values of an axis, and the mean over seeds at each; NaN if a seed has no value there."""
  means = values.mean("seed", skipna=False).transpose(axis)
  return means[axis].values.tolist(), means.values.tolist()


def last(values: xr.DataArray, axis: str) -> xr.DataArray:
  """Returns the last value along an axis that is not NaN."""
  return values.isel({axis: values.notnull().cumsum(axis).argmax(axis)}).drop_vars(axis)
