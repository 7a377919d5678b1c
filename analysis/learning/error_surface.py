"""Error of one unit over (w, b), its gradient, and two gradient descents from one start, without clipping and with it.

The start is chosen when the figure is drawn. Candidates lie on the plain, where the gradient is below 0.1, and their clipped
descent ends where the error is below 0.01. Of these, the start is the one from which plain descent makes the longest step.
Without candidates no descent is drawn.
"""

import sys
from typing import Any

from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import one_cell
from analysis.style import PAGE, cell_edges, legend_line, new_figure
from analysis.wording import listed, short
from sweepkit.words import count

FLAT, SMALL = 0.1, 0.01  # a gradient on the plain, and a small error
THROW = 1.0  # length of a step over (w, b) that leaves the region
LOOKS: dict[str, Any] = {
  "none": {"color": "#D55E00", "linestyle": "-", "marker": "o", "markersize": 3},
  "global_norm": {"color": "#0072B2", "linestyle": "--", "marker": "s", "fillstyle": "none", "markersize": 2},
}
NAMES = {"none": "without clipping", "global_norm": "with clipping"}


def steps(paths: xr.DataArray) -> np.ndarray:
  """Returns the lengths of the steps [ws, bias, update] of descents from all starts."""
  return np.linalg.norm(np.diff(paths.transpose("ws", "bias", "update", "coordinate"), axis=2), axis=-1)


def choose(data: xr.Dataset) -> dict[str, int] | None:
  """Returns the indices of the start, as the docstring of this module defines it; None if there is no candidate."""
  error, gradient = (data[name].transpose("ws", "bias").values for name in ("error", "gradient_norm"))
  end = data.path.sel(clipping="global_norm").isel(update=-1).transpose("ws", "bias", "coordinate").values
  tile = [np.abs(end[..., i, None] - data[axis].values).argmin(-1) for i, axis in enumerate(("ws", "bias"))]
  suitable = (gradient < FLAT) & (error[*tile] < SMALL)
  if not suitable.any():
    return None
  longest = steps(data.path.sel(clipping="none")).max(2)
  i, j = np.unravel_index(np.where(suitable, longest, -1).argmax(), longest.shape)
  return {"ws": int(i), "bias": int(j)}


def draw(datasets: Datasets) -> Figure:
  data = one_cell(datasets["error_surface"], "ws", "bias").isel(seed=0)
  x, y = cell_edges(data.ws.values), cell_edges(data.bias.values)
  figure, (axes,) = new_figure(PAGE, 3.6, 1, 2, sharey=True)
  error, gradient = (data[name].transpose("bias", "ws") for name in ("error", "gradient_norm"))
  meshes = (
    axes[0].pcolormesh(x, y, error, cmap="Greys", vmin=0, vmax=1.5 * error.max()),
    axes[1].pcolormesh(x, y, gradient, cmap="viridis", norm=LogNorm(1e-3, 1e3)),
  )
  start = choose(data)
  if start is not None:
    for name, look in LOOKS.items():
      path = data.path.isel(start).sel(clipping=name)
      axes[0].plot(path.sel(coordinate="ws"), path.sel(coordinate="bias"), linewidth=0.8, **look)
    star = float(data.ws[start["ws"]]), float(data.bias[start["bias"]])
    axes[0].plot(*star, "k*", markersize=7, clip_on=False, zorder=6)
  for panel, mesh, label, extend in zip(axes, meshes, ("error $L$", "gradient norm"), ("neither", "both"), strict=True):
    figure.colorbar(mesh, ax=panel, label=label, extend=extend, location="bottom", aspect=35)
    panel.set(xlim=x[[0, -1]], ylim=y[[0, -1]], xlabel="recurrent weight $w$")
    panel.grid(False)
  axes[0].set_ylabel("bias $b$")
  axes[0].set_title("error, and two descents from the star" if start else "error", loc="left")
  axes[1].set_title("length of its gradient", loc="left")
  lines, names = [], []
  for name, look in LOOKS.items():
    longest = steps(data.path.sel(clipping=name)).max(2)
    lines.append(legend_line(linewidth=0.8, **look))
    from_star = f"longest step {longest[start['ws'], start['bias']]:.3g}; " if start else ""
    names.append(f"{NAMES[name]}: {from_star}above {THROW:g} from {100 * np.mean(longest > THROW):.0f} % of all starts")
  figure.legend(lines, names, loc="outside upper left")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = one_cell(datasets["error_surface"], "ws", "bias").isel(seed=0, drop=True).drop_vars("cell")
  longest = {name: steps(data.path.sel(clipping=name)).max(2) for name in LOOKS}
  shown = data[["error", "gradient_norm"]]
  return shown.assign(longest_step=(("clipping", "ws", "bias"), np.stack([*longest.values()]))).assign_coords(
    clipping=list(longest)
  )


def finding(shown: xr.Dataset) -> str:
  parts = []
  for name in shown.clipping.values.tolist():
    longest = shown.longest_step.sel(clipping=name)
    known = longest.values[np.isfinite(longest)]
    overflown = f"; {longest.size - known.size} overflow" if known.size < longest.size else ""
    share, most = 100 * np.mean(known > THROW) if known.size else np.nan, known.max(initial=0)
    parts.append(f"{NAMES[name]} {short(float(share))} % (longest {short(float(most))}{overflown})")
  starts = count(shown.error.size, "start")
  return f"Share of the descents from {starts} that make a step longer than {THROW:g}: {listed(parts)}."


FIGURE = FigureSpec(
  name="error_surface",
  reads=("error_surface",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"longest_step": TableSpec("longest step of a descent")},
  order=10,
  title="Why does gradient descent need clipping?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
