"""The launcher that all experiments share: a plan in, blocks of points computed, files out, a summary at the end.

A point is skipped when it is stored intact, and left to another launcher that is computing it.
"""

from collections.abc import Iterator, Sequence
import contextlib
import dataclasses
from pathlib import Path
import platform
import subprocess
import sys
import time
from typing import Any

import jax
import numpy as np

from sweepkit.store import attributes, damage as mend, sharing as units
from sweepkit.execution import blocks, devices, signals
from sweepkit.code import identity as codes
from sweepkit import commands, points as grid, store, summary, terminal
from sweepkit.experiment import Experiment as Experiment
from sweepkit.points import Point
from sweepkit.plan import Plan, UsageError, describe, parse
from sweepkit.execution.progress import progress, say
from sweepkit.store.renewal import Renewal
from sweepkit.words import count, number


def _git_commit() -> str | None:
  try:
    root = Path(__file__).parent
    result = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
  except (OSError, subprocess.CalledProcessError):
    return None
  return result.stdout.strip()


def _provenance(plan: Plan, process: tuple[int, int]) -> dict[str, Any]:
  return {
    "command": plan.kept_command,
    "planned": {
      "axes": {name: list(values) for name, values in plan.axes.items()},
      "seeds": len({point["seed"] for point in plan.points}),
      "x64": plan.points[0]["x64"],
    },
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


@dataclasses.dataclass
class Tally:
  """What became of the points of a launch so far, and how many of its blocks failed."""

  skipped: int
  stored: int = 0
  nonfinite: int = 0
  failed: int = 0
  failures: int = 0


def _work_off(
  experiment: Experiment,
  plan: Plan,
  work: units.Work,
  todo: Sequence[list[Point]],
  labels: dict[str, Any],
  tally: Tally,
  code: Renewal,
) -> bool:
  """Computes and stores blocks, and whether it came to the end of them: too many failures stop it."""
  measure, traced = experiment.measure, grid.traced_names(experiment.measure.settings)
  coords: dict[str, dict[str, list[Any]]] = {}
  described = attributes.of(measure)
  with progress(sum(map(len, todo)), "point") as advance:

    def announced() -> Iterator[list[Point]]:
      for points in units.shared_out(work, todo):
        advance(0, f"{experiment.name} {points[0]['cell']}")
        yield points

    for points, arrays, error, effort in (
      blocks.kept(measure, plan.out, plan.checkpoint_seconds, announced(), code.block_name)
      if measure.keeps_files
      else blocks.swept(measure, plan.chunk, traced, announced())
    ):
      static = grid.static_part(points[0], traced)
      if error:
        tally.failures, tally.failed = tally.failures + 1, tally.failed + len(points)
        units.release(work, points)
        say(f"{static['cell']}: {count(len(points), 'point')} failed: {error}")
        if tally.failures > plan.max_failures:
          say(f"Stopping: more than --max_failures={plan.max_failures} blocks failed.")
          return False
        continue
      arrays["status"] = blocks.status(measure, arrays)
      tally.nonfinite += int(np.sum(arrays["status"] == store.STATUS.index("nonfinite")))
      group = grid.content_hash(static)
      if group not in coords:  # they are traced, which takes as long as computing a few points
        coords[group] = measure.coords(static)
      found = store.Block(points, arrays, measure.dims, coords[group], labels | effort)
      store.write_block(plan.out, found._replace(**code.of_block(points), attributes=described))
      units.release(work, points)
      tally.stored += len(points)
      advance(len(points))
  return True


def _stopped(experiment: Experiment, plan: Plan, points: int, tally: Tally) -> str:
  """What is kept when a launch is stopped, and how to go on."""
  kept = f"Kept in {plan.out}: {number(tally.skipped + tally.stored)} of {count(points, 'point')}"
  runs = ", and runs in training as of their last logged update" if (plan.out / "runs").is_dir() else ""
  again = (
    plan.command if commands.is_experiment(experiment.name) else "launch the same again; what is stored is skipped."
  )
  return f"stopped. {kept}{runs}.\nTo go on: {again}"


def run(experiment: Experiment, plan: Plan, process: tuple[int, int] = (0, 1)) -> int:
  """Computes what is missing and returns the number of blocks that failed.

  Args:
    process: which of how many this is; each takes every so many-th block of the plan's shard.

  Raises:
    store.ResultsError: if the folder holds results of another schema.
    signals.Stopped: if a signal asked to stop, after saying what is kept.
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
  stored, problems = mend.before(plan.out, mine, measure.keeps_files)
  code = Renewal(codes.Codes(measure).of, stored, plan.keeps_other_code)
  code.tell(mine)
  done = {grid.content_hash(p) for block in mine for p in block if not code.is_missing(p)}
  todo = [missing for block in mine if (missing := list(filter(code.is_missing, block)))]
  if measure.keeps_files:
    problems += mend.remove_runs_that_cannot_go_on(plan.out, map(code.block_name, todo))
  paths = sorted({version.path for version in stored.values()}) if todo and measure.keeps_files else []
  before = [point for path in paths for point in store.read_meta(path)["points"]]
  for remark in measure.remarks([point for block in todo for point in block], before):
    say(remark)
  for problem in problems:
    say(f"{problem} What this sweep covers of it is made anew now.")
  total, to_do = sum(map(len, mine)), sum(map(len, todo))
  tally = Tally(skipped=total - to_do)
  say(
    f"{experiment.name}: {count(to_do, 'point')} to compute, {number(tally.skipped)} already done -> {plan.out}, "
    f"on {devices.described()}"
  )
  with units.at_work(plan.out, done, seen, code.counts) as work:
    try:
      is_over = _work_off(experiment, plan, work, todo, _provenance(plan, process), tally, code)
    except signals.Stopped:
      say(f"{experiment.name}: {_stopped(experiment, plan, total, tally)}")
      raise
    left = to_do - tally.stored - tally.failed
    if is_over and left:
      say(f"Left to other launchers at work in {plan.out}: {count(left, 'point')}.")
  mend.remove_superseded(plan.out)
  for problem in mend.after(plan.out, plan.points) if problems and not tally.failures else []:
    say(problem)
  if plan.hosts and process[0] == 0:
    units.write_index(plan.out, experiment.name, plan.shard, of_shard, process[1])
  if tally.nonfinite:
    say(f"Not finite, and stored with that status: {count(tally.nonfinite, 'point')}.")
  print(summary.after(experiment, plan.out, plan.points, tally.skipped, tally.failed))
  return tally.failures


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
    signals.Stopped: where a signal asks for it; what is done is kept.
  """
  try:
    with signals.listening():
      return _launch(experiment, parse(experiment, argv))
  except (RuntimeError, AssertionError):
    if reason := devices.missing():
      raise UsageError(reason) from None
    raise


def _launch(experiment: Experiment, plan: Plan) -> tuple[Plan, int]:
  if plan.summary:
    print(summary.table(experiment, plan.out))
    return plan, 0
  # On GPU and TPU the default precision of products would be the largest error of every measurement.
  with _configured(jax_enable_x64=bool(plan.points[0]["x64"]), jax_default_matmul_precision="highest"):
    try:
      process = (0, 1) if plan.dry_run else devices.prepare(plan.cpu_devices, plan.hosts)
    except ValueError as error:
      raise UsageError(str(error)) from None
    return plan, run(experiment, plan, process)


@terminal.command()
def main(experiment: Experiment, argv: Sequence[str] | None = None) -> int:
  """Runs an experiment from the command line and returns its exit code."""
  try:
    _, failures = launch(experiment, sys.argv[1:] if argv is None else argv)
    return 1 if failures else 0
  except (UsageError, store.ResultsError) as error:
    print(f"{experiment.name}: {error}", file=sys.stderr)
    return 2
  except signals.Stopped as stop:
    return 128 + stop.signum
