"""Mean-field rates beside measured ones, where they were made for the same settings."""

import numpy as np
import xarray as xr

from analysis.figure import Datasets
from analysis.selection import Unfit, only_axes

SHARED = ("input", "input_scale", "bias_scale", "bias", "recurrent_init")  # settings that must agree
OTHER = {"ws": "forget_bias", "forget_bias": "ws"}  # axis -> the axis that stays at the measured value


def mean_field(datasets: Datasets, axis: str, measured: xr.Dataset) -> xr.DataArray | None:
  """Returns the predicted growth rates `[cell, axis]` in nats per step at the measured values of an axis; None if there are none.

  Args:
    datasets: by experiment; `atlas_mean_field` need not be among them.
    axis: "ws" or "forget_bias"; no theory has another axis.
    measured: results of which `only_axes` left this axis alone, so that the other axis is a scalar.

  Raises:
    Unfit: if the prediction was made for other settings.
  """
  if "atlas_mean_field" not in datasets or axis not in OTHER:
    return None
  predicted = only_axes(datasets["atlas_mean_field"], "ws", "forget_bias")
  for name in SHARED:
    if np.any(predicted[name] != measured[name]):
      raise Unfit(predicted, f"was made for {name} = {predicted[name].values}, not for {measured[name].values}")
  rates = predicted.growth_rate.mean("seed", skipna=False)
  other = OTHER[axis]
  rates = rates.isel({other: np.flatnonzero(np.isclose(rates[other], float(measured[other])))})
  if not rates.sizes[other]:
    raise Unfit(predicted, f"was made for other values of {other} than {float(measured[other]):g}")
  rates = rates.isel({other: 0}, drop=True).reindex({axis: measured[axis]}, method="nearest", tolerance=1e-9)
  return rates.dropna("cell", how="all").transpose("cell", axis)
