"""Success of the cells at equal parameters and equal updates, beside the memory that was measured before training.

Top left: the first lag at which the norm of the Jacobian product is below 1/e, the median over seeds of the atlas. A hollow mark
says that the norm stays above 1/e within the sequence. Beside it: the share of seeds that solve each task, with 95 % Wilson
intervals. Below: the best score of every cell against that lag, both medians over seeds. Below the dotted line a task is solved.

ρ is Spearman's rank correlation between what was measured and how well a cell learns. It has a 95 % bootstrap interval over
cells. Bottom left: ρ by task for the lag, for the growth rate and for its closeness to 0. Beside it, above the scores: the
p-value of a permutation test for the lag. What was measured is that of one layer at its recommended initialisation, not of the
nets that are trained.
"""

from collections.abc import Mapping
import sys

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.atlas._kinds import KINDS, kind, label
from analysis.figure import Datasets, FigureSpec, main
from analysis.learning.success import SOLVED, success_bars
from analysis.numbers import TableSpec
from analysis.selection import Unfit, only_axes, runs
from analysis.style import PAGE, THEORY, legend_line, new_figure
from analysis.training.rank import RankCorrelation, rank_correlation
from recurrent_lab.tasks import get_task

LOWEST = 1e-4  # the smallest score that is drawn; error rates may be 0

#: Measured before training -> how it is written. Larger values should learn better.
MEASURED: Mapping[str, str] = {
  "first_lag_below": "first lag below 1/e",
  "growth_rate": "growth rate",
  "closeness": "closeness of the growth rate to 0",
}

#: The names of the fields of a `RankCorrelation` in the numbers of the figure.
CORRELATION = ("rank_correlation", "lower_end", "upper_end", "p_value")


def learned(datasets: Datasets) -> xr.Dataset:
  """Returns what was learned by `task` (its name and length), cell and seed, with the score below which the task is solved."""
  data = only_axes(datasets["atlas_training"], "task", "length")
  names = ["solved", "best_score", "solved_at", "units", "parameter_count"]
  found = []
  for (task, length), one in sorted(runs(data, "task", "length"), key=lambda run: run[0]):
    one = one[names].reset_coords(drop=True)
    solved_below = xr.DataArray([get_task(task, length).solved_below], dims="task")
    one = one.expand_dims(task=[f"{task.replace('_', ' ')} {length}"]).assign(solved_below=solved_below)
    found.append(one)
  return xr.concat(found, "task", join="outer", data_vars="all")


def before_training(datasets: Datasets, cells: list[str]) -> xr.Dataset | None:
  """Returns what the atlas measured of these cells by cell and seed; None without its results.

  Raises:
    Unfit: if the atlas has not measured all of them.
  """
  if "atlas" not in datasets:
    return None
  data = only_axes(datasets["atlas"]).sel(norm="spectral", drop=True)
  if lacking := [cell for cell in cells if cell not in data.cell.values]:
    raise Unfit(datasets["atlas"], f"lacks {', '.join(lacking)}")
  one = data[["first_lag_below", "growth_rate"]].sel(cell=cells).reset_coords(drop=True)
  return one.assign(closeness=-np.abs(one.growth_rate))


def correlations(scores: xr.DataArray, before: xr.Dataset) -> xr.Dataset:
  """Returns the rank correlations by task and what was measured, between medians over seeds."""
  better = -scores.median("seed")
  found = [
    [rank_correlation(before[name].median("seed").values, better.sel(task=task).values) for name in MEASURED]
    for task in better.task.values
  ]
  axes = {"task": better.task, "measured": list(MEASURED.values())}
  return xr.Dataset(
    {name: (tuple(axes), np.array(found)[..., i]) for i, name in enumerate(CORRELATION)}, {**axes, "cell": scores.cell}
  )


def numbers(datasets: Datasets) -> xr.Dataset:
  shown = learned(datasets)
  before = before_training(datasets, shown.cell.values.tolist())
  if before is None:
    return shown
  # The atlas may have more seeds than the trained nets; those have no value.
  return xr.merge([shown, before, correlations(shown.best_score, before)], join="outer", compat="override")


def _order(shown: xr.Dataset) -> list[str]:
  """Returns the cells, first those that solve the most, then those with the best scores relative to `solved_below`."""
  solved = shown.solved.mean("seed").mean("task")
  score = np.log(np.fmax(shown.best_score.median("seed") / shown.solved_below, LOWEST)).mean("task")
  order = np.lexsort((score.values, -solved.values))
  return shown.cell.values[order].tolist()


def _success(panel: Axes, solved: xr.DataArray, cells: list[str]) -> None:
  """Draws the share of seeds that solve a task by cell, with Wilson intervals."""
  for place, cell in enumerate(cells):
    share, bars = success_bars(solved.sel(cell=cell))
    color, marker = KINDS[kind(cell)]
    panel.errorbar(share, place, xerr=bars[:, None], fmt=marker, color=color, markersize=2.5, elinewidth=0.7)
  panel.set_xlim(-0.05, 1.05)
  panel.set_xlabel("share of seeds")


def _mark(panel: Axes, cell: str, lags: xr.DataArray, steps: float, height: float) -> None:
  """Draws the mark of a cell at its first lag; hollow beyond the sequence where the norm stays above 1/e."""
  lag, (color, marker) = float(lags.sel(cell=cell)), KINDS[kind(cell)]
  is_known = bool(np.isfinite(lag))
  (mark,) = panel.plot(lag if is_known else 1.3 * steps, height, marker, color=color, markersize=2.5, clip_on=False)
  mark.set_fillstyle("full" if is_known else "none")


def _lags(panel: Axes, lags: xr.DataArray, steps: float, cells: list[str]) -> None:
  """Draws the first lags by cell."""
  for place, cell in enumerate(cells):
    _mark(panel, cell, lags, steps, place)
  panel.set_xscale("log")
  panel.set_xlim(0.8, 1.7 * steps)
  panel.set_title("before training", loc="left")
  panel.set_xlabel("first lag below 1/e (steps)")


def _correlation(shown: xr.Dataset, task: str, measured: str = MEASURED["first_lag_below"]) -> RankCorrelation:
  """Returns the stored rank correlation of a task with what was measured before training."""
  found = shown.sel(task=task, measured=measured)
  return RankCorrelation(*(float(found[name]) for name in CORRELATION))


def _scatter(panel: Axes, shown: xr.Dataset, lags: xr.DataArray, steps: float) -> None:
  """Draws the best score of each cell in one task against its first lag."""
  for cell in shown.cell.values.tolist():
    _mark(panel, cell, lags, steps, max(float(shown.best_score.sel(cell=cell).median()), LOWEST))
  panel.axhline(float(shown.solved_below), **(THEORY | {"linestyle": ":"}))
  panel.set(xscale="log", yscale="log", xlim=(0.8, 1.7 * steps), ylim=(LOWEST / 1.5, 3))
  panel.set_xlabel("first lag (steps)")


def _ranks(panel: Axes, shown: xr.Dataset) -> None:
  """Draws the rank correlation of each task with each measurement, in groups by task."""
  tasks, names = shown.task.values.tolist(), shown.measured.values.tolist()
  group = len(names) + 1  # the first line of a group is for the name of the task
  for start, task in enumerate(tasks):
    panel.text(-0.98, group * start, task, fontsize=5, va="center", fontweight="bold")
    for place, name in enumerate(names, start=1):
      found = _correlation(shown, task, name)
      if np.isfinite(found).all():
        bars = np.array([[found.rho - found.low], [found.high - found.rho]])
        panel.errorbar(
          found.rho, group * start + place, xerr=bars, fmt="o", color="0.2", markersize=2.5, elinewidth=0.7
        )
  panel.axvline(0, color="0.3", linewidth=0.4)
  places = [group * start + place for start in range(len(tasks)) for place in range(1, group)]
  panel.set_yticks(places, names * len(tasks), fontsize=5)
  panel.set(xlim=(-1, 1), ylim=(group * len(tasks) - 0.4, -0.7), xlabel="rank correlation ρ")


def _draw_below(axes: np.ndarray, shown: xr.Dataset, lags: xr.DataArray, steps: float) -> None:
  """Draws the second row: the rank correlations, and the best scores against first lags."""
  _ranks(axes[0], shown)
  for panel, task in zip(axes[1:], shown.task.values.tolist(), strict=True):
    _scatter(panel, shown.sel(task=task), lags, steps)
    found = _correlation(shown, task)
    if np.isfinite(found).all():
      panel.set_title(f"p = {found.p_value:.2g}", loc="left")
  for panel in axes[2:]:
    panel.tick_params(labelleft=False)
  axes[1].set_ylabel("best score")


def draw(datasets: Datasets) -> Figure:
  shown = numbers(datasets)
  cells, tasks = _order(shown), shown.task.values.tolist()
  is_measured = "first_lag_below" in shown
  columns, height = len(tasks) + is_measured, 0.115 * len(cells) + 1.0
  figure, axes = new_figure(
    PAGE, height + 2.0 * is_measured, 1 + is_measured, columns, height_ratios=[height, 2.0][: 1 + is_measured]
  )
  first = axes[0]
  for panel, task in zip(first[is_measured:], tasks, strict=True):
    _success(panel, shown.solved.sel(task=task), cells)
    panel.set_title(task, loc="left")
  if is_measured:
    lags, steps = shown.first_lag_below.median("seed"), float(datasets["atlas"].lag.max())
    _lags(first[0], lags, steps, cells)
    _draw_below(axes[1], shown, lags, steps)
  for panel in first:
    panel.set_yticks(range(len(cells)), [label(cell) for cell in cells] if panel is first[0] else [], fontsize=5)
    panel.set_ylim(len(cells) - 0.4, -0.6)
  used = {kind(cell) for cell in cells}
  looks = {name: look for name, look in KINDS.items() if name in used}
  lines = [legend_line(color=color, marker=marker, linestyle="none") for color, marker in looks.values()]
  figure.legend(lines, list(looks), loc="outside upper center", ncols=len(looks))
  return figure


def _said(found: RankCorrelation) -> str:
  """Returns `0.52 (0.20 to 0.73), p = 0.003`."""
  if not np.isfinite(found).all():
    return "undefined"
  return f"{found.rho:.2f} ({found.low:.2f} to {found.high:.2f}), p = {found.p_value:.2g}"


def finding(shown: xr.Dataset) -> str:
  """Counts the cells that solve each task with most seeds, and says how well each measurement ranks all cells."""
  parts = []
  for task in shown.task.values.tolist():
    share = shown.solved.sel(task=task).mean("seed")
    part = f"{task}: {int((share > 0.5).sum())} of {int(share.notnull().sum())} cells solve it with most seeds"
    if "rank_correlation" in shown:
      ranks = [f"{name} {_said(_correlation(shown, task, name))}" for name in shown.measured.values.tolist()]
      part += f"; ρ by {', by '.join(ranks)}"
    parts.append(f"{part}.")
  return " ".join([f"{part[0].upper()}{part[1:]}" for part in parts])


FIGURE = FigureSpec(
  name="trained_cells",
  reads=("atlas_training",),
  overlays=("atlas",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "solved": SOLVED,
    "best_score": TableSpec("best score, lower is better", "median"),
    "solved_at": TableSpec("first logged update at which the task was solved", "median"),
    "units": TableSpec(over_seeds="none"),
    "parameter_count": TableSpec(over_seeds="none"),
    "solved_below": TableSpec("score below which the task is solved"),
    "first_lag_below": TableSpec("first lag below 1/e, before training (steps)", "median"),
    "growth_rate": TableSpec("growth rate, before training (nats per step)"),
    "closeness": TableSpec(over_seeds="none"),
    "rank_correlation": TableSpec("Spearman's ρ between what was measured and how well cells learn"),
    "lower_end": TableSpec("lower end of its 95 % bootstrap interval over cells"),
    "upper_end": TableSpec("upper end of its 95 % bootstrap interval over cells"),
    "p_value": TableSpec("p-value of a permutation test"),
  },
  order=10,
  title="Which cells learn at equal parameters, and did their memory foretell it?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
