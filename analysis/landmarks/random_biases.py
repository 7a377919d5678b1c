"""Nets with random biases: up to which gain they forget where they started, and how well they forecast as a reservoir.

Top: the share of nets of which two random starts end at the same output, without input. Bottom: the squared error of a
reservoir's forecasts of a Mackey–Glass series, over the variance of the series. Lines are medians over seeds, and bands their
middle half. Colours are the standard deviation σ_b of the biases, and lighter lines have more units. Dotted:
the critical gain of the mean field for infinitely many units.
"""

import sys

from matplotlib import colormaps
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.landmarks.heavy_tails import transition
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, cell_style, legend_line, new_figure
from analysis.wording import each, listed, short
from recurrent_lab.theory import biased_critical_gain
from recurrent_lab.theory.random_biases import LARGEST_BIAS

AXES = ("ws", "bias_scale", "hidden_size", "input_scale")


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["random_biases"], *AXES)
  return data[["forgets", "forecast_error"]].transpose("cell", *AXES, "seed")


def critical_gain(cell: str, bias_scale: float) -> float:
  """Returns the critical gain of theory, NaN where it has none."""
  return biased_critical_gain(cell, bias_scale) if 0 <= bias_scale <= LARGEST_BIAS else np.nan


def best_gain(error: xr.DataArray) -> float:
  """Returns the gain with the least median error over seeds; NaN if there is none."""
  median = error.where(np.isfinite(error)).median("seed").dropna("ws")
  return float(median.ws[int(median.argmin("ws"))]) if median.size else np.nan


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["random_biases"], *AXES)
  cells, biases, sizes = (data[name].values.tolist() for name in ("cell", "bias_scale", "hidden_size"))
  colors = dict(zip(biases, colormaps["plasma"](np.linspace(0, 0.8, len(biases))), strict=True))
  opacities = dict(zip(sizes, np.linspace(1, 0.4, len(sizes)), strict=True))
  figure, axes = new_figure(PAGE, 4.0, 2, len(cells), sharex=True, sharey="row")
  for (share, error), cell in zip(axes.T, cells, strict=True):
    for (bias, size, _), one in runs(data.sel(cell=[cell]), *AXES[1:]):
      net = one.isel(cell=0)
      look = {"color": colors[bias], "alpha": opacities[size], "marker": "o", "markersize": 2}
      share.plot(net.ws.values, net.forgets.mean("seed").values, **look)
      low, middle, high = net.forecast_error.quantile([0.25, 0.5, 0.75], "seed").values
      error.plot(net.ws.values, middle, **look)
      error.fill_between(net.ws.values, low, high, color=colors[bias], alpha=0.12, linewidth=0)
    for bias in biases:
      for panel in (share, error):
        panel.axvline(critical_gain(cell, bias), color=colors[bias], linestyle=":", linewidth=0.9)
    share.set_title(cell_style(cell).label, loc="left")
    error.set(xscale="log", yscale="log", xlabel="gain $W_s$")
    ticks = [gain for gain in (0.5, 1, 2, 4) if data.ws.min() <= gain <= data.ws.max()]
    error.set_xticks(ticks, [f"{gain:g}" for gain in ticks])
    error.xaxis.set_minor_formatter("")
  axes[1, 0].set_ylim(top=3)
  axes[0, 0].set_ylabel("share that forgets its start")
  axes[1, 0].set_ylabel("error over variance")
  lines = [legend_line(color=colors[bias], label=rf"$\sigma_b$ = {bias:g}") for bias in biases]
  if len(sizes) > 1:
    lines += [legend_line(color="black", alpha=opacities[size], label=f"H = {size}") for size in sizes]
  figure.legend(handles=lines, loc="outside upper left", ncols=len(lines))
  return figure


def finding(shown: xr.Dataset) -> str:
  """Names, by cell and deviation of the biases, the gain of theory, that of half of the nets, and the best one to forecast."""
  inner = shown.isel(input_scale=0)

  def gains(one: xr.Dataset) -> str:
    parts = []
    for bias in one.bias_scale.values.tolist():
      made = one.sel(bias_scale=bias).dropna("hidden_size", how="all", subset=["forgets"])
      if made.sizes["hidden_size"]:
        net = made.isel(hidden_size=-1)
        found = critical_gain(str(one.cell.values), bias), transition(-net.forgets + 1), best_gain(net.forecast_error)
        parts.append(f"{', '.join(map(short, found))} (σ_b = {bias:g})")
    return listed(parts) or "none"

  return (
    f"Critical gain of theory, gain at which half of the nets forget, and best gain to forecast: {each(inner, gains)}."
  )


FIGURE = FigureSpec(
  name="random_biases",
  reads=("random_biases",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "forgets": TableSpec("nets that forget their start", over_seeds="count"),
    "forecast_error": TableSpec("error of the forecast over the variance", over_seeds="median"),
  },
  order=55,
  title="Do random biases move the onset of chaos, and does a reservoir forecast best there?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
