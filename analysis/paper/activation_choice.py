"""Largest Lyapunov exponent λ₁ of RNNs against W_s, one curve per activation, with the mean field and ln W_s of a linear net."""

import sys
from typing import Any

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.paper.prediction import is_gaussian, plot_mean_field, theory_line, with_mean_field
from analysis.selection import only_axes
from analysis.style import COLUMN, cell_style, new_figure, plot_band
from analysis.wording import each, short, with_unit

ACTIVATIONS = {  # names of the RNNs' activations
  "rnn": "tanh",
  "rnn_hard_tanh": "hard tanh",
  "rnn_softsign": "softsign",
  "rnn_sigmoid": "sigmoid",
  "rnn_relu": "relu",
  "rnn_leaky_relu": "leaky relu",
  "rnn_linear": "linear",
}


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["activation_choice"], "ws")
  gains = data.ws.values
  figure, axes = new_figure(COLUMN, 3.2)
  panel = axes[0, 0]
  for cell in map(str, data.cell.values):
    label, color, marker, linestyle = cell_style(cell)
    exponents = data.largest_exponent.sel(cell=cell).transpose("seed", "ws")
    plot_band(
      panel, gains, exponents, color=color, marker=marker, linestyle=linestyle, label=ACTIVATIONS.get(cell, label)
    )
  plot_mean_field(panel, datasets.get("mean_field"), data)
  if "rnn_linear" in data.cell and is_gaussian(data):
    theory_line(panel, gains[gains > 0], np.log, linestyle=":", label="ln $W_s$")
  panel.axhline(0, color="0.3", linewidth=0.6)
  panel.set_xlabel("recurrent gain $W_s$")
  panel.set_ylabel(with_unit(r"$\lambda_1$", data.largest_exponent))
  if not np.isfinite(data.largest_exponent).all():
    note: Any = {"ha": "right", "color": "0.4", "fontsize": 6}
    panel.annotate("points end where a state overflows", (0.99, 0.02), xycoords="axes fraction", **note)
  figure.legend(loc="outside upper center", ncols=3)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["activation_choice"], "ws")
  return with_mean_field(data[["largest_exponent"]], datasets.get("mean_field"), data)


def finding(shown: xr.Dataset) -> str:
  def last(one: xr.Dataset) -> str:
    means = one.largest_exponent.mean("seed", skipna=False).dropna("ws")
    return f"{short(float(means[-1]))} (W_s = {float(means.ws[-1]):g})" if means.size else "–"

  return f"At the largest W_s without overflow λ₁ is, in nats per step: {each(shown, last)}."


FIGURE = FigureSpec(
  name="activation_choice",
  reads=("activation_choice",),
  overlays=("mean_field",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"mean_field": TableSpec("mean field of a large net (nats per step)")},
  order=80,
  title="How does the activation decide where an RNN becomes chaotic?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
