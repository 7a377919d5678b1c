"""Growth rate of the RNN's Jacobian product as a sum: the slope of tanh shrinks the product, and the weights stretch it."""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.paper.prediction import is_gaussian, theory_line
from analysis.selection import only_axes
from analysis.style import COLUMN, THEORY, cell_style, new_figure, plot_band, theory_of
from analysis.wording import trend
from sweepkit.store import ResultsError


def rnn(datasets: Datasets) -> xr.Dataset:
  """Returns the RNN of the saturation sweep, by seed and input scale.

  Raises:
    ResultsError: if the sweep lacks the RNN, or has a single input scale.
  """
  data = only_axes(datasets["tanh_saturation"], "input_scale")
  if "rnn" not in data.cell:
    raise ResultsError(
      f"{data.attrs['source']} holds no rnn, the only cell whose Jacobian is the slope of tanh times the weights."
    )
  if data.sizes["input_scale"] < 2:
    raise ResultsError(f"{data.attrs['source']} does not vary in input_scale; there is no curve to draw.")
  return data.sel(cell="rnn").transpose("seed", "input_scale", ...)


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.theory import largest_exponent, mean_exponent

  one = rnn(datasets)
  scales = one.input_scale.values
  growth, slope = one.growth_rate.sel(norm="spectral"), one.mean_log_slope.sel(gate="state")
  figure, axes = new_figure(COLUMN, 2.7)
  panel = axes[0, 0]
  weights = {"color": "#56B4E9", "marker": "s", "linestyle": "--", "label": "weights: growth − mean ln tanh′"}
  product = {"color": cell_style("rnn").color, "marker": "o", "label": "growth of the product"}
  tanh = {"color": "#E69F00", "marker": "^", "linestyle": "-.", "label": "mean ln tanh′"}
  for values, look in ((growth - slope, weights), (growth, product), (slope, tanh)):
    plot_band(panel, scales, values, **look)
  if is_gaussian(one) and str(one.input.values) == "white":
    gain = abs(float(one.ws))
    total = lambda scale: np.asarray(largest_exponent(gain, scale**2))
    saturation = lambda scale: np.asarray(mean_exponent(gain, scale**2)) - np.log(gain) + 0.5
    theory_line(panel, scales, total, **theory_of(product["color"]))
    theory_line(panel, scales, saturation, **theory_of(tanh["color"]))
    theory_line(panel, scales, lambda scale: total(scale) - saturation(scale), **theory_of(weights["color"]))
    panel.plot([], [], label="mean field (thin, dark)", **THEORY | {"color": "0.25"})
  panel.axhline(0, color="0.3", linewidth=0.6)
  panel.set_xscale("log" if scales.min() > 0 else "linear")
  panel.xaxis.set_major_formatter("{x:g}")
  panel.set_title(f"RNN, $W_s$ = {float(one.ws):g}", loc="left")
  panel.set_xlabel("input scale (standard deviation)")
  panel.set_ylabel("nats per step")
  panel.legend(loc="lower left")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  one = rnn(datasets)
  growth = one.growth_rate.sel(norm="spectral", drop=True)
  slope = one.mean_log_slope.sel(gate="state", drop=True)
  return xr.Dataset({"growth_rate": growth, "mean_log_slope": slope, "weights": growth - slope}).drop_vars("cell")


def finding(shown: xr.Dataset) -> str:
  moves = {name: trend(values, "input_scale") for name, values in shown.data_vars.items()}
  low, high = (float(shown.input_scale[i]) for i in (0, -1))
  return (
    f"From input scale {low:g} to {high:g}, in nats per step: mean ln tanh′ {moves['mean_log_slope']}; the growth rate of the "
    f"product {moves['growth_rate']}; what the weights contribute {moves['weights']}."
  )


FIGURE = FigureSpec(
  name="shrinking",
  reads=("tanh_saturation",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "mean_log_slope": TableSpec("mean ln tanh′ (nats)"),
    "weights": TableSpec("growth rate − mean ln tanh′ (nats per step)"),
  },
  order=100,
  title="What shrinks the RNN's product, and what stretches it?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
