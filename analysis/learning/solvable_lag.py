"""Lags over which nets learn to remember, by forget bias. Black: the memory length before training, from the forget-bias sweep.

A tile says how many of the seeds that were run solved the task. The memory length is the one at the W_s of the runs. It is
infinite for a seed whose product does not decay; an open mark at the top shows that.
"""

import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED
from analysis.selection import bias_value, only_axes
from analysis.style import COLUMN, PAGE, THEORY, cell_edges, cell_style, legend_line, new_figure, plot_band
from analysis.wording import each, short

MEMORY = THEORY | {"linewidth": 1.2, "marker": "s"}
ENDLESS = MEMORY | {"linestyle": "none", "fillstyle": "none"}
CLOSED = THEORY | {"linestyle": ":"}


def before_training(datasets: Datasets, data: xr.Dataset) -> xr.Dataset | None:
  """Returns the forget-bias sweep of the trained cells at their W_s; None if it was not run for them."""
  if "forget_bias" not in datasets:
    return None
  before = only_axes(datasets["forget_bias"], "forget_bias", "ws").sel(norm="spectral", drop=True)
  gain, cells = float(data.ws), data.cell.values.tolist()
  if gain not in before.ws or not set(cells) <= set(before.cell.values):
    return None
  return before.sel(ws=gain, cell=cells, drop=True)


def as_numbers(data: xr.Dataset) -> tuple[xr.Dataset, list[str]]:
  """Returns the results by forget bias as a number, and the labels; `chrono`, not a number, has a column after the last."""
  biases = sorted(data.forget_bias.values.tolist(), key=bias_value)
  known = [bias_value(bias) for bias in biases if np.isfinite(bias_value(bias))]
  beyond = known[-1] + (known[-1] - known[-2] if len(known) > 1 else 1.0) if known else 0.0
  data = data.sel(forget_bias=biases)
  return data.assign_coords(forget_bias=[*known, *[beyond] * (len(biases) - len(known))]), biases


def _tiles(panel: Axes, solved: xr.DataArray, x: np.ndarray, y: np.ndarray) -> QuadMesh:
  """Draws the share of seeds that solved the task [length, forget_bias, seed], and in each tile their number."""
  mesh = panel.pcolormesh(x, y, solved.mean("seed"), cmap="YlGnBu", vmin=0, vmax=1)
  for i, j in np.ndindex(solved.shape[:2]):
    count, made = int(solved[i, j].sum()), int(solved[i, j].count())
    if made:
      look: dict[str, Any] = {"fontsize": 5.5, "color": "white" if count > made / 2 else "0.2", "zorder": 6}
      panel.annotate(f"{count}/{made}", (x[j], y[i]), (1.5, 2), textcoords="offset points", **look)
  return mesh


def _memory(panel: Axes, lengths: xr.DataArray) -> None:
  """Draws the memory lengths [seed, forget_bias] before training."""
  biases = lengths.forget_bias.values
  plot_band(panel, biases, lengths, **MEMORY)
  endless = biases[(lengths == np.inf).any("seed").values]
  if endless.size:  # Matplotlib reserves room at the corner of the figure for the marks of a line without points
    panel.plot(endless, np.ones(endless.size), transform=panel.get_xaxis_transform(), clip_on=False, **ENDLESS)


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.instruments.growth import memory_length
  from recurrent_lab.theory import cell_path_exponent

  data = only_axes(datasets["solvable_lag"], "length", "forget_bias")
  before = before_training(datasets, data)
  cells = data.cell.values.tolist()
  data, labels = as_numbers(data)
  x, y = cell_edges(data.forget_bias.values), np.exp(cell_edges(np.log(data.length.values)))
  if before is not None:
    before = before.sel(forget_bias=(before.forget_bias >= x[0]) & (before.forget_bias <= x[-1]))
  figure, (axes,) = new_figure(COLUMN if len(cells) == 1 else PAGE, 3.2, 1, len(cells), sharex=True, sharey=True)
  for panel, cell in zip(axes, cells, strict=True):
    mesh = _tiles(panel, data.solved.sel(cell=cell).transpose("length", "forget_bias", "seed"), x, y)
    if before is not None:
      _memory(panel, before.memory_length.sel(cell=cell).transpose("seed", "forget_bias"))
    dense = np.linspace(x[0], x[labels.index("chrono")] if "chrono" in labels else x[-1], 201)
    panel.plot(dense, memory_length(cell_path_exponent(dense)), **CLOSED)
    panel.set_title(cell_style(cell).label, loc="left")
    panel.set_xlabel("forget bias $b_f$")
    panel.grid(False)
    if "chrono" in labels:
      panel.set_xticks(data.forget_bias.values, labels)
  axes[0].set(yscale="log", xlim=x[[0, -1]], ylim=(1, 2 * y[-1]))
  axes[0].yaxis.set_major_formatter("{x:g}")
  axes[0].set_ylabel("lag (steps)")
  figure.colorbar(mesh, ax=list(axes), label="share of seeds that solve it")
  lines = [legend_line(**look) for look in (MEMORY, ENDLESS, CLOSED)]
  measured = f"memory length before training{'' if before is not None else ': not measured'}"
  names = [measured, "no decay in some seed", r"$-1/\ln\,\sigma(b_f)$"]
  figure.legend(lines, names, loc="outside upper left", ncols=2)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["solvable_lag"], "length", "forget_bias")
  data = data.sel(forget_bias=sorted(data.forget_bias.values.tolist(), key=bias_value))
  before = before_training(datasets, data)
  if before is None:
    return data[["solved"]].reset_coords(drop=True)
  lengths = before.memory_length.rename(forget_bias="swept_bias")
  return xr.merge([data[["solved"]], lengths.to_dataset()], join="outer", compat="override").reset_coords(drop=True)


def finding(shown: xr.Dataset) -> str:
  """Names the longest lag that most seeds solve, for the smallest and the largest forget bias that is a number."""
  every = shown.forget_bias.values.tolist()
  biases = [bias for bias in every if np.isfinite(bias_value(bias))] or every
  ends = dict.fromkeys((biases[0], biases[-1]))

  def longest(one: xr.Dataset) -> str:
    good = one.solved.mean("seed") > 0.5
    lags = {bias: float(one.length.where(good.sel(forget_bias=bias)).max()) for bias in ends}
    return ", ".join(f"{'none' if np.isnan(lag) else short(lag)} (bias {bias})" for bias, lag in lags.items())

  return f"Longest lag that most seeds solve, in steps: {each(shown[['solved']], longest)}."


FIGURE = FigureSpec(
  name="solvable_lag",
  reads=("solvable_lag",),
  overlays=("forget_bias",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"solved": SOLVED},
  order=60,
  title="Over which lags can a net learn to remember?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
