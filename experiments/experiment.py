"""An experiment as a value, and what its own flags make of it by default."""

from collections.abc import Collection, Mapping, Sequence
import math
from pathlib import Path
from typing import NamedTuple

from experiments import commands, grid, store
from experiments.measure import Measure
from experiments.words import count


class Experiment(NamedTuple):
  """A sweep.

  Attributes:
    name: of the module and of the results folder.
    doc: what it shows, in one line first; printed by --help.
    measure: what is measured at each point.
    defaults: setting -> flag text, where it differs from the setting's own default.
    cells: the cells that the measure is defined for; all if empty.
    seeds: random nets per combination, by default.
    x64: whether it computes in float64 by default.
    drawn_by: module that draws its results when it is run, such as `analysis.paper.forget_bias`; empty if there is none.
    drawn_beside: experiment whose results that figure needs, and draws these beside; empty if these are enough.
    drawn_along: dimensions that its figure has axes for, besides the cell, the seed and those that vary by default.
  """

  name: str
  doc: str
  measure: Measure
  defaults: Mapping[str, str]
  cells: Sequence[str] = ()
  seeds: int = 8
  x64: bool = False
  drawn_by: str = ""
  drawn_beside: str = ""
  drawn_along: Sequence[str] = ()


def first_line(experiment: Experiment) -> str:
  """What it shows, in one line."""
  return experiment.doc.strip().splitlines()[0]


def default(experiment: Experiment, setting: str) -> str:
  """The default of a setting, as flag text."""
  return experiment.defaults.get(setting, experiment.measure.settings[setting].default)


def default_axes(experiment: Experiment) -> dict[str, Sequence[grid.Value]]:
  """The values of every setting by default; texts as they are written, so that nothing has to be read for them."""
  settings = experiment.measure.settings
  parsed: dict[str, Sequence[grid.Value]] = {}
  for name, setting in settings.items():
    text = default(experiment, name)
    parsed[name] = text.split(",") if setting.kind is str else grid.parse_axis(name, text, settings)
  return parsed


def default_size(experiment: Experiment) -> str:
  """The size of the default grid: points, the length T of their sequences, and units H."""
  axes = default_axes(experiment)
  points = experiment.seeds * math.prod(map(len, axes.values()))
  sizes = [count(points, "point")]
  for letter, names in (("T", ("seq_len", "length")), ("H", ("hidden_size",))):
    # A length that a training run does not set is one that its task does not have.
    values = next(
      (axes[name] for name in names if name in axes and (name != "length" or name in experiment.defaults)), ()
    )
    if values:
      sizes.append(f"{letter} = {','.join(map(str, values))}")
  return ", ".join(sizes)


def drawing_command(experiment: Experiment, results: Path, varied: Collection[str]) -> str | None:
  """The command that draws what is stored of the experiment in a folder of results; None if there is no such figure.

  Args:
    varied: the dimensions along which what is stored varies.
  """
  needed = results / (experiment.drawn_beside or experiment.name)
  if not experiment.drawn_by or not commands.is_experiment(experiment.name) or not store.block_paths(needed):
    return None
  return None if undrawn(experiment, varied) else commands.draw(experiment.drawn_by, results)


def undrawn(experiment: Experiment, varied: Collection[str]) -> list[str]:
  """The dimensions along which results vary and which the experiment's figure has no axis for."""
  by_default = (grid.dimension(name) for name, values in default_axes(experiment).items() if len(values) > 1)
  return sorted(set(varied) - {"cell", "seed", *by_default, *experiment.drawn_along})
