"""The launcher that all experiments share: absl flags in, blocks of points computed, files out.

A point is skipped when it is stored intact. Points that share a program are computed together, `--chunk` at a time; a
block is always padded to the size of its group, so that each group compiles once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
import os
from pathlib import Path
import platform
import re
import signal
import subprocess
import sys
import time
from typing import Any, NamedTuple

from absl import flags
import jax
import numpy as np
from tqdm import tqdm

from experiments import grid, store
from experiments.checkpoints import CheckpointError
from experiments.grid import SETTINGS, Point, Setting
from experiments.measure import LongMeasure, Measure, point_key


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
    settings: what can be fixed or varied.
    check: raises a `ValueError` for a point whose settings do not go together.
  """

  name: str
  doc: str
  measure: Measure | LongMeasure
  defaults: Mapping[str, str]
  cells: Sequence[str] = ()
  seeds: int = 8
  x64: bool = False
  settings: Mapping[str, Setting] = SETTINGS
  check: Callable[[Point], Any] = lambda point: None


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
  for name, setting in experiment.settings.items():
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
  for name in experiment.settings:
    try:
      axes[name] = grid.parse_axis(name, values[name], experiment.settings)
    except ValueError as error:
      raise UsageError(f"--{name}: {error}.") from None
  for cell in axes["cells"]:
    if experiment.cells and cell not in experiment.cells:
      raise UsageError(f"--cells: {cell!r} is not allowed here; it must be one of {', '.join(experiment.cells)}.")
  match = re.fullmatch(r"(\d+)/(\d+)", values["shard"])
  if not match or not int(match[1]) < int(match[2]):
    raise UsageError(f"--shard: {values['shard']!r} is not allowed; it must be i/n with 0 ≤ i < n, such as 0/4.")
  out = Path(values["out"]) / experiment.name
  existing = next(path for path in (out, *out.parents) if path.exists())
  if not existing.is_dir() or not os.access(existing, os.W_OK):
    raise UsageError(f"--out: {existing} is not a folder that can be written.")
  points = grid.expand(axes, values["seeds"], values["x64"])
  try:
    for static in {grid.content_hash(p | {"seed": 0}): p for p in points}.values():
      experiment.check(static)
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
    sizes = f"H={point['hidden_size']}, T={point.get('seq_len', point.get('length'))}"
    lines.append(f"  a point of {point['cell']} ({sizes}): {shapes}")
  lines = list(dict.fromkeys(lines))  # blocks of the same shapes need saying once
  return "\n".join(lines)


def _traced(points: Sequence[Point], names: Sequence[str] = grid.TRACED) -> tuple[Any, ...]:
  """The parts of points that a compiled program takes as arguments."""
  seeds = np.array([point["seed"] for point in points], np.uint32)
  words = np.array([grid.key_words(point) for point in points], np.uint32)
  float_dtype = np.float64 if points[0]["x64"] else np.float32
  values = {name: np.array([point[name] for point in points], float_dtype) for name in names}
  return seeds, words, values


def _measure_block(measure: Measure, static: Point, seeds: Any, words: Any, values: Any) -> dict[str, Any]:
  """The measure of a block of points, on a leading axis."""

  def one(seed: Any, words: Any, values: Any) -> dict[str, Any]:
    return measure.run(static, point_key(seed, words), values)

  return jax.vmap(one)(seeds, words, values)


def _status(measure: Measure | LongMeasure, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
  """`store.STATUS` of every point: nonfinite if it holds a NaN or +inf where that is no answer."""
  bad = np.zeros(next(iter(arrays.values())).shape[0], bool)
  for name, array in arrays.items():
    wrong = np.zeros(array.shape, bool)
    if name not in measure.may_be_nan:
      wrong |= np.isnan(array)
    if name not in measure.may_be_infinite:
      wrong |= np.isposinf(array)
    bad |= wrong.reshape(len(bad), -1).any(axis=1)
  return np.where(bad, store.STATUS.index("nonfinite"), store.STATUS.index("ok")).astype(np.int8)


def _git_commit() -> str | None:
  try:
    root = Path(__file__).parent
    result = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
  except (OSError, subprocess.CalledProcessError):
    return None
  return result.stdout.strip()


def _provenance(plan: Plan) -> dict[str, Any]:
  return {
    "command": plan.command,
    "git_commit": _git_commit(),
    "python": platform.python_version(),
    "jax": jax.__version__,
    "jaxlib": jax.lib.__version__,
    "numpy": np.__version__,
    "device": jax.devices()[0].device_kind,
    "platform": jax.default_backend(),
    "precision": "float64" if plan.points[0]["x64"] else "float32",
    "date": time.strftime("%Y-%m-%d"),
  }


def run(experiment: Experiment, plan: Plan) -> int:
  """Computes what is missing and returns the number of blocks that failed.

  Raises:
    store.ResultsError: if the folder holds results of another schema.
  """
  measure = experiment.measure
  traced = grid.traced_names(experiment.settings)
  all_blocks = grid.blocks(plan.points, plan.chunk, traced)
  mine = all_blocks[plan.shard[0] :: plan.shard[1]]
  if plan.dry_run:
    print(describe(experiment, plan, mine))
    return 0
  done, problems = store.done_points(plan.out)
  for problem in problems:
    print(f"{problem} Doing so now where this sweep covers it.", file=sys.stderr)
  todo = [[p for p in block if grid.content_hash(p) not in done] for block in mine]
  count = sum(map(len, todo))
  skipped = sum(map(len, mine)) - count
  print(f"{experiment.name}: {count} points to compute, {skipped} already done -> {plan.out}", file=sys.stderr)
  provenance = _provenance(plan)
  programs: dict[str, Any] = {}
  failures = nonfinite = 0
  with tqdm(total=count, unit="point", disable=count == 0) as progress:
    for block, missing in zip(mine, todo, strict=True):
      if not missing:
        continue
      static = grid.static_part(block[0], traced)
      progress.set_description(f"{experiment.name} {static['cell']}")
      begin = time.perf_counter()
      try:
        if isinstance(measure, LongMeasure):
          folder = plan.out / "runs" / store.block_name(missing)
          arrays = measure.run(missing, folder, plan.checkpoint_seconds)
        else:
          size = max(len(b) for b in all_blocks if grid.static_part(b[0], traced) == static)
          padded = [*missing, *[missing[-1]] * (size - len(missing))]
          program = programs.setdefault(grid.content_hash(static), jax.jit(partial(_measure_block, measure, static)))
          outcome = program(*_traced(padded, traced))
          arrays = {name: np.asarray(a)[: len(missing)] for name, a in outcome.items()}
      except (RuntimeError, MemoryError, FloatingPointError) as error:
        failures += 1
        print(f"{static['cell']}: {len(missing)} points failed: {error}", file=sys.stderr)
        if failures > plan.max_failures:
          print(f"Stopping: more than --max_failures={plan.max_failures} blocks failed.", file=sys.stderr)
          break
        continue
      arrays["status"] = _status(measure, arrays)
      nonfinite += int(np.sum(arrays["status"] == store.STATUS.index("nonfinite")))
      seconds = {"wall_seconds": round(time.perf_counter() - begin, 3)}
      block_data = store.Block(missing, arrays, measure.dims, measure.coords(static), provenance | seconds)
      store.write_block(plan.out, block_data)
      progress.update(len(missing))
  if nonfinite:
    print(f"{nonfinite} points are not finite; they are stored with that status.", file=sys.stderr)
  return failures


class Terminated(KeyboardInterrupt):
  """SIGTERM asks to stop as Ctrl-C does."""


def _terminate(signum: int, frame: Any) -> None:
  raise Terminated


def main(experiment: Experiment, argv: Sequence[str] | None = None) -> int:
  """Runs an experiment from the command line and returns its exit code."""
  before = signal.signal(signal.SIGTERM, _terminate)
  try:
    plan = parse(experiment, sys.argv[1:] if argv is None else argv)
    jax.config.update("jax_enable_x64", bool(plan.points[0]["x64"]))
    # On GPU and TPU the default precision of products would be the largest error of every measurement.
    jax.config.update("jax_default_matmul_precision", "highest")
    return 1 if run(experiment, plan) else 0
  except (UsageError, store.ResultsError, CheckpointError) as error:
    print(f"{experiment.name}: {error}", file=sys.stderr)
    return 2
  except KeyboardInterrupt as stop:
    print(f"\n{experiment.name}: stopped; what is done is kept, run it again to go on.", file=sys.stderr)
    return 143 if isinstance(stop, Terminated) else 130
  finally:
    signal.signal(signal.SIGTERM, before)
