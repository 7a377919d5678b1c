"""The launcher that all experiments share: a plan in, blocks of points computed, files out, a summary at the end.

A point is skipped when it is stored intact, and left to another launcher that is computing it.
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import dataclasses
import inspect
from pathlib import Path
import platform
import subprocess
import sys
import time
from typing import Any

import jax
import numpy as np

from sweepkit import points as grid
from sweepkit import store, summary, terminal
from sweepkit.code.identity import Codes
from sweepkit.execution import blocks, devices, sharing, signals
from sweepkit.execution.progress import progress, say
from sweepkit.execution.renewal import Renewal
from sweepkit.experiment import Experiment as Experiment
from sweepkit.measure import RunMeasure
from sweepkit.options import UsageError
from sweepkit.plan import Plan, describe, parse
from sweepkit.points import Point, label
from sweepkit.settings import traced_names
from sweepkit.store import attributes, damage, files
from sweepkit.store.inventory import Inventory
from sweepkit.words import count, number


def _git_commit(experiment: Experiment) -> str | None:
  """The commit of the repository that holds the measure's code, if there is one."""
  try:
    root = Path(inspect.getfile(experiment.measure.run)).parent
    result = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
  except (OSError, TypeError, subprocess.CalledProcessError):
    return None
  return result.stdout.strip()


def _provenance(experiment: Experiment, plan: Plan, process: tuple[int, int]) -> dict[str, Any]:
  return {
    "command": plan.kept_command,
    "planned": {
      "axes": {name: list(values) for name, values in plan.axes.items()},
      "seeds": len({point["seed"] for point in plan.points}),
      "x64": plan.points[0]["x64"],
    },
    "git_commit": _git_commit(experiment),
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
  """Number of points of a launch that are stored, skipped or failed so far, and of blocks that failed."""

  skipped: int
  stored: int = 0
  nonfinite: int = 0
  failed: int = 0
  failures: int = 0


class _Launch:
  """One launch of an experiment: its plan, the inventory of what is stored, and the tally of its points."""

  def __init__(self, experiment: Experiment, plan: Plan, process: tuple[int, int]) -> None:
    self.experiment, self.plan, self.process = experiment, plan, process
    self.measure = experiment.measure
    self.traced = traced_names(self.measure.settings)
    self.inventory: Inventory = plan.inventory
    tile = 1 if isinstance(self.measure, RunMeasure) else devices.TILE
    self.of_shard = grid.blocks(plan.points, plan.chunk, self.traced, tile)[plan.shard[0] :: plan.shard[1]]
    self.mine = self.of_shard[process[0] :: process[1]]
    self.tally = Tally(skipped=0)
    self._coords: dict[Point, dict[str, list[Any]]] = {}  # tracing labels takes as long as computing a few points

  def repair(self) -> list[str]:
    """Reads the folder, removes leftovers of dead processes, and returns a sentence for each damaged file."""
    for place in (self.plan.out, self.plan.out / "runs"):
      files.remove_leftovers(files.check_inside(place, self.plan.out))
    self.inventory.look()
    problems = self.inventory.problems
    if isinstance(self.measure, RunMeasure):
      problems += damage.damaged_runs(self.inventory, self.mine)
    return problems

  def select(self) -> tuple[Renewal, list[list[Point]]]:
    """Returns the code of this launch beside that of what is stored, and the points of each block that are to be computed."""
    code = Renewal(Codes(self.measure).of, self.inventory.in_force(), self.plan.keeps_other_code)
    code.report(self.mine)
    todo = [missing for block in self.mine if (missing := list(filter(code.is_missing, block)))]
    return code, todo

  def prepare_runs(self, code: Renewal, todo: Sequence[list[Point]]) -> list[str]:
    """Removes runs that cannot resume, and prints the remarks of the measure. Returns a sentence for each removed run."""
    if not isinstance(self.measure, RunMeasure):
      return []
    removed = damage.remove_runs_that_cannot_go_on(self.plan.out, map(code.block_name, todo))
    stored = self.inventory.points() if todo else []
    for remark in self.measure.remarks([point for block in todo for point in block], stored):
      say(remark)
    return removed

  def outcomes(self, code: Renewal, queue: Iterator[list[Point]]) -> Iterator[blocks.Outcome]:
    """Computes the blocks of a queue."""
    if isinstance(self.measure, RunMeasure):
      return blocks.kept(self.measure, self.plan.out, self.plan.checkpoint_seconds, queue, code.block_name)
    return blocks.swept(self.measure, self.plan.chunk, queue)

  def compute(self, code: Renewal, todo: Sequence[list[Point]], work: sharing.Work) -> bool:
    """Computes and stores blocks. Returns False if too many failed."""
    described = {
      "provenance": _provenance(self.experiment, self.plan, self.process),
      "attributes": attributes.of(self.measure),
      "axes": attributes.axes_of(self.measure),
    }
    with progress(sum(map(len, todo)), "point") as advance:

      def announced() -> Iterator[list[Point]]:
        for points in sharing.shared_out(work, todo):
          advance(0, f"{self.experiment.name} {label(points[0])}")
          yield points

      for points, arrays, error, effort in self.outcomes(code, announced()):
        if error:
          sharing.release(work, points)
          if self._is_one_failure_too_many(points, error):
            return False
          continue
        self._store(points, arrays, effort, code, described)
        sharing.release(work, points)
        advance(len(points))
    return True

  def _store(
    self,
    points: list[Point],
    arrays: dict[str, np.ndarray],
    effort: Mapping[str, Any],
    code: Renewal,
    described: Mapping[str, Any],
  ) -> None:
    """Stores the arrays of a block with its status, its labels and what describes it."""
    arrays["status"] = blocks.status(self.measure, arrays)
    static = grid.static_part(points[0], self.traced)
    if static not in self._coords:
      self._coords[static] = self.measure.coords(static)
    facts = {**described, "provenance": described["provenance"] | effort, **code.of_block(points)}
    block = store.Block(points, arrays, self.measure.dims, self._coords[static], **facts)
    self.inventory.add(store.write_block(self.plan.out, block), block)
    self.tally.nonfinite += int(np.sum(arrays["status"] == store.STATUS.index("nonfinite")))
    self.tally.stored += len(points)

  def _is_one_failure_too_many(self, points: Sequence[Point], error: Exception) -> bool:
    tally, most = self.tally, self.plan.max_failures
    tally.failures, tally.failed = tally.failures + 1, tally.failed + len(points)
    say(f"{label(points[0])}: {count(len(points), 'point')} failed: {error}")
    if tally.failures > most:
      say(f"Stopping: more than --max_failures={most} blocks failed.")
    return tally.failures > most

  def stopped(self, points: int) -> str:
    """Says what is kept when a launch is stopped, and how to resume it."""
    plan = self.plan
    kept = f"Kept in {plan.out}: {number(self.tally.skipped + self.tally.stored)} of {count(points, 'point')}"
    runs = ", and runs in training as of their last logged update" if (plan.out / "runs").is_dir() else ""
    again = plan.command if self.experiment.has_command else "launch the same again; stored points are skipped."
    return f"stopped. {kept}{runs}.\nTo go on: {again}"

  def close(self, problems: Sequence[str]) -> None:
    """Removes blocks that were superseded or damaged, and writes the index of several processes."""
    self.inventory.look()
    damage.remove_superseded(self.inventory)
    if problems and not self.tally.failures:
      for removed in damage.remove_repaired(self.inventory, self.plan.points):
        say(removed)
    if self.plan.hosts and self.process[0] == 0:
      sharing.write_index(self.inventory, self.experiment.name, self.plan.shard, self.of_shard, self.process[1])


def run(experiment: Experiment, plan: Plan, process: tuple[int, int] = (0, 1)) -> int:
  """Computes what is missing and returns the number of blocks that failed.

  Args:
    experiment: the experiment.
    plan: what the flags ask for.
    process: (i, n): process i of n computes every n-th block of the plan's shard.

  Raises:
    store.ResultsError: if the folder holds results of another schema.
    signals.Stopped: if a signal asked to stop, after printing what is kept.
  """
  launch = _Launch(experiment, plan, process)
  if plan.dry_run:
    print(describe(experiment, plan, launch.mine))
    return 0
  problems = launch.repair()
  code, todo = launch.select()
  problems += launch.prepare_runs(code, todo)
  for problem in problems:
    say(f"{problem} Its points in this sweep are computed again now.")
  total, to_do, tally = sum(map(len, launch.mine)), sum(map(len, todo)), launch.tally
  tally.skipped = total - to_do
  say(
    f"{experiment.name}: {count(to_do, 'point')} to compute, {number(tally.skipped)} already done -> {plan.out}, "
    f"on {devices.described()}"
  )
  done = {point for block in launch.mine for point in block if not code.is_missing(point)}
  with sharing.at_work(launch.inventory, done, code.counts) as work:
    try:
      is_complete = launch.compute(code, todo, work)
    except signals.Stopped:
      say(f"{experiment.name}: {launch.stopped(total)}")
      raise
    if is_complete and (left := to_do - tally.stored - tally.failed):
      say(f"Left to other launchers at work in {plan.out}: {count(left, 'point')}.")
  launch.close(problems)
  if tally.nonfinite:
    say(f"Not finite, and stored with that status: {count(tally.nonfinite, 'point')}.")
  print(summary.after(experiment, launch.inventory, plan.points, tally.skipped, tally.failed))
  return tally.failures


@contextlib.contextmanager
def _configured(**settings: Any) -> Iterator[None]:
  """Configures JAX for a while, in all threads, unlike JAX's own context managers."""
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
    signals.Stopped: if a signal asks to stop; results so far are kept.
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
    plan.inventory.look()
    print(summary.table(experiment, plan.inventory))
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
