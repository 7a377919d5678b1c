"""The Jacobian product by lag, and the Lyapunov spectrum, at the default weights of each library.

Top: ln of the spectral norm of the product against the lag; the median over seeds. The dashed line is 1/e. Bottom: the Lyapunov
exponents by their place in the spectrum, from the largest on the left; the median over seeds, for the largest net whose whole
spectrum was computed. Recipes are ordered by their memory, the longest first.
"""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.defaults._libraries import KINDS, SCALE, SIZE, compared, grid, kind, label, look, nearest, of_kind, plain
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.style import MEASURED_ZERO, PAGE, new_figure
from analysis.wording import short

LAGS = 40  # at most so many are shown


def numbers(datasets: Datasets) -> xr.Dataset:
  data = plain(grid(datasets["library_defaults"]))
  last = data.exponent.isel(share=-1).notnull()
  whole = last.any([name for name in last.dims if name != "hidden_size"])
  size = nearest(data, "hidden_size", SIZE)
  full = [value for value, there in zip(data.hidden_size.values.tolist(), whole.values, strict=True) if there]
  spectrum = data.exponent.sel(
    hidden_size=max((n for n in full if n <= size), default=size),
    input_scale=nearest(data, "input_scale", SCALE),
    drop=True,
  )
  at = compared(data)
  return at[["log_norm", "memory_length"]].isel(lag=slice(0, LAGS + 1)).assign(exponent=spectrum)


def draw(datasets: Datasets) -> Figure:
  shown = numbers(datasets)
  kinds = [name for name in KINDS if any(kind(recipe) == name for recipe in shown.recipe.values.tolist())]
  figure, axes = new_figure(PAGE, 6.8, 2, len(kinds), sharey="row")
  for column, name in zip(axes.T, kinds, strict=True):
    for recipe in of_kind(shown, name):
      one = shown.sel(recipe=recipe).median("seed")
      column[0].plot(one.lag.values, one.log_norm.values, label=label(recipe), linewidth=1.0, **look(recipe))
      column[1].plot(one.share.values, one.exponent.values, linewidth=1.0, **look(recipe))
    column[0].axhline(-1, **MEASURED_ZERO | {"linewidth": 0.6})
    column[1].axhline(0, color="0.3", linewidth=0.4)
    column[0].set_ylim(-12, 2.5)
    column[1].set_ylim(-4.5, 0.5)
    column[0].set(title=name, xlabel="lag (steps)")
    column[1].set_xlabel("share of larger exponents")
    lines, names = column[0].get_legend_handles_labels()
    column[1].legend(lines, names, fontsize=6, loc="upper left", bbox_to_anchor=(-0.02, -0.3), labelspacing=0.25)
  axes[0, 0].set_ylabel("ln of the norm of the product (nats)")
  axes[1, 0].set_ylabel("Lyapunov exponents (nats per step)")
  return figure


def finding(shown: xr.Dataset) -> str:
  """Counts the products that grow before they fall, and names the range of the largest exponents of every kind."""
  peak = shown.log_norm.median("seed").max("lag")
  grows = [recipe for recipe in shown.recipe.values.tolist() if float(peak.sel(recipe=recipe)) > 0]
  said = f"Of {peak.size} products {len(grows)} grow before they fall"
  if grows:
    most = max(grows, key=lambda recipe: float(peak.sel(recipe=recipe)))
    said += f", that of {kind(most)} of {label(most)} most, by {short(float(peak.sel(recipe=most)))} nats"
  said += "."
  first = shown.exponent.isel(share=0).median("seed")
  ranges = []
  for name in KINDS:
    values = np.array(
      [float(first.sel(recipe=recipe)) for recipe in shown.recipe.values.tolist() if kind(recipe) == name]
    )
    values = values[np.isfinite(values)]
    ranges += [f"{name} {short(values.min())} to {short(values.max())}"] if values.size else []
  return f"{said} Largest exponents in nats per step: {', '.join(ranges)}." if ranges else said


FIGURE = FigureSpec(
  name="library_products",
  reads=("library_defaults",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "log_norm": TableSpec("ln of the norm of the product (nats)", "median"),
    "exponent": TableSpec("Lyapunov exponents (nats per step)", "median"),
    "memory_length": TableSpec(over_seeds="none"),
  },
  order=20,
  title="How do products and spectra differ between default weights of libraries?",
  over_seeds="",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
