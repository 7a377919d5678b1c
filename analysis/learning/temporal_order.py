"""Temporal order: share of seeds that solve it against the length, for plain SGD, with clipping, with Ω too, and with gates."""

from collections import Counter
import sys
from typing import Any

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED, plot_success
from analysis.selection import only_axes, runs
from analysis.style import COLUMN, cell_style, new_figure
from analysis.wording import count

# Looks of the RNN, by how many remedies its training has: none, clipping, clipping and Ω.
LOOKS = ({"linestyle": ":", "marker": "v"}, {"linestyle": "--", "marker": "D"}, {"linestyle": "-", "marker": "o"})
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}
TRAINING = ("clip", "omega", "optimizer", "learning_rate", "init")


def curves(datasets: Datasets) -> dict[str, tuple[xr.DataArray, dict[str, Any]]]:
  """Returns the solved runs and the look of every curve, by label; labels that would be equal name the settings that differ."""
  data = only_axes(datasets["temporal_order"], "length", *TRAINING)
  found: dict[str, tuple[xr.DataArray, dict[str, Any]]] = {}
  cells = data.cell.values.tolist()
  order = lambda case: (cells.index(case[0][0]), case[0][1] != "none", case[0][2])
  varied = [i for i, name in enumerate(TRAINING) if data.sizes[name] > 1]
  trained = sorted(runs(data, "cell", *TRAINING), key=order)
  shared = Counter(case[:4] for case, _ in trained)
  for (cell, *training), one in trained:
    clip, omega, optimizer, *_ = training
    helps = [*["clipping"] * (clip != "none"), *["Ω"] * (omega > 0)]
    name, color, marker, linestyle = cell_style(cell)
    label = " + ".join([f"{name}: {OPTIMIZERS.get(optimizer, optimizer)}", *helps])
    if shared[cell, clip, omega, optimizer] > 1:
      label += "".join(f", {TRAINING[i].replace('_', ' ')} {training[i]}" for i in varied)
    look = {"linestyle": linestyle, "marker": marker} if cell != "rnn" else LOOKS[len(helps)]
    found[label] = one.solved, look | {"color": color, "label": label}
  return found


def draw(datasets: Datasets) -> Figure:
  figure, axes = new_figure(COLUMN, 3.0)
  plot_success(axes[0, 0], list(curves(datasets).values()))
  axes[0, 0].set_xlabel("length of the sequence (steps)")
  axes[0, 0].set_ylabel("share of seeds that solve it")
  figure.legend(loc="outside upper center", ncols=2)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  solved = [one.reset_coords(drop=True).expand_dims(training=[label]) for label, (one, _) in curves(datasets).items()]
  return xr.concat(solved, "training", join="outer").rename("solved").to_dataset()


def finding(shown: xr.Dataset) -> str:
  longest = shown.solved.sel(length=shown.length.max())
  parts = "; ".join(f"{label} {count(longest.sel(training=label))}" for label in longest.training.values.tolist())
  return f"Seeds that solve the task at length {int(longest.length)}: {parts}."


FIGURE = FigureSpec(
  name="temporal_order",
  reads=("temporal_order",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"solved": SOLVED},
  order=20,
  title="Which remedy solves the temporal-order problem?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
