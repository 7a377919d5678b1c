"""Gradient flossing by cell: λ₁ during training at the longest delay, with and without it, and seeds that solve each delay."""

import sys

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED, plot_success
from analysis.selection import only_axes, runs
from analysis.style import PAGE, cell_style, legend_line, new_figure, plot_band
from analysis.wording import count, each, with_unit

LOOKS = ({"linestyle": "--", "fillstyle": "none"}, {"linestyle": "-", "fillstyle": "full"})  # without and with flossing


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["flossing"], "length", "floss")
  longest = int(data.length.max())
  figure, axes = new_figure(PAGE, 4.2, 2, data.sizes["cell"], sharex="row", sharey="row")
  for (exponent, success), cell in zip(axes.T, data.cell.values.tolist(), strict=True):
    label, color, marker, _ = cell_style(cell)
    curves = []
    for (_, floss), one in runs(data.sel(cell=[cell]), "cell", "floss"):
      look = LOOKS[floss > 0] | {"color": color, "marker": marker}
      values = one.largest_exponent.sel(length=longest).transpose("seed", "watched_update")
      plot_band(exponent, data.watched_update.values, values, **look)
      curves.append((one.solved, look))
    plot_success(success, curves)
    exponent.axhline(0, color="0.3", linewidth=0.6)
    exponent.set_title(f"{label}, delay {longest}", loc="left")
    exponent.set_xlabel("update")
    success.set_title(f"{label}, success", loc="left")
    success.set_xlabel("delay (steps)")
  axes[0, 0].set_ylabel(with_unit(r"$\lambda_1$", data.largest_exponent))
  axes[1, 0].set_ylabel("share of seeds")
  lines = [legend_line(color="0.3", marker="o", **look) for look in LOOKS]
  figure.legend(lines, ["no flossing", "flossing before training"], loc="outside upper center", ncols=2)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["flossing"], "length", "floss")
  return data[["solved"]].assign(largest_exponent=data.largest_exponent.sel(length=data.length.max(), drop=True))


def finding(shown: xr.Dataset) -> str:
  """Counts seeds at the longest delay that any seed solves."""
  solved = shown.solved.where(shown.solved.max(["cell", "floss", "seed"]) > 0).dropna("length", how="all")
  if not solved.sizes["length"]:
    return "No seed solves any delay, with flossing or without."
  longest = solved.isel(length=-1)

  def seeds(one: xr.Dataset) -> str:
    made = one.solved.dropna("floss", how="all")
    return ", ".join(f"{count(of)} {'with' if of.floss > 0 else 'without'}" for of in made)

  return (
    f"Seeds that solve a delay of {int(longest.length)} with and without flossing: {each(longest.to_dataset(), seeds)}."
  )


FIGURE = FigureSpec(
  name="flossing",
  reads=("flossing",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"solved": SOLVED},
  order=70,
  title="Does gradient flossing before training help?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
