"""The launcher that all experiments share: a plan in, blocks of points computed, files out.

A point is skipped when it is stored intact, and left to another launcher that is computing it. A block is on its way before the
one before it is written, so that the devices do not wait for the disk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import contextlib
from functools import partial
from pathlib import Path
import platform
import subprocess
import sys
import time
from typing import Any, NamedTuple

import jax
import numpy as np
from tqdm import tqdm

from experiments import devices, grid, mend, signals, store, units
from experiments.grid import Point
from experiments.measure import Measure, point_key
from experiments.plan import Experiment, Plan, UsageError, describe, parse


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


def _status(measure: Measure, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
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


def _provenance(plan: Plan, process: tuple[int, int]) -> dict[str, Any]:
  return {
    "command": plan.command,
    "git_commit": _git_commit(),
    "python": platform.python_version(),
    "jax": jax.__version__,
    "jaxlib": jax.lib.__version__,
    "numpy": np.__version__,
    "device": jax.local_devices()[0].device_kind,
    "devices": jax.local_device_count(),
    "platform": jax.default_backend(),
    "precision": "float64" if plan.points[0]["x64"] else "float32",
    "shard": "{}/{}".format(*plan.shard),
    "process": "{}/{}".format(*process),
    "date": time.strftime("%Y-%m-%d"),
  }


class Outcome(NamedTuple):
  """What became of some points: their arrays, or the error instead; and what it took, for the provenance."""

  points: list[Point]
  arrays: dict[str, np.ndarray]
  error: Exception | None
  effort: dict[str, Any]


ERRORS = (RuntimeError, MemoryError, FloatingPointError)


def _begun(group: devices.Group, points: list[Point], traced: Sequence[str]) -> Callable[[float], Outcome]:
  """Sends points on their way; what is returned waits for them, given the time from which they had the devices."""
  begin, compiled = time.perf_counter(), group.compile_seconds
  arguments = _traced(points, traced)
  started = None
  with contextlib.suppress(*ERRORS):  # an error comes again below, but for a lack of memory for two blocks at once
    started = devices.start(group, arguments)

  def finish(free_since: float) -> Outcome:
    try:
      arrays, error = devices.finish(group, arguments, started), None
    except ERRORS as raised:
      arrays, error = {}, raised
    effort = {
      "wall_seconds": round(time.perf_counter() - max(begin, free_since), 3),
      "compile_seconds": round(group.compile_seconds - compiled, 3),
      "chunk_halvings": group.halvings,
    }
    return Outcome(points, arrays, error, effort)

  return finish


def _swept(measure: Measure, chunk: int, traced: Sequence[str], queue: Iterable[list[Point]]) -> Iterator[Outcome]:
  """Computes blocks of points, each on its way before the outcome of the one before is handed out."""
  groups: dict[str, devices.Group] = {}
  pending: Callable[[float], Outcome] | None = None
  free_since = 0.0
  for points in queue:
    static = grid.static_part(points[0], traced)
    function = partial(_measure_block, measure, static)
    group = groups.setdefault(grid.content_hash(static), devices.Group(str(static["cell"]), function, chunk))
    # A compilation is not waited for by what is computed, nor counted as its time.
    if pending and (signals.is_asked_to_stop() or not group.programs):
      yield pending(free_since)
      pending = None
    signals.stop_if_asked()
    begun = _begun(group, points, traced)
    if pending:
      outcome, free_since = pending(free_since), time.perf_counter()
      yield outcome
    pending = begun
  if pending:
    yield pending(free_since)


def _kept(measure: Measure, plan: Plan, queue: Iterable[list[Point]]) -> Iterator[Outcome]:
  """Runs the blocks of a measure that keeps files; one that runs out of memory goes on as two."""
  for block in queue:
    parts, halvings = [block], 0
    while parts:
      signals.stop_if_asked()
      points, begin, error = parts.pop(0), time.perf_counter(), None
      arrays: dict[str, np.ndarray] = {}
      try:
        arrays = measure.run(points, plan.out / "runs" / store.block_name(points), plan.checkpoint_seconds)
      except ERRORS as raised:
        if devices.is_out_of_memory(raised) and len(points) > 1:
          half, halvings = (len(points) + 1) // 2, halvings + 1
          parts[:0] = [points[:half], points[half:]]
          print(f"{points[0]['cell']}: out of memory with {len(points)} points; going on with {half}.", file=sys.stderr)
          continue
        error = raised
      effort = {"wall_seconds": round(time.perf_counter() - begin, 3), "chunk_halvings": halvings}
      yield Outcome(points, arrays, error, effort)


def run(experiment: Experiment, plan: Plan, process: tuple[int, int] = (0, 1)) -> int:
  """Computes what is missing and returns the number of blocks that failed.

  Args:
    process: which of how many this is; each takes every so many-th block of the plan's shard.

  Raises:
    store.ResultsError: if the folder holds results of another schema.
  """
  measure = experiment.measure
  traced = grid.traced_names(measure.settings)
  all_blocks = grid.blocks(plan.points, plan.chunk, traced, 1 if measure.keeps_files else devices.TILE)
  of_shard = all_blocks[plan.shard[0] :: plan.shard[1]]
  mine = of_shard[process[0] :: process[1]]
  if plan.dry_run:
    print(describe(experiment, plan, mine))
    return 0
  seen = units.names(plan.out)
  done, problems = mend.before(plan.out, mine, measure.keeps_files)
  for problem in problems:
    print(f"{problem} What this sweep covers of it is made anew now.", file=sys.stderr)
  todo = [missing for block in mine if (missing := [p for p in block if grid.content_hash(p) not in done])]
  count = sum(map(len, todo))
  skipped = sum(map(len, mine)) - count
  print(f"{experiment.name}: {count} points to compute, {skipped} already done -> {plan.out}", file=sys.stderr)
  provenance = _provenance(plan, process)
  coords: dict[str, dict[str, list[Any]]] = {}
  failures = nonfinite = stored = failed = 0
  with units.at_work(plan.out, done, seen) as work, tqdm(total=count, unit="point", disable=count == 0) as progress:

    def announced() -> Iterator[list[Point]]:
      for points in units.shared_out(work, todo):
        progress.set_description(f"{experiment.name} {points[0]['cell']}")
        yield points

    swept = (
      _kept(measure, plan, announced()) if measure.keeps_files else _swept(measure, plan.chunk, traced, announced())
    )
    for points, arrays, error, effort in swept:
      static = grid.static_part(points[0], traced)
      if error:
        failures, failed = failures + 1, failed + len(points)
        units.release(work, points)
        print(f"{static['cell']}: {len(points)} points failed: {error}", file=sys.stderr)
        if failures > plan.max_failures:
          print(f"Stopping: more than --max_failures={plan.max_failures} blocks failed.", file=sys.stderr)
          break
        continue
      arrays["status"] = _status(measure, arrays)
      nonfinite += int(np.sum(arrays["status"] == store.STATUS.index("nonfinite")))
      group = grid.content_hash(static)
      if group not in coords:  # they are traced, which takes as long as computing a few points
        coords[group] = measure.coords(static)
      store.write_block(plan.out, store.Block(points, arrays, measure.dims, coords[group], provenance | effort))
      units.release(work, points)
      stored += len(points)
      progress.update(len(points))
    else:
      if count > stored + failed:
        print(f"{count - stored - failed} points were left to other launchers at work in {plan.out}.", file=sys.stderr)
  for problem in mend.after(plan.out, plan.points) if problems and not failures else []:
    print(problem, file=sys.stderr)
  if plan.hosts and process[0] == 0:
    units.write_index(plan.out, experiment.name, plan.shard, of_shard, process[1])
  if nonfinite:
    print(f"{nonfinite} points are not finite; they are stored with that status.", file=sys.stderr)
  return failures


@contextlib.contextmanager
def _configured(**settings: Any) -> Iterator[None]:
  """Within it JAX is configured so; in all threads, unlike with JAX's own context managers."""
  before = {name: getattr(jax.config, name) for name in settings}
  try:
    for name, value in settings.items():
      jax.config.update(name, value)
    yield
  finally:
    for name, value in before.items():
      jax.config.update(name, value)


def launch(experiment: Experiment, argv: Sequence[str]) -> tuple[Plan, int]:
  """Does what the flags ask for; returns the plan and the number of blocks that failed.

  Raises:
    UsageError: for any flag that cannot be used, before any work.
    store.ResultsError: if the folder cannot be written, or holds results of another schema.
    KeyboardInterrupt: where it is stopped; what is done is kept.
  """
  with signals.listening():
    plan = parse(experiment, argv)
    # On GPU and TPU the default precision of products would be the largest error of every measurement.
    with _configured(jax_enable_x64=bool(plan.points[0]["x64"]), jax_default_matmul_precision="highest"):
      try:
        process = (0, 1) if plan.dry_run else devices.prepare(plan.cpu_devices, plan.hosts)
      except ValueError as error:
        raise UsageError(str(error)) from None
      return plan, run(experiment, plan, process)


def main(experiment: Experiment, argv: Sequence[str] | None = None) -> int:
  """Runs an experiment from the command line and returns its exit code."""
  try:
    _, failures = launch(experiment, sys.argv[1:] if argv is None else argv)
    return 1 if failures else 0
  except (UsageError, store.ResultsError) as error:
    print(f"{experiment.name}: {error}", file=sys.stderr)
    return 2
  except KeyboardInterrupt as stop:
    print(f"\n{experiment.name}: stopped; what is done is kept, run it again to go on.", file=sys.stderr)
    return 143 if isinstance(stop, signals.Terminated) else 130
