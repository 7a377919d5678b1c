"""Tanh nets on the delayed XOR: plain training, flossing before it, and bouts of flossing between its updates too.

Left: the share of wrong answers in training at every delay; every seed is a thin line, and the thick one is their median. Right:
the share of seeds that solve the delay, with Wilson's 95 % interval and the median update. Dotted: the share of wrong answers
below which a delay counts as solved. Dashed: chance.
"""

import sys
from typing import Any

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED, Case, plot_cases
from analysis.numbers import TableSpec
from analysis.selection import one_cell, runs
from analysis.style import PAGE, THEORY, new_figure
from analysis.wording import count, listed

AXES = ("length", "floss", "floss_every", "floss_updates")
SOLVED_BELOW, CHANCE = 0.01, 0.5
LOOKS = {"plain": ("#999999", "o"), "before": ("#0072B2", "s"), "before and between": ("#D55E00", "^")}


def kind(floss: int, every: int) -> str:
  """Returns when a run flosses: plain for never."""
  times = [name for name, happens in (("before", floss), ("between", every)) if happens]
  return " and ".join(times) or "plain"


def numbers(datasets: Datasets) -> xr.Dataset:
  """Returns the results by delay and by when flossing happens; no combination was run with two lengths of bouts."""
  data = one_cell(datasets["flossing_in_training"], *AXES)
  found: dict[str, xr.Dataset] = {}
  for (floss, every, _), one in runs(data, *AXES[1:]):
    shown, name = one[["solved", "solved_at", "score"]].drop_vars(AXES[1:]), kind(floss, every)
    found[name] = shown.combine_first(found[name]) if name in found else shown
  order = [*(name for name in LOOKS if name in found), *(name for name in found if name not in LOOKS)]
  joined = xr.concat([found[name] for name in order], "flossing", join="outer", coords="minimal", compat="override")
  return joined.assign_coords(flossing=order)


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  delays = data.length.values.tolist()
  figure, axes = new_figure(PAGE, 2.0 * len(delays), len(delays), 2, width_ratios=[1.6, 1], sharex="col")
  for (curves, success), delay in zip(axes, delays, strict=True):
    cases = []
    for name in data.flossing.values.tolist():
      one = data.sel(length=delay, flossing=name).dropna("seed", subset=["solved"])
      color, marker = LOOKS.get(name, ("black", "x"))
      look: dict[str, Any] = {"color": color, "marker": marker, "markersize": 2.5}
      if one.sizes["seed"]:
        cases.append(Case(name if name == "plain" else f"flossing {name}", look, one))
    plot_cases(curves, success, cases)
    curves.axhline(CHANCE, **(THEORY | {"linestyle": "--"}))
    curves.axhline(SOLVED_BELOW, **(THEORY | {"linestyle": ":"}))
    curves.set(ylim=(0, 0.55), ylabel="share of wrong answers")
    curves.set_title(f"delay {delay}", loc="left")
  return figure


def finding(shown: xr.Dataset) -> str:
  parts = []
  for delay in shown.length.values.tolist():
    solved = shown.solved.sel(length=delay)
    counts = [
      f"{count(solved.sel(flossing=name))} {'with flossing ' if name != 'plain' else ''}{name}"
      for name in shown.flossing.values.tolist()
      if solved.sel(flossing=name).notnull().any()
    ]
    parts.append(f"at a delay of {delay}, {listed(counts) or 'none'}")
  return f"Seeds that solve the delayed XOR: {'; '.join(parts)}."


FIGURE = FigureSpec(
  name="flossing_in_training",
  reads=("flossing_in_training",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"solved": SOLVED, "solved_at": TableSpec(over_seeds="median"), "score": TableSpec(over_seeds="none")},
  order=70,
  title="Does flossing between updates help a net to bridge a delay?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
