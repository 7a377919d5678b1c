"""The launcher that all experiments share: a plan in, blocks of points computed, files out.

A point is skipped when it is stored intact. Points that share a program are computed together, `--chunk` at a time; a
block is always padded to the size of its group, so that each group compiles once.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
import platform
import subprocess
import sys
import time
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from experiments import grid, mend, signals, store
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
  traced = grid.traced_names(measure.settings)
  all_blocks = grid.blocks(plan.points, plan.chunk, traced)
  mine = all_blocks[plan.shard[0] :: plan.shard[1]]
  if plan.dry_run:
    print(describe(experiment, plan, mine))
    return 0
  done, problems = mend.before(plan.out, mine, measure.keeps_files)
  for problem in problems:
    print(f"{problem} What this sweep covers of it is made anew now.", file=sys.stderr)
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
      signals.stop_if_asked()
      static = grid.static_part(block[0], traced)
      progress.set_description(f"{experiment.name} {static['cell']}")
      begin = time.perf_counter()
      try:
        if measure.keeps_files:
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
  for problem in mend.after(plan.out, plan.points) if problems and not failures else []:
    print(problem, file=sys.stderr)
  if nonfinite:
    print(f"{nonfinite} points are not finite; they are stored with that status.", file=sys.stderr)
  return failures


def main(experiment: Experiment, argv: Sequence[str] | None = None) -> int:
  """Runs an experiment from the command line and returns its exit code."""
  try:
    with signals.listening():
      plan = parse(experiment, sys.argv[1:] if argv is None else argv)
      jax.config.update("jax_enable_x64", bool(plan.points[0]["x64"]))
      # On GPU and TPU the default precision of products would be the largest error of every measurement.
      jax.config.update("jax_default_matmul_precision", "highest")
      return 1 if run(experiment, plan) else 0
  except (UsageError, store.ResultsError) as error:
    print(f"{experiment.name}: {error}", file=sys.stderr)
    return 2
  except KeyboardInterrupt as stop:
    print(f"\n{experiment.name}: stopped; what is done is kept, run it again to go on.", file=sys.stderr)
    return 143 if isinstance(stop, signals.Terminated) else 130
