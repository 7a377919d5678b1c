"""Numbers as words: what the ledger, the tables and the findings of figures say of values over seeds."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from analysis.style import cell_style, confidence_band

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


def short(value: float) -> str:
  """Three digits, thousands in full; – for what was not measured."""
  if not np.isfinite(value):
    return "–" if np.isnan(value) else "∞" if value > 0 else "-∞"
  return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def mean(values: xr.DataArray) -> str:
  """`mean ± half width of the 95 % interval` over seeds, for one value a seed."""
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
  """`RNN …; LSTM …; GRU …`: what is to be said of every cell that was measured."""
  by_cell = [values for values in data.data_vars.values() if "cell" in values.dims]
  cells = [cell for cell in data.cell.values.tolist() if any(v.sel(cell=cell).notnull().any() for v in by_cell)]
  return "; ".join(f"{cell_style(cell).label} {say(data.sel(cell=cell))}" for cell in cells)


def onset(values: xr.DataArray, axis: str = "ws") -> str:
  """`at W_s = 1.9`: where the mean over seeds rises above 0 for the last time along the axis; or `nowhere` in its range."""
  means = values.mean("seed").dropna(axis)
  x, y = means[axis].values, means.values
  rises = np.flatnonzero((y[:-1] <= 0) & (y[1:] > 0))
  if not rises.size:
    return f"nowhere from {axis_name(axis)} = {short(x[0])} to {short(x[-1])}" if len(x) else "not measured"
  i = rises[-1]
  return f"at {axis_name(axis)} = {short(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))}"


def last(values: xr.DataArray, axis: str) -> xr.DataArray:
  """The last value along an axis that is not NaN."""
  return values.isel({axis: values.notnull().cumsum(axis).argmax(axis)}).drop_vars(axis)


def ends(values: xr.DataArray, axis: str) -> str:
  """`from -1.2 to 0.5`: the mean over seeds at the first and at the last measured value of an axis."""
  means = values.mean("seed").dropna(axis)
  return f"from {short(means.values[0])} to {short(means.values[-1])}" if means.size else "not measured"
