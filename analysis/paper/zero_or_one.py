"""The simplified LSTM's factor Z = tanh′(x) σ(y), which introductions call 0 or 1: as a surface, and along trajectories."""

import sys

import matplotlib as mpl
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import one_cell
from analysis.style import PAGE, new_figure
from analysis.wording import minus, short

CURVES = ("-", "--", "-.", ":", (0, (6, 1.5, 1, 1.5, 1, 1.5)))


def draw(datasets: Datasets) -> Figure:
  import jax.numpy as jnp

  from recurrent_lab.activations import ACTIVATIONS

  data = one_cell(datasets["zero_or_one"], "forget_bias", "input_scale")
  scales = data.input_scale.values
  # The empty column keeps the label of the next panel away from the colour bar.
  widths = [1.25, 0.02] + [1] * len(scales)
  figure, (every,) = new_figure(PAGE, 2.5, 1, 2 + len(scales), width_ratios=widths)
  every[1].set_visible(False)
  axes = [every[0], *every[2:]]

  x, y = jnp.meshgrid(jnp.linspace(-4, 4, 161), jnp.linspace(-6, 6, 161))
  surface = jnp.exp(ACTIVATIONS["tanh"].log_slope(x)) * ACTIVATIONS["sigmoid"].function(y)
  filled = axes[0].contourf(x, y, surface, levels=np.linspace(0, 1, 11), cmap="viridis")
  bar = figure.colorbar(filled, ax=axes[0], ticks=[0, 0.5, 1])
  bar.ax.set_title("$Z$")
  axes[0].set_title("$Z$ = tanh′$(x)\\,\\sigma(y)$", loc="left")
  axes[0].set_xlabel("$x$")
  axes[0].set_ylabel("$y$")
  axes[0].grid(False)

  shades = mpl.colormaps["viridis"](np.linspace(0, 0.85, data.sizes["forget_bias"]))
  edges = np.linspace(0, 1, data.sizes["factor"] + 1)
  for panel, scale in zip(axes[1:], scales, strict=True):
    for i, bias in enumerate(data.forget_bias.values):
      share = data.share.sel(input_scale=scale, forget_bias=bias).mean("seed").values
      panel.stairs(
        share, edges, color=shades[i], linestyle=CURVES[i % len(CURVES)], label=f"$b_f$ = {minus(bias)}", linewidth=1.1
      )
    panel.axvspan(0.1, 0.9, color="0.93", zorder=0)
    panel.set_yscale("log")
    panel.set_ylim(1e-4, 1.5)
    panel.set_title(f"input scale {scale:g}", loc="left")
    panel.set_xlabel("$Z$")
    panel.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    panel.tick_params(labelleft=panel is axes[1])
  axes[1].set_ylabel("share of the steps of trajectories")
  axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = one_cell(datasets["zero_or_one"], "forget_bias", "input_scale").drop_vars("cell")
  return xr.Dataset({"share_near_ends": data.share_near_zero + data.share_near_one, "share": data.share})


def finding(shown: xr.Dataset) -> str:
  if not shown.share_near_ends.notnull().any():
    return "No setting has a finite share of factors (0 settings)."
  share = 100 * shown.share_near_ends.mean("seed").stack(setting=("forget_bias", "input_scale")).dropna("setting")
  at = lambda one: f"{short(float(one))} % (b_f = {float(one.forget_bias):g}, input scale {float(one.input_scale):g})"
  low, high = (at(share[int(i)]) for i in (np.argmin(share.values), np.argmax(share.values)))
  said = low if low == high else f"from {low} to {high}, by setting"
  return f"Share of the factors along trajectories that lie within 0.1 of 0 or 1: {said}."


FIGURE = FigureSpec(
  name="zero_or_one",
  reads=("zero_or_one",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"share_near_ends": TableSpec("share of the factors within 0.1 of 0 or 1")},
  order=150,
  title="Is the factor of the LSTM 0 or 1?",
  over_seeds="mean",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
