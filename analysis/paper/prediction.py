"""Theory beside measured sweeps: a line is drawn over numbers only if its assumptions hold for them."""

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
import numpy as np
from numpy.typing import ArrayLike
import xarray as xr

from analysis.style import THEORY, cell_style, theory_of

SHARED = ("input_scale", "bias_scale", "forget_bias")  # settings that the mean field knows
SLACK = 1e-9


def is_gaussian(data: xr.Dataset) -> bool:
  """Tells whether the closed forms hold for these nets: dense Gaussian kernels, and no biases except the forget gate's."""
  biased = any(np.any(data[name] != 0) for name in ("bias", "bias_scale"))
  return bool(np.all(data.recurrent_init == "gaussian")) and not biased


def input_variance(data: xr.Dataset) -> np.ndarray:
  """Returns σ² of the white input, 0 without input: one number, or one per value of the input scale."""
  return np.asarray(data.input_scale.where(data.input == "white", 0.0)) ** 2


def mean_field_rates(predicted: xr.Dataset, data: xr.Dataset, cell: str) -> tuple[np.ndarray, np.ndarray] | None:
  """Returns W_s and the growth rates predicted there, within the range of the measured W_s and at the other measured settings.

  Returns None if the prediction was not computed for this cell or these settings, or does not hold for them.
  """
  if cell not in predicted.cell or np.any(data.bias != 0) or str(data.recurrent_init.values) != "gaussian":
    return None
  rates = predicted.growth_rate.sel(cell=cell)
  for name in SHARED:
    wanted = np.sqrt(input_variance(data)) if name == "input_scale" else data[name].values
    near = np.flatnonzero(np.isclose(predicted[name].values, float(wanted), rtol=SLACK, atol=SLACK))
    if not near.size:
      return None
    rates = rates.isel({name: near[0]})
  rates = rates.squeeze("bias", drop=True).mean("seed", skipna=False).sortby("ws")
  inside = (rates.ws >= data.ws.min() - SLACK) & (rates.ws <= data.ws.max() + SLACK)
  rates = rates.isel(ws=np.flatnonzero(inside))
  return (rates.ws.values, rates.values) if rates.size else None


def with_mean_field(shown: xr.Dataset, predicted: xr.Dataset | None, data: xr.Dataset) -> xr.Dataset:
  """Adds to `shown` a variable `mean_field` at its values of W_s, for the cells that have a prediction, if any has one."""
  lines = {}
  for cell in map(str, data.cell.values):
    rates = None if predicted is None else mean_field_rates(predicted, data, cell)
    if rates is not None:
      lines[cell] = xr.DataArray(rates[1], coords={"ws": rates[0]}, dims="ws").reindex(ws=shown.ws)
  return shown.assign(mean_field=xr.concat(lines.values(), xr.IndexVariable("cell", list(lines)))) if lines else shown


def plot_mean_field(axes: Axes, predicted: xr.Dataset | None, data: xr.Dataset, label: str = "mean field") -> None:
  """Draws the mean field of every measured cell that has one, thin and in a dark shade of its colour, with one legend entry."""
  found = [
    (cell, rates)
    for cell in map(str, data.cell.values)
    if predicted is not None and (rates := mean_field_rates(predicted, data, cell)) is not None
  ]
  for cell, rates in found:
    axes.plot(*rates, **theory_of(cell_style(cell).color))
  if found:
    axes.plot([], [], label=f"{label} (thin, dark)", **THEORY | {"color": "0.25"})
  elif predicted is not None:
    axes.plot([], [], linestyle="none", label=f"no {label} at these settings")


def theory_line(axes: Axes, x: np.ndarray, f: Callable[[np.ndarray], ArrayLike], **look: Any) -> None:
  """Draws f over the range of x as a thin line, black unless `look` says otherwise."""
  space = np.geomspace if x.min() > 0 else np.linspace
  dense = space(x.min(), x.max(), 201)
  axes.plot(dense, np.asarray(f(dense)), **(THEORY | look))
