"""The curse of memory: moments of one linear unit against its memory τ = 1 / (1 - |λ|), and the closed forms as lines.

Left: the variance of the state. Middle: the mean square of its derivative by a parameter p of λ. Right: the mean square of the
gradient of the loss by p. Filled marks: plain, γ = 1; open marks: normalised, γ = √(1 - |λ|²). Marks are means over
seeds with 95 % intervals, which are mostly smaller than the marks.
"""

import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, THEORY, confidence_band, legend_line, new_figure
from analysis.wording import listed, short, with_unit

# (cell, parameter) -> look and name
CURVES: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
  ("rnn_linear", "recurrent_kernel"): ({"color": "#D55E00", "marker": "o"}, "λ itself (linear RNN)"),
  ("lru", "log_decay"): ({"color": "#0072B2", "marker": "s"}, r"ν of $|λ| = \exp(-e^ν)$ (LRU)"),
  ("lru", "log_angle"): ({"color": "#CC79A7", "marker": "^"}, r"θ of the angle $e^θ$ (LRU)"),
}
TITLES = {
  "state_variance": r"$E\,|h|^2$",
  "squared_sensitivity": r"$E\,|\partial h/\partial p|^2$",
  "squared_gradient": r"$E\,(\partial L/\partial p)^2$",
}


def predicted(quantity: str, parameter: str, scale: str, memory: np.ndarray, angle: float) -> np.ndarray:
  """Returns the closed form of a moment at each memory."""
  from recurrent_lab.theory import sensitivity_variance, squared_gradient, state_variance

  size = 1 - 1 / np.asarray(memory, np.float64)
  gamma = np.sqrt((1 - size) * (1 + size)) if scale == "normalized" else np.ones_like(size)
  decay = size.astype(complex) if parameter == "recurrent_kernel" else size * np.exp(1j * angle)
  slope = {
    "recurrent_kernel": np.ones_like(decay),
    "log_decay": decay * np.log(size),
    "log_angle": 1j * angle * decay,
  }[parameter]
  if quantity == "state_variance":
    return gamma**2 * np.asarray(state_variance(decay), np.float64)
  if quantity == "squared_sensitivity":
    return gamma**2 * np.abs(slope) ** 2 * np.asarray(sensitivity_variance(decay), np.float64)
  return np.asarray(squared_gradient(decay, slope, gamma), np.float64)


def _marks(panel: Axes, values: xr.DataArray, fill: str, look: dict[str, Any]) -> None:
  """Draws means over seeds with their intervals."""
  band = confidence_band(values.transpose("seed", "memory"))
  bars = np.clip([band.mean - band.low, band.high - band.mean], 0, None)
  panel.errorbar(
    values.memory.values, band.mean, bars, linestyle="", markersize=3.5, elinewidth=0.8, fillstyle=fill, **look
  )


def _values(data: xr.Dataset, quantity: str, cell: str, parameter: str, scale: str) -> xr.DataArray:
  values = data[quantity].sel(cell=cell, scale=scale)
  return values if quantity == "state_variance" else values.sel(parameter=parameter)


def _curves(data: xr.Dataset) -> list[tuple[str, str]]:
  return [pair for pair in CURVES if pair[0] in data.cell.values]


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["curse_of_memory"], "memory")
  memory = data.memory.values
  dense = np.geomspace(memory.min(), max(memory.max(), memory.min() + 1), 100)
  angle = float(np.asarray(data.angle).flat[0])
  figure, axes = new_figure(PAGE, 2.6, 1, 3)
  for panel, quantity in zip(axes[0], TITLES, strict=True):
    for cell, parameter in _curves(data):
      if quantity == "state_variance" and parameter == "log_angle":
        continue  # the same states
      for scale, fill in (("plain", "full"), ("normalized", "none")):
        _marks(panel, _values(data, quantity, cell, parameter, scale), fill, CURVES[cell, parameter][0])
        panel.plot(dense, predicted(quantity, parameter, scale, dense, angle), **(THEORY | {"zorder": 1}))
    panel.set(xscale="log", yscale="log", xlabel=with_unit("memory τ", data.memory))
    panel.set_title(TITLES[quantity], loc="left")
  marks = [legend_line(linestyle="", **CURVES[pair][0]) for pair in _curves(data)]
  names = [CURVES[pair][1] for pair in _curves(data)]
  rest = [legend_line(linestyle="", marker="o", color="0.4", fillstyle=fill) for fill in ("full", "none")]
  figure.legend(
    [*marks, *rest, legend_line(**THEORY)],
    [*names, "plain", "normalised", "closed form"],
    loc="outside upper left",
    ncols=6,
    columnspacing=1.0,
    handletextpad=0.4,
  )
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["curse_of_memory"], "memory")
  shown = data[[*TITLES]].transpose("cell", "memory", "scale", "parameter", "seed")
  return shown.assign_coords(angle=float(np.asarray(data.angle).flat[0]))


def power(values: xr.DataArray) -> float:
  """Returns d ln(mean over seeds) / d ln τ between the two longest memories; NaN where it is not finite."""
  means = values.mean("seed").dropna("memory").sortby("memory")
  if means.sizes["memory"] < 2:
    return np.nan
  (x0, x1), (y0, y1) = means.memory.values[-2:], means.values[-2:]
  if not (np.isfinite([y0, y1]).all() and min(y0, y1) > 0):
    return np.nan
  return float(np.log(y1 / y0) / np.log(x1 / x0))


def finding(shown: xr.Dataset) -> str:
  """Names the power of the memory with which the squared gradient grows, and the largest distance from the closed form."""
  said, distances = [], []
  for cell, parameter in _curves(shown):
    powers = [power(_values(shown, "squared_gradient", cell, parameter, scale)) for scale in ("plain", "normalized")]
    if np.isfinite(powers).all():
      said.append(
        f"{short(powers[0])} plain and {short(powers[1])} normalised by {CURVES[cell, parameter][1].split(' ')[0]}"
      )
    for quantity in TITLES:
      for scale in shown.scale.values.tolist():
        values = _values(shown, quantity, cell, parameter, scale).mean("seed")
        ratio = values / predicted(quantity, parameter, scale, shown.memory.values, float(shown.angle))
        distances.append(float(np.abs(ratio - 1).max()))
  if not said:
    return "No moment is known at two memories."
  far = max(distances)
  text = f"Between the two longest memories the squared gradient grows with the power {listed(said)}."
  return text + (f" Means lie within {far:.0%} of the closed forms." if np.isfinite(far) else "")


FIGURE = FigureSpec(
  name="curse_of_memory",
  reads=("curse_of_memory",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"squared_gradient": TableSpec("mean square of the gradient")},
  order=60,
  title="How does the gradient of a unit depend on its memory?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
