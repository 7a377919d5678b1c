"""Panels that figures of the language study share: scores of cells in rows, and values over the length of a sequence."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
import numpy as np
import xarray as xr

from analysis.style import THEORY, cell_style, plot_seeds


def plot_scores(axes: Axes, cases: Sequence[tuple[str, str, np.ndarray]], baselines: Mapping[str, float]) -> None:
  """Draws one row per case (name, cell, values by seed): seeds as marks, their mean as a number, and baselines as named lines."""
  for i, (_, cell, values) in enumerate(cases):
    look = cell_style(cell)
    axes.plot(values, np.full(values.size, i), color=look.color, marker=look.marker, linestyle="none", alpha=0.7)
    axes.annotate(f"{values.mean():.3g}", (1.02, i), xycoords=("axes fraction", "data"), va="center", fontsize=7)
  styles = ("--", ":", "-.", (0, (1, 3)))
  for (name, value), linestyle in zip(baselines.items(), styles, strict=False):
    axes.axvline(value, label=f"{name}: {value:.3g}", **(THEORY | {"linestyle": linestyle}))
  axes.set_yticks(range(len(cases)), [name for name, _, _ in cases])
  axes.set_ylim(len(cases) - 0.5, -0.5)
  if baselines:
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.26))


def plot_by_length(axes: Axes, cells: Iterable[tuple[str, xr.DataArray]], **look: Any) -> None:
  """Draws values against `length` for every (cell, values): each seed and their median; `look` overrides the cell's look."""
  ticks: set[float] = set()
  for cell, values in cells:
    lengths = values.length.values
    ticks.update(lengths.tolist())
    label, color, marker, linestyle = cell_style(cell)
    own = {"label": label, "color": color, "marker": marker, "linestyle": linestyle}
    plot_seeds(axes, lengths, values.transpose("length", "seed"), **(own | look))
  axes.set_xscale("log")
  axes.set_xticks(sorted(ticks), [f"{length:g}" for length in sorted(ticks)])
  axes.set_xticks([], minor=True)
