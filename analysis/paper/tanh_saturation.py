"""Growth rate against the input scale, and the mean ln tanh′ of every tanh: how much of the shrinking is saturation."""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, new_figure, plot_band
from analysis.wording import each, trend, with_unit

# Gates that are a tanh: how their labels end, and their look. The RNN's state and the candidate of LSTM and GRU are the new
# content of a step, so they look alike. The LSTM has one more tanh, that of the cell state at the output.
TANHS = {
  "state": ("", {}),
  "candidate": (" candidate", {}),
  "cell": (" tanh(c)", {"linewidth": 0.7, "fillstyle": "none"}),
}


def tanhs(data: xr.Dataset, cell: str) -> list[str]:
  """Returns the measured gates of a cell that are a tanh."""
  slopes = data.mean_log_slope.sel(cell=cell)
  return [gate for gate in TANHS if gate in slopes.gate and slopes.sel(gate=gate).notnull().any()]


def along(data: xr.Dataset) -> tuple[xr.Dataset, str]:
  """Returns the results and the setting that varies along the axis; it is the input scale if none varies."""
  axis = next((name for name in ("input_scale", "bias_scale", "bias") if np.unique(data[name]).size > 1), "input_scale")
  return only_axes(data, axis), axis


def draw(datasets: Datasets) -> Figure:
  data, axis = along(datasets["tanh_saturation"])
  figure, (axes,) = new_figure(PAGE, 2.5, 1, 2)
  for cell in map(str, data.cell.values):
    label, color, marker, linestyle = cell_style(cell)
    look = {"color": color, "marker": marker, "linestyle": linestyle}
    rates = data.growth_rate.sel(cell=cell, norm="spectral").transpose("seed", axis)
    plot_band(axes[0], data[axis].values, rates, label=label, **look)
    for gate in tanhs(data, cell):
      name, thin = TANHS[gate]
      slopes = data.mean_log_slope.sel(cell=cell, gate=gate).transpose("seed", axis)
      plot_band(axes[1], data[axis].values, slopes, label=f"{label}{name}", **(look | thin))
  axes[0].set_title("growth of the product", loc="left")
  axes[0].set_ylabel(with_unit("growth rate", data.growth_rate))
  axes[1].set_title("saturation of each tanh", loc="left")
  axes[1].set_ylabel(with_unit("mean ln tanh′", data.mean_log_slope))
  for panel in axes:
    panel.set_xscale("linear" if data[axis].min() <= 0 else "log")
    panel.set_xlabel(axis.replace("_", " ") + ("" if axis == "bias" else " (standard deviation)"))
    panel.axhline(0, color="black", linewidth=0.8)
    panel.legend(loc="lower left")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data, _ = along(datasets["tanh_saturation"])
  gates = [gate for gate in TANHS if gate in data.gate]
  slopes = data.mean_log_slope.sel(gate=gates)
  return xr.Dataset({"growth_rate": data.growth_rate.sel(norm="spectral", drop=True), "mean_log_slope": slopes})


def finding(shown: xr.Dataset) -> str:
  axis = str(next(axis for axis in shown.growth_rate.dims if axis not in ("cell", "seed")))
  low, high = (float(shown[axis][i]) for i in (0, -1))
  growth = each(shown, lambda one: trend(one.growth_rate, axis))

  def by_gate(one: xr.Dataset) -> str:
    known = one.mean_log_slope.dropna("gate", how="all")
    return ", ".join(
      f"{TANHS[gate][0].strip()} {trend(known.sel(gate=gate), axis)}".strip() for gate in known.gate.values
    )

  slopes = each(shown[["mean_log_slope"]], by_gate)
  return (
    f"Growth rate from {axis.replace('_', ' ')} {low:g} to {high:g}, in nats per step: {growth}. Mean ln tanh′, in nats: "
    f"{slopes}."
  )


FIGURE = FigureSpec(
  name="tanh_saturation",
  reads=("tanh_saturation",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"mean_log_slope": TableSpec("mean ln tanh′ (nats)")},
  order=90,
  title="How much of the shrinking is saturation?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
