"""An experiment as a value, and its default grid."""

from collections.abc import Collection, Mapping, Sequence
import dataclasses
import math
from pathlib import Path

from sweepkit import commands
from sweepkit.measure import AnyMeasure
from sweepkit.settings import Value, dimension, parse_axis
from sweepkit.store import block_paths
from sweepkit.words import count, duration

MACHINE = "two cores of an x86-64 server with other work to do, jax 0.10.2"  # where `Experiment.seconds` are measured


@dataclasses.dataclass(frozen=True)
class Experiment:
  """A sweep: a question, a measure, and the grid that answers the question by default.

  Attributes:
    module: the module that runs it, such as package.chaos. The last part is the name of the experiment and of its
      results folder. A name without a dot belongs to an experiment that a program made, which no command runs.
    doc: what it shows, in one line first; printed by --help.
    measure: what is measured at each point.
    defaults: setting -> flag text, where it differs from the setting's own default.
    allowed: setting -> the values for which the measure is defined; all values of other settings.
    seeds: random keys per combination of settings, by default.
    x64: whether it computes in float64 by default.
    seconds: wall time of the default grid in one process, from nothing, on `MACHINE`; None if it was not measured.
    figure: the module that draws it, as in `python -m FIGURE --results=FOLDER --out=FOLDER`; None if there is no figure.
    drawn_beside: the experiment whose results that figure needs, and beside which it draws these; empty if these are enough.
    drawn_along: dimensions that its figure has axes for, besides the first, the seed and those that vary by default.
    unused: settings of the measure that do not matter to this experiment, and which a listing leaves out.
    tiny: setting -> flag text of a grid that is small enough for a test.
  """

  module: str
  doc: str
  measure: AnyMeasure
  defaults: Mapping[str, str] = dataclasses.field(default_factory=dict)
  allowed: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
  seeds: int = 8
  x64: bool = False
  seconds: float | None = None
  figure: str | None = None
  drawn_beside: str = ""
  drawn_along: Sequence[str] = ()
  unused: Sequence[str] = ()
  tiny: Mapping[str, str] = dataclasses.field(default_factory=dict)

  @property
  def name(self) -> str:
    """The name of the experiment and of its results folder."""
    return self.module.rpartition(".")[2]

  @property
  def has_command(self) -> bool:
    """True if `python -m MODULE` runs it."""
    return "." in self.module


def first_line(experiment: Experiment) -> str:
  """Returns the line that says what the experiment shows."""
  return experiment.doc.strip().splitlines()[0]


def expected_time(experiment: Experiment) -> str:
  """Returns the time that the default grid takes, in words."""
  return "not measured" if experiment.seconds is None else duration(experiment.seconds)


def default(experiment: Experiment, setting: str) -> str:
  """Returns the default of a setting, as flag text."""
  return experiment.defaults.get(setting, experiment.measure.settings[setting].default)


def default_axes(experiment: Experiment) -> dict[str, Sequence[Value]]:
  """Returns the default values of every setting. Texts stay as they are written, so that nothing has to be read for them."""
  settings = experiment.measure.settings
  parsed: dict[str, Sequence[Value]] = {}
  for name, setting in settings.items():
    text = default(experiment, name)
    parsed[name] = text.split(",") if setting.kind is str else parse_axis(name, text, settings)
  return parsed


def default_size(experiment: Experiment) -> str:
  """Returns the default grid in words: its points, and the values of the settings that have a symbol, such as T and H."""
  axes, settings = default_axes(experiment), experiment.measure.settings
  sizes = [count(experiment.seeds * math.prod(map(len, axes.values())), "point")]
  shown = {setting.symbol: axes[name] for name, setting in settings.items() if name not in experiment.unused}
  sizes += [
    f"{symbol} = {','.join(map(str, values))}" for symbol, values in sorted(shown.items(), reverse=True) if symbol
  ]
  return ", ".join(sizes)


def drawing_command(experiment: Experiment, results: Path, varied: Collection[str]) -> str | None:
  """Returns the command that draws what is stored of the experiment in a folder of results; None if there is no such figure.

  Args:
    experiment: the experiment.
    results: the folder of all results.
    varied: the dimensions along which what is stored varies.
  """
  needed = results / (experiment.drawn_beside or experiment.name)
  if experiment.figure is None or not block_paths(needed) or undrawn(experiment, varied):
    return None
  return commands.draw(experiment.figure, results)


def undrawn(experiment: Experiment, varied: Collection[str]) -> list[str]:
  """Returns the dimensions along which results vary and for which the experiment's figure has no axis."""
  settings = experiment.measure.settings
  first = dimension(next(iter(settings)), settings)
  by_default = (dimension(name, settings) for name, values in default_axes(experiment).items() if len(values) > 1)
  return sorted(set(varied) - {first, "seed", *by_default, *experiment.drawn_along})
