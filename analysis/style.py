"""The look of all figures: sizes, colours, bands and maps."""

from collections.abc import Iterator, Mapping
import contextlib
from pathlib import Path
from typing import Any, NamedTuple
import zlib

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
import numpy as np
import xarray as xr

from analysis import own_style
from sweepkit.words import FEW

COLUMN, PAGE = 3.4, 7.0  # widths in inches of one column and of a page

RC: Any = {  # Any, because Matplotlib types its settings one by one
  "axes.axisbelow": True,
  "axes.grid": True,
  "axes.labelsize": 8,
  "axes.spines.right": False,
  "axes.spines.top": False,
  "axes.titlesize": 8,
  "figure.constrained_layout.use": True,
  "font.family": "DejaVu Sans",
  "font.size": 8,
  "grid.alpha": 0.25,
  "grid.linewidth": 0.5,
  "legend.fontsize": 7,
  "legend.frameon": False,
  "legend.handlelength": 2.9,  # long enough to tell the line styles apart
  "lines.dashdot_pattern": (5, 1.6, 1, 1.6),
  "lines.dashed_pattern": (4, 1.6),
  "lines.dotted_pattern": (1, 1.4),
  "lines.linewidth": 1.2,
  "lines.markersize": 3.5,
  "pdf.fonttype": 42,
  "ps.fonttype": 42,
  "savefig.dpi": 300,
  "svg.hashsalt": "recurrent_lab",
  "xtick.labelsize": 7,
  "ytick.labelsize": 7,
}


@contextlib.contextmanager
def settings() -> Iterator[None]:
  """Gives Matplotlib the settings of the lab within a `with`, and restores those of the process after it.

  The settings of `own` come on top of them. No others change a figure.
  """
  with mpl.rc_context():
    mpl.rcdefaults()  # all but the backend, which matters for windows only
    mpl.rcParams.update(RC)
    mpl.rcParams.update(own_style.in_use())
    yield


@contextlib.contextmanager
def own(file: str | Path) -> Iterator[None]:
  """Draws figures in the user's own style within a `with`: a Matplotlib style file, or the name of a style of Matplotlib.

  Raises:
    ResultsError: if there is no such file or style, or it holds what is not a setting of Matplotlib.
  """
  with own_style.use(own_style.read(file)):
    yield


class CellStyle(NamedTuple):
  label: str
  color: str
  marker: str
  linestyle: str


# Okabe & Ito's colours, which all colour vision tells apart; line style and marker do the same in black and white.
CELL_STYLES: Mapping[str, CellStyle] = {
  "rnn": CellStyle("RNN", "#D55E00", "o", "-"),
  "lstm": CellStyle("LSTM", "#0072B2", "s", "--"),
  "gru": CellStyle("GRU", "#009E73", "^", "-."),
  "peephole_lstm": CellStyle("peephole LSTM", "#56B4E9", "P", ":"),
  "indrnn": CellStyle("IndRNN", "#CC79A7", "D", ":"),
  "ngram": CellStyle("n-gram", "black", "x", ":"),
  "rnn_hard_tanh": CellStyle("RNN, hard tanh", "#CC79A7", "D", "--"),
  "rnn_softsign": CellStyle("RNN, softsign", "#999999", "v", "-."),
  "rnn_sigmoid": CellStyle("RNN, sigmoid", "#5D3A9B", "X", ":"),
  "rnn_relu": CellStyle("RNN, relu", "#E69F00", "s", "-"),
  "rnn_leaky_relu": CellStyle("RNN, leaky relu", "#8C510A", "P", "--"),
  "rnn_linear": CellStyle("RNN, linear", "#56B4E9", "^", "-."),
}
_SPARE = (("#CC79A7", "D"), ("#E69F00", "v"), ("#56B4E9", "P"), ("#999999", "X"))

THEORY: Any = {"color": "black", "linewidth": 0.8, "linestyle": "-", "zorder": 5}
MEASURED_ZERO: Any = {"color": "0.35", "linewidth": 0.9, "linestyle": "--"}  # in maps


def cell_style(cell: str) -> CellStyle:
  """Returns the style of a cell, which is the same in all figures. Colours of the user's own style replace those of the lab."""
  known = CELL_STYLES.get(cell) or _style_of_others(cell)
  colors = own_style.colors()
  if not colors:
    return known
  return known._replace(color=colors[[*CELL_STYLES, cell].index(cell) % len(colors)])


def _style_of_others(cell: str) -> CellStyle:
  from recurrent_lab.cells import CELLS  # after the flags are read, since it imports JAX

  others = [name for name in CELLS if name not in CELL_STYLES]
  place = others.index(cell) if cell in others else zlib.crc32(cell.encode())  # a cell of one's own has no place
  color, marker = _SPARE[place % len(_SPARE)]
  return CellStyle(cell.replace("_", " "), color, marker, ":")


def shade(color: str, towards: float) -> tuple[float, float, float]:
  """Returns a colour mixed with black, for `towards` from -1 to 0, or with white, for `towards` from 0 to 1."""
  end = 1.0 if towards > 0 else 0.0
  red, green, blue = (part + abs(towards) * (end - part) for part in mpl.colors.to_rgb(color))
  return red, green, blue


def theory_of(color: str) -> dict[str, Any]:
  """Returns the look of a theory for the curve of this colour: a thin line in a dark shade of it."""
  return THEORY | {"color": shade(color, -0.55)}


class Band(NamedTuple):
  mean: np.ndarray
  low: np.ndarray
  high: np.ndarray


def confidence_band(values: xr.DataArray, dim: str = "seed", level: float = 0.95) -> Band:
  """Returns the mean over seeds with its Student's t interval; NaN where a seed is not finite, so that the line breaks there."""
  finite = values.where(np.isfinite(values))
  mean = finite.mean(dim, skipna=False)
  count = values.sizes[dim]
  if count < 2:
    return Band(mean.values, mean.values, mean.values)
  from scipy import stats  # it takes half a second to import, which a page of help does without

  half = stats.t.ppf(0.5 + level / 2, count - 1) * finite.std(dim, ddof=1, skipna=False) / np.sqrt(count)
  return Band(mean.values, (mean - half).values, (mean + half).values)


def plot_band(axes: Axes, x: np.ndarray, values: xr.DataArray, **line: Any) -> None:
  """Draws the mean over seeds as a line with its confidence band; for fewer than five seeds, each seed as a thin line instead.

  Args:
    axes: where it is drawn.
    x: places along the line.
    values: has the dimension `seed` and that of `x`.
    line: look of the line, as for `Axes.plot`.
  """
  band = confidence_band(values)
  (drawn,) = axes.plot(x, band.mean, **line)
  if values.sizes["seed"] >= FEW:
    axes.fill_between(x, band.low, band.high, color=drawn.get_color(), alpha=0.2, linewidth=0)
  elif values.sizes["seed"] > 1:
    axes.plot(x, values.transpose(..., "seed").values, color=drawn.get_color(), linewidth=0.5, alpha=0.4)


def plot_seeds(axes: Axes, x: np.ndarray, values: xr.DataArray, **line: Any) -> None:
  """Draws every seed as a thin line and their median, for values whose mean a single seed could dominate."""
  look = {name: value for name, value in line.items() if name in ("color", "linestyle")}
  axes.plot(x, values.transpose(..., "seed").values, linewidth=0.5, alpha=0.4, **look)
  axes.plot(x, values.median("seed", skipna=False).values, **line)


def legend_line(**line: Any) -> Line2D:
  """Returns a line that only a legend shows."""
  return Line2D([], [], **line)


def cell_edges(centres: np.ndarray, is_log: bool = False) -> np.ndarray:
  """Returns the edges of the tiles of a map, given their centres in increasing order; `is_log` for a logarithmic axis."""
  if is_log:
    return np.exp(cell_edges(np.log(centres)))
  if len(centres) == 1:
    return centres[0] + np.array([-0.5, 0.5])
  middles = (centres[1:] + centres[:-1]) / 2
  return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])


def plot_map(
  axes: Axes,
  x: np.ndarray,
  y: np.ndarray,
  values: np.ndarray,
  limit: float | tuple[float, float],
  are_log: tuple[bool, bool] = (False, False),
) -> QuadMesh:
  """Draws `values` [y, x] as a map; values that are not finite stay white.

  Args:
    axes: where it is drawn.
    x: centres of the tiles.
    y: centres of the tiles.
    values: by y and x.
    limit: colours change at 0 and saturate at ± limit, with a dashed grey line at 0. For values of one sign it is the lowest and
      the highest of them.
    are_log: whether the axes of x and y are logarithmic.
  """
  values = np.where(np.isfinite(values), values, np.nan)
  x_edges, y_edges = (cell_edges(centres, is_log) for centres, is_log in zip((x, y), are_log, strict=True))
  if isinstance(limit, tuple):
    mesh = axes.pcolormesh(x_edges, y_edges, values, vmin=limit[0], vmax=limit[1])
  else:
    mesh = axes.pcolormesh(
      x_edges, y_edges, values, cmap=own_style.signed_colors() or "RdBu_r", vmin=-limit, vmax=limit
    )
    if min(values.shape) > 1 and np.nanmin(values) < 0 < np.nanmax(values):
      axes.contour(x, y, values, levels=[0], **{f"{name}s": value for name, value in MEASURED_ZERO.items()})
  axes.grid(False)
  axes.set(xlim=x_edges[[0, -1]], ylim=y_edges[[0, -1]])  # lines drawn later do not widen it
  return mesh


def symmetric_limit(values: np.ndarray) -> float:
  """Returns where the colours of a map saturate: at the smaller of both extremes, but not below an eighth of the larger."""
  finite = values[np.isfinite(values)]
  smaller, larger = sorted(abs(extreme) for extreme in (finite.min(initial=0), finite.max(initial=0)))
  return float(max(smaller, larger / 8) if smaller else larger or 1)


def letter_panels(figure: Figure) -> None:
  """Puts (a), (b), ... before the titles of the panels if there are several, but not too many for that."""
  panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>" and axes.get_visible()]
  letters = "abcdefghijkl"
  if 1 < len(panels) <= len(letters):
    for letter, axes in zip(letters, panels, strict=False):
      title = axes.get_title(loc="left")
      (text, *_) = (one for one in axes.get_children() if isinstance(one, Text) and one.get_text() == title)
      axes.set_title(f"({letter}) {title}", loc="left", fontsize=text.get_fontsize() if title else None)


def new_figure(
  width: float, height: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, np.ndarray]:
  """Returns a figure and its axes `[rows, columns]`; no window is opened."""
  figure = Figure(figsize=(width, height), layout="constrained")
  return figure, figure.subplots(rows, columns, squeeze=False, **options)
