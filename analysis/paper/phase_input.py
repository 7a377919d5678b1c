"""Largest Lyapunov exponent λ₁ of input-driven nets over (W_s, input scale). Black: the RNN's onset of chaos in mean field."""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.paper.prediction import is_gaussian
from analysis.selection import only_axes
from analysis.style import (
  COLUMN,
  MEASURED_ZERO,
  PAGE,
  THEORY,
  cell_style,
  legend_line,
  new_figure,
  plot_map,
  symmetric_limit,
)
from analysis.wording import against_zero, each, with_unit


def driven(datasets: Datasets) -> xr.Dataset:
  """Returns the results with an input, or all results if none has an input."""
  data = only_axes(datasets["phase_input"], "ws", "input_scale")
  # Without an input the net stays at the zero state, where it starts, and λ₁ = ln W_s does not tell whether it is chaotic.
  with_input = data.sel(input_scale=data.input_scale > 0)
  return with_input if with_input.sizes["input_scale"] else data


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.theory import driven_critical_gain

  data = driven(datasets)
  scales, gains = data.input_scale.values, data.ws.values
  cells = [str(cell) for cell in data.cell.values]
  exponent = data.largest_exponent.mean("seed", skipna=False).transpose("cell", "input_scale", "ws")
  limit = symmetric_limit(exponent.values)
  figure, (axes,) = new_figure(COLUMN if len(cells) == 1 else PAGE, 2.7, 1, len(cells), sharex=True, sharey=True)
  for panel, cell in zip(axes, cells, strict=True):
    mesh = plot_map(panel, gains, scales, exponent.sel(cell=cell).values, limit)
    if cell == "rnn" and is_gaussian(data):
      dense = np.linspace(0, scales[-1] + 1, 201)
      panel.plot(driven_critical_gain(dense**2), dense, **THEORY)
    panel.set_title(cell_style(cell).label, loc="left")
    panel.set_xlabel("recurrent gain $W_s$")
  axes[0].set_ylabel(r"input scale $\sigma$")
  figure.colorbar(mesh, ax=list(axes), extend="both", label=with_unit(r"$\lambda_1$", data.largest_exponent))
  lines = [legend_line(**THEORY), legend_line(**MEASURED_ZERO)]
  names = [r"$g_c(\sigma^2)$ (mean field)", r"$\lambda_1 = 0$ (measured)"]
  figure.legend(lines, names, loc="outside upper center", ncols=2)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  return driven(datasets)[["largest_exponent"]]


def finding(shown: xr.Dataset) -> str:
  ends = sorted({0, shown.sizes["input_scale"] - 1})
  said = (each(shown.isel(input_scale=i), lambda one: against_zero(one.largest_exponent)) for i in ends)
  scales = (f"{float(shown.input_scale[i]):g}" for i in ends)
  return " ".join(f"λ₁ for input scale {scale}: {text}." for scale, text in zip(scales, said, strict=True))


FIGURE = FigureSpec(
  name="phase_input",
  reads=("phase_input",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  order=110,
  title="Where does an input suppress chaos?",
  over_seeds="mean",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
