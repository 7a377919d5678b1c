"""Memory length against the forget bias. The thin line is the closed form for the LSTM's cell path at W = 0."""

import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.selection import only_axes
from analysis.style import PAGE, THEORY, cell_style, legend_line, new_figure, plot_band
from analysis.wording import axis_name, each, with_unit
from sweepkit import curves

THEORY_NAME = r"$-1/\ln\,\sigma(b_f)$"


def _panel(panel: Axes, lengths: xr.DataArray, biases: np.ndarray, ceiling: float) -> None:
  """Draws memory lengths [cell, seed, forget_bias]; a bias at which some seed's length is infinite has an open mark on top."""
  for cell in map(str, lengths.cell.values):
    label, color, marker, linestyle = cell_style(cell)
    look: dict[str, Any] = {"color": color, "marker": marker}
    one = lengths.sel(cell=cell)
    if (one > 0).any():  # without recurrent weights the RNN has no memory at all
      plot_band(panel, biases, one.where(one > 0), linestyle=linestyle, label=label, **look)
    endless = (one == np.inf).any("seed").values
    panel.plot(biases[endless], np.full(endless.sum(), ceiling), linestyle="none", fillstyle="none", **look)
  if np.isinf(lengths).any():
    panel.axhline(ceiling, color="0.6", linewidth=0.5, linestyle=":")


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.instruments.growth import memory_length
  from recurrent_lab.theory import cell_path_exponent

  data = only_axes(datasets["forget_bias"], "forget_bias", "ws")
  biases = data.forget_bias.values
  dense = np.linspace(biases.min(), biases.max(), 200)
  theory = np.asarray(memory_length(cell_path_exponent(dense)))
  ceiling = 4 * theory.max()  # infinite lengths are drawn here
  figure, (axes,) = new_figure(min(PAGE, 3.4 * data.sizes["ws"]), 2.6, 1, data.sizes["ws"], sharey=True)
  lengths = data.memory_length.sel(norm="spectral").transpose("ws", "cell", "seed", "forget_bias")
  handles: dict[str, Any] = {}
  for panel, ws in zip(axes, data.ws.values, strict=True):
    _panel(panel, lengths.sel(ws=ws), biases, ceiling)
    panel.plot(dense, theory, label=THEORY_NAME, **THEORY)
    panel.set_title(f"$W_s$ = {ws:g}", loc="left")
    panel.set_xlabel("bias of the forget gate (LSTM $f$, GRU $z$)")
    handles |= {name: line for line, name in zip(*panel.get_legend_handles_labels(), strict=True)}
  if np.isinf(lengths).any():
    handles["no decay in some seed"] = legend_line(color="0.3", marker="s", fillstyle="none", linestyle="none")
  cells = [label for cell in map(str, data.cell.values) if (label := cell_style(cell).label) in handles]
  names = list(dict.fromkeys([*cells, THEORY_NAME, *handles]))
  figure.legend([handles[name] for name in names], names, loc="outside upper center", ncols=6)
  axes[0].set_yscale("log")
  axes[0].set_ylabel(with_unit("memory length", data.memory_length))
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["forget_bias"], "forget_bias", "ws")
  return data[["memory_length"]].sel(norm="spectral", drop=True)


def finding(shown: xr.Dataset) -> str:
  """Gives medians, because a length may be infinite."""
  at = shown.sel(ws=shown.ws.max())
  low, high = (float(shown.forget_bias[i]) for i in (0, -1))

  def moves(one: xr.Dataset) -> str:
    middle = one.memory_length.quantile(0.5, "seed", method="nearest", skipna=False)
    return curves.trend(one.forget_bias.values.tolist(), middle.values.tolist(), axis_name("forget_bias"))

  lengths = each(at, moves)
  endless = " ∞ stands for a product that does not decay." * ("∞" in lengths)
  where = f"at W_s = {float(at.ws):g} from forget bias {low:g} to {high:g}"
  return f"Median memory length {where}, in steps: {lengths}.{endless}"


FIGURE = FigureSpec(
  name="forget_bias",
  reads=("forget_bias",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  order=120,
  title="How long does a net remember as its forget gate opens?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
