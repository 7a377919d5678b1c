"""Largest Lyapunov exponent λ₁ over (W_s, b_f). Black: closed form of the line on which the zero state loses its stability."""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.paper.prediction import is_gaussian
from analysis.selection import only_axes
from analysis.style import MEASURED_ZERO, PAGE, THEORY, cell_style, legend_line, new_figure, plot_map, symmetric_limit
from analysis.wording import against_zero, each, with_unit

FORMULAS = {"rnn": "$W_s = 1$", "lstm": r"$W_s = 4\,(1 - \sigma(b_f))$", "gru": r"$W_s = 1/\sigma(0) = 2$"}


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.theory import critical_gain

  data = only_axes(datasets["phase_gates"], "ws", "forget_bias")
  biases, gains = data.forget_bias.values, data.ws.values
  cells = [str(cell) for cell in data.cell.values]
  exponent = data.largest_exponent.mean("seed", skipna=False).transpose("cell", "forget_bias", "ws")
  limit = symmetric_limit(exponent.values)
  figure, (axes,) = new_figure(PAGE, 2.7, 1, len(cells), sharex=True, sharey=True)
  for panel, cell in zip(axes, cells, strict=True):
    mesh = plot_map(panel, gains, biases, exponent.sel(cell=cell).values, limit)
    panel.set_title(cell_style(cell).label, loc="left")
    if cell in FORMULAS and is_gaussian(data):
      dense = np.linspace(biases[0] - 1, biases[-1] + 1, 201)
      panel.plot(np.broadcast_to(critical_gain(cell, forget_bias=dense), dense.shape), dense, **THEORY)
      panel.set_title(f"{cell_style(cell).label}, black: {FORMULAS[cell]}", loc="left")
    panel.set_xlabel("recurrent gain $W_s$")
  axes[0].set_ylabel("bias of the forget gate\n(LSTM $f$, GRU $z$)")
  figure.colorbar(mesh, ax=list(axes), extend="both", label=with_unit(r"$\lambda_1$", data.largest_exponent))
  lines = [legend_line(**THEORY), legend_line(**MEASURED_ZERO)]
  names = ["zero state loses stability (closed form)", r"$\lambda_1 = 0$ (measured)"]
  figure.legend(lines, names, loc="outside upper center", ncols=2)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  return only_axes(datasets["phase_gates"], "ws", "forget_bias")[["largest_exponent"]]


def finding(shown: xr.Dataset) -> str:
  ends = sorted({0, shown.sizes["forget_bias"] - 1})
  said = (each(shown.isel(forget_bias=i), lambda one: against_zero(one.largest_exponent)) for i in ends)
  biases = (f"{float(shown.forget_bias[i]):g}" for i in ends)
  return " ".join(f"λ₁ for forget bias {bias}: {text}." for bias, text in zip(biases, said, strict=True))


FIGURE = FigureSpec(
  name="phase_gates",
  reads=("phase_gates",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  order=130,
  title="Where does the forget gate keep a net stable?",
  over_seeds="mean",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
