"""What is asked for: an experiment as a value, and absl flags turned into a plan before anything is computed or written."""

from collections.abc import Mapping, Sequence
import os
from pathlib import Path
import re
from typing import Any, NamedTuple

from absl import flags

from experiments import files, grid
from experiments.grid import Point
from experiments.measure import Measure


class Experiment(NamedTuple):
  """A sweep.

  Attributes:
    name: of the module and of the results folder.
    doc: what it shows; printed by --help.
    measure: what is measured at each point.
    defaults: setting -> flag text, where it differs from the setting's own default.
    cells: the cells that the measure is defined for; all if empty.
    seeds: random nets per combination, by default.
    x64: whether it computes in float64 by default.
  """

  name: str
  doc: str
  measure: Measure
  defaults: Mapping[str, str]
  cells: Sequence[str] = ()
  seeds: int = 8
  x64: bool = False


class Plan(NamedTuple):
  """What the flags ask for."""

  points: list[Point]
  axes: Mapping[str, tuple[grid.Value, ...]]
  out: Path
  chunk: int
  shard: tuple[int, int]
  max_failures: int
  dry_run: bool
  checkpoint_seconds: float
  command: str


class UsageError(ValueError):
  """A flag that cannot be used, with the value and what is allowed in one sentence."""


def _define_flags(experiment: Experiment) -> flags.FlagValues:
  values = flags.FlagValues()
  for name, setting in experiment.measure.settings.items():
    default = experiment.defaults.get(name, setting.default)
    flags.DEFINE_string(name, default, f"{setting.help}; {setting.allowed}.", flag_values=values)
  flags.DEFINE_integer("seeds", experiment.seeds, "Random nets per combination.", lower_bound=1, flag_values=values)
  flags.DEFINE_string("out", "results", "Folder of all results.", flag_values=values)
  flags.DEFINE_boolean("dry_run", False, "Print the grid, its size and shapes, and run nothing.", flag_values=values)
  flags.DEFINE_string("shard", "0/1", "i/n: compute every n-th block, from the i-th (0 … n-1).", flag_values=values)
  flags.DEFINE_integer("chunk", 32, "Points in one call at the most; bounds memory.", lower_bound=1, flag_values=values)
  flags.DEFINE_integer(
    "max_failures", 0, "Blocks that may raise an error before the sweep stops.", lower_bound=0, flag_values=values
  )
  flags.DEFINE_float(
    "checkpoint_seconds", 30, "Time between two checkpoints of a run that has some.", lower_bound=0, flag_values=values
  )
  flags.DEFINE_boolean("x64", experiment.x64, "Compute in float64.", flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  return values


def parse(experiment: Experiment, argv: Sequence[str]) -> Plan:
  """Turns flags into a plan; nothing is computed or written.

  Raises:
    UsageError: for any flag that cannot be used.
    SystemExit: after --help.
  """
  parsed = _define_flags(experiment)
  try:
    rest = parsed([experiment.name, *argv])[1:]
  except (flags.Error, OSError) as error:
    raise UsageError(str(error)) from None
  values: dict[str, Any] = parsed.flag_values_dict()
  if values["help"]:
    print(f"{experiment.doc}\n\npython -m experiments.{experiment.name} [flags]\n{parsed.get_help()}")
    raise SystemExit(0)
  if rest:
    raise UsageError(f"{rest[0]!r} is not a flag; flags look like --ws=0.5,1.")
  axes = {}
  for name in experiment.measure.settings:
    try:
      axes[name] = grid.parse_axis(name, values[name], experiment.measure.settings)
    except ValueError as error:
      raise UsageError(f"--{name}: {str(error).rstrip('.')}.") from None
  for cell in axes["cells"]:
    if experiment.cells and cell not in experiment.cells:
      raise UsageError(f"--cells: {cell!r} is not allowed here; it must be one of {', '.join(experiment.cells)}.")
  match = re.fullmatch(r"(\d+)/(\d+)", values["shard"])
  if not match or not int(match[1]) < int(match[2]):
    raise UsageError(f"--shard: {values['shard']!r} is not allowed; it must be i/n with 0 ≤ i < n, such as 0/4.")
  try:
    results = Path(files.check_path(values["out"]))
    out = files.check_inside(results / files.check_name(experiment.name), results)
  except files.ResultsError as error:
    raise UsageError(f"--out: {error}") from None
  existing = next(path for path in (out, *out.parents) if path.exists())
  if not existing.is_dir() or not os.access(existing, os.W_OK):
    raise UsageError(f"--out: {existing} is not a folder that can be written.")
  points = grid.expand(axes, values["seeds"], values["x64"])
  try:
    for static in {grid.content_hash(p | {"seed": 0}): p for p in points}.values():
      experiment.measure.check(static)
  except ValueError as error:
    raise UsageError(str(error)) from None
  return Plan(
    points=points,
    axes=axes,
    out=out,
    chunk=values["chunk"],
    shard=(int(match[1]), int(match[2])),
    max_failures=values["max_failures"],
    dry_run=values["dry_run"],
    checkpoint_seconds=values["checkpoint_seconds"],
    command=" ".join(["python -m experiments." + experiment.name, *argv]),
  )


def describe(experiment: Experiment, plan: Plan, blocks: Sequence[Sequence[Point]]) -> str:
  """The grid in words: axes, number of points and calls, and the shapes that a point yields."""
  lines = [f"{experiment.name}: {len(plan.points)} points in {len(blocks)} calls -> {plan.out}"]
  seeds = len({point["seed"] for point in plan.points})
  for name, values in plan.axes.items():
    lines.append(f"  {grid.dimension(name)} ({len(values)}): {', '.join(map(str, values))}")
  lines.append(f"  seed ({seeds}): 0 … {seeds - 1}")
  for block in blocks:
    point = block[0]
    labels = experiment.measure.coords(point)
    shapes = ", ".join(
      f"{name} {[len(labels[axis]) for axis in axes]}" for name, axes in experiment.measure.dims.items()
    )
    sizes = ", ".join(f"{name}={point[name]}" for name in ("hidden_size", "seq_len", "length") if name in point)
    lines.append(f"  a point of {point['cell']} ({sizes}): {shapes}")
  lines = list(dict.fromkeys(lines))  # blocks of the same shapes need saying once
  return "\n".join(lines)
