"""Iterations of Newton's method over a whole sequence against the largest Lyapunov exponent.

Every mark is a net: left with whole Jacobians, right with their diagonals alone. The black line is the logistic function of λ₁
that fits all cells best. Right of the dotted line nets are chaotic.
"""

import sys

from matplotlib import colormaps
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, new_figure
from analysis.wording import short, with_unit

# Many cells at once: neighbours in the legend differ in color and marker.
MARKERS = "osv^D*XPh<>dp"
COLORS = [colormaps["tab20"](k) for k in (*range(0, 20, 2), *range(1, 20, 2))]
CALM = -0.2  # nats per step
TITLES = {"whole": "whole Jacobians", "diagonal": "diagonals"}


def logistic(exponent: np.ndarray, middle: float, width: float, lowest: float) -> np.ndarray:
  """Returns a share that rises from `lowest` to 1 around λ₁ = `middle`."""
  return lowest + (1 - lowest) / (1 + np.exp(-np.clip((exponent - middle) / width, -60, 60)))


def law(exponent: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, float]:
  """Fits the logistic function by least squares. Returns (middle, width, lowest), and the root mean square residual.

  All are NaN for less than four nets with finite numbers.
  """
  from scipy import optimize

  known = np.isfinite(exponent) & np.isfinite(share)
  x, y = exponent[known], share[known]
  if len(x) < 4:
    return np.full(3, np.nan), np.nan
  bounds = ([-2.0, 1e-3, 0.0], [2.0, 2.0, 0.5])
  found = optimize.least_squares(lambda law: logistic(x, *law) - y, (0.05, 0.05, 0.05), bounds=bounds)
  return found.x, float(np.sqrt(np.mean(found.fun**2)))


def _pooled(data: xr.Dataset, jacobians: str) -> tuple[np.ndarray, np.ndarray]:
  share = data.share.sel(jacobians=jacobians)
  exponent = data.largest_exponent.broadcast_like(share)
  return exponent.values.ravel(), share.values.ravel()


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["newton_iterations"], "ws")
  figure, axes = new_figure(PAGE, 3.0, 1, 2, sharey=True)
  for panel, jacobians in zip(axes.ravel(), TITLES, strict=True):
    for i, cell in enumerate(data.cell.values.tolist()):
      look = {"marker": MARKERS[i % len(MARKERS)], "color": COLORS[i % len(COLORS)], "markersize": 3, "alpha": 0.7}
      panel.plot(*_pooled(data.sel(cell=cell), jacobians), linestyle="", label=cell_style(cell).label, **look)
    exponent, share = _pooled(data, jacobians)
    grid = np.linspace(np.nanmin(exponent[np.isfinite(exponent)]), np.nanmax(exponent), 300)
    panel.plot(grid, logistic(grid, *law(exponent, share)[0]), color="black", linewidth=0.8)
    panel.axvline(0, color="0.5", linestyle=":", linewidth=0.8)
    panel.set(xlabel=with_unit("λ₁", data.largest_exponent), title=TITLES[jacobians])
  axes.ravel()[0].set_ylabel("iterations / steps")
  handles, labels = axes.ravel()[0].get_legend_handles_labels()
  figure.legend(handles, labels, loc="outside upper left", ncols=7)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["newton_iterations"], "ws")
  return data[["iterations", "share", "largest_exponent", "error"]]


def finding(shown: xr.Dataset) -> str:
  """Names the rank correlation over all nets, the fitted law and its residual."""
  from scipy import stats

  exponent, share = _pooled(shown, "whole")
  known = np.isfinite(exponent) & np.isfinite(share)
  (middle, width, _), residual = law(exponent, share)
  if np.isnan(residual) or not np.ptp(exponent[known]) or not np.ptp(share[known]):
    return "Too few nets differ."
  rank = stats.spearmanr(exponent[known], share[known]).statistic
  steps = float((shown.iterations / shown.share.where(shown.share != 0)).max())
  said = (
    f"Rank correlation of λ₁ and the iterations over all nets: {short(float(rank))}. Half of the steps are needed at "
    f"λ₁ = {short(float(middle))}, with a width of {short(float(width))} nats per step and a residual of {short(residual)} of "
    f"the {steps:.0f} steps."
  )
  calm = shown.iterations.sel(jacobians="whole").where(shown.largest_exponent < CALM).max(("ws", "seed")).dropna("cell")
  if not calm.size:
    return said
  worst = str(calm.idxmax("cell").values)
  rest = calm.where(calm.cell != worst).max()
  said += f" Where λ₁ < {CALM:g}, {cell_style(worst).label} needs up to {float(calm.max()):.0f} iterations"
  return said + (f", and every other cell at most {float(rest):.0f}." if calm.size > 1 else ".")


FIGURE = FigureSpec(
  name="newton_iterations",
  reads=("newton_iterations",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"iterations": TableSpec("iterations of Newton's method", over_seeds="median")},
  order=20,
  title="When can a sequence be computed in parallel?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
