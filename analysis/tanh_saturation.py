"""Growth rate against the input scale, with mean ln φ' beside it: how much of the shrinking is saturation."""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, Plot, main, only_axes
from analysis.style import PAGE, cell_style, new_figure, plot_band
from analysis.words import each, ends
from experiments.store import ResultsError

# The nonlinearity that the state itself passes through.
STATE_NONLINEARITY = {"lstm": "cell", "gru": "candidate"}


def along(data: xr.Dataset) -> tuple[xr.Dataset, str]:
  """The results and the axis along which they saturate.

  Raises:
    ResultsError: if there is none.
  """
  axis = next((name for name in ("input_scale", "bias_scale", "bias") if np.unique(data[name]).size > 1), None)
  if axis is None:
    raise ResultsError(
      f"{data.attrs['source']} varies neither in input_scale, bias_scale nor bias; there is no curve to draw."
    )
  return only_axes(data, axis), axis


def draw(datasets: Datasets) -> Figure:
  data, axis = along(datasets["tanh_saturation"])
  figure, (axes,) = new_figure(PAGE, 2.5, 1, 2)
  for cell in map(str, data.cell.values):
    label, color, marker, linestyle = cell_style(cell)
    look = {"color": color, "marker": marker, "linestyle": linestyle}
    gate = STATE_NONLINEARITY.get(cell, "state")
    rates = data.growth_rate.sel(cell=cell, norm="spectral").transpose("seed", axis)
    plot_band(axes[0], data[axis].values, rates, label=label, **look)
    slopes = data.mean_log_slope.sel(cell=cell, gate=gate).transpose("seed", axis)
    plot_band(axes[1], data[axis].values, slopes, label=f"{label} ({gate})", **look)
  axes[0].set_title("growth of the product", loc="left")
  axes[0].set_ylabel("growth rate (nats per step)")
  axes[1].set_title("saturation", loc="left")
  axes[1].set_ylabel("mean ln tanh′ (nats)")
  for panel in axes:
    panel.set_xscale("linear" if data[axis].min() <= 0 else "log")
    panel.set_xlabel(axis.replace("_", " ") + ("" if axis == "bias" else " (standard deviation)"))
    panel.axhline(0, color="black", linewidth=0.8)
    panel.legend(loc="lower left")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data, _ = along(datasets["tanh_saturation"])
  gates = xr.DataArray([STATE_NONLINEARITY.get(cell, "state") for cell in data.cell.values.tolist()], dims="cell")
  slopes = data.mean_log_slope.sel(gate=gates).drop_vars("gate")
  return xr.Dataset({"growth_rate": data.growth_rate.sel(norm="spectral", drop=True), "mean_log_slope": slopes})


def finding(shown: xr.Dataset) -> str:
  axis = str(next(axis for axis in shown.growth_rate.dims if axis not in ("cell", "seed")))
  low, high = (float(shown[axis][i]) for i in (0, -1))
  growth = each(shown, lambda one: ends(one.growth_rate, axis))
  slopes = each(shown, lambda one: ends(one.mean_log_slope, axis))
  return (
    f"From {axis.replace('_', ' ')} {low:g} to {high:g} the growth rate goes, in nats per step: {growth}. Mean ln tanh′ goes, in "
    f"nats: {slopes}."
  )


PLOT = Plot("tanh_saturation", ("tanh_saturation",), draw, __doc__, numbers, finding)

if __name__ == "__main__":
  sys.exit(main(PLOT))
