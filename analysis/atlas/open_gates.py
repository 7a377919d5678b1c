"""The growth rate of every gated cell against the bias of the gate that keeps its state.

Each panel is one cell at gain 1: the growth rate of the spectral norm, mean and 95 % band over seeds, or each seed if there are
few. The dashed grey line is ln σ(b_f), the rate of a state that is multiplied by an open gate alone. The thin black line is the
mean field of a large net, for the cells that have one. All panels share their axes.
"""

import math
import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.atlas._kinds import KINDS, kind, label, some
from analysis.atlas._theory import mean_field
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import MEASURED_ZERO, PAGE, THEORY, legend_line, new_figure, plot_band
from analysis.wording import short

COLUMNS, LOWEST, HIGHEST = 8, -3.0, 0.6


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["open_gates"], "forget_bias")
  shown = data[["growth_rate"]].sel(norm="spectral", drop=True)
  predicted = mean_field(datasets, "forget_bias", data)
  if predicted is None:
    return shown
  return shown.assign(mean_field=predicted.sel(cell=[c for c in shown.cell.values if c in predicted.cell]))


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.theory import cell_path_exponent

  data = numbers(datasets)
  cells, biases = data.cell.values.tolist(), data.forget_bias.values
  plain = np.asarray(cell_path_exponent(biases))
  rows = math.ceil(len(cells) / COLUMNS)
  figure, axes = new_figure(PAGE, 0.85 * rows + 0.6, rows, min(COLUMNS, len(cells)), sharex=True, sharey=True)
  for panel, cell in zip(axes.flat, cells, strict=False):
    color, _ = KINDS[kind(cell)]
    rates = data.growth_rate.sel(cell=cell).transpose("seed", "forget_bias")
    panel.plot(biases, plain, **MEASURED_ZERO | {"linewidth": 0.6})
    plot_band(panel, biases, rates, color=color, linewidth=1.0)
    if "mean_field" in data and np.isfinite(data.mean_field.sel(cell=cell)).any():
      panel.plot(biases, data.mean_field.sel(cell=cell).values, **THEORY | {"linewidth": 0.6})
    panel.axhline(0, color="0.3", linewidth=0.4)
    panel.set_title(label(cell), fontsize=5, loc="center", pad=1.5, color=color)
    panel.tick_params(labelsize=4.5, length=1.5)
  for panel in axes.flat[len(cells) :]:
    panel.set_visible(False)
  axes.flat[0].set_ylim(LOWEST, HIGHEST)
  used = {kind(cell) for cell in cells}
  looks = {name: {"color": color} for name, (color, _) in KINDS.items() if name in used}
  looks |= {"ln σ($b_f$)": MEASURED_ZERO} | ({"mean field": THEORY} if "mean_field" in data else {})
  figure.legend(
    [legend_line(**look) for look in looks.values()], list(looks), loc="outside upper center", ncols=6, fontsize=6
  )
  figure.supxlabel("bias $b_f$ of the gate that keeps the state\n", fontsize=7)  # the line below is for the source
  figure.supylabel("growth rate (nats per step)", fontsize=7)
  return figure


def finding(shown: xr.Dataset) -> str:
  rates = shown.growth_rate.mean("seed").transpose("cell", "forget_bias").sortby("forget_bias")
  low, high = (float(shown.forget_bias[i]) for i in (0, -1))
  first, last = rates.values[:, 0], rates.values[:, -1]
  names = [label(cell) for cell in rates.cell.values.tolist()]
  falling = [name for name, a, b in zip(names, first, last, strict=True) if b < a]
  growing = [name for name, b in zip(names, last, strict=True) if b > 0]
  said = f"From b_f = {short(low)} to {short(high)} the growth rate rises in {int((last > first).sum())} of {len(names)} cells"
  said += f", and falls in {some(falling)}." if falling else "."
  said += f" At the largest bias {len(growing)} products grow" + (f" ({some(growing)})." if growing else ".")
  if "mean_field" not in shown:
    return said
  away = np.abs(rates.sel(cell=shown.mean_field.cell) - shown.mean_field)
  away = away.where(np.isfinite(away))
  if not away.notnull().any():
    return said
  worst = label(str(away.max("forget_bias").idxmax().item()))
  predicted = int(away.notnull().any("forget_bias").sum())
  return (
    f"{said} The mean field of {predicted} cells is {short(float(away.median()))} nats per step away at the median, and"
    f" {short(float(away.max()))} at most ({worst})."
  )


FIGURE = FigureSpec(
  name="open_gates",
  reads=("open_gates",),
  overlays=("atlas_mean_field",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "growth_rate": TableSpec("growth rate (nats per step)"),
    "mean_field": TableSpec("mean field of a large net (nats per step)"),
  },
  order=35,
  title="How does an open gate change the growth rate of each cell?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
