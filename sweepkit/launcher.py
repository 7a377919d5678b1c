"""One launch: the blocks that are planned, stored and computed, and the points that failed."""

from collections.abc import Iterator, Mapping, Sequence
import dataclasses
from typing import Any

import numpy as np

from sweepkit import points as grid
from sweepkit import store
from sweepkit.code.identity import Codes
from sweepkit.execution import blocks, devices, sharing, tracking
from sweepkit.execution.progress import progress, say
from sweepkit.execution.renewal import Renewal
from sweepkit.experiment import Experiment as Experiment
from sweepkit.measure import RunMeasure
from sweepkit.plan import Plan
from sweepkit.points import Point, label
from sweepkit.provenance import provenance
from sweepkit.settings import traced_names
from sweepkit.store import attributes, damage, files
from sweepkit.store.inventory import Inventory
from sweepkit.words import count, number


@dataclasses.dataclass
class Tally:
  """Number of points of a launch that are stored, skipped or failed so far, and of blocks that failed."""

  skipped: int
  stored: int = 0
  nonfinite: int = 0
  failed: int = 0
  failures: int = 0


class Launch:
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
    self._codes = Codes(self.measure)
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
    code = Renewal(self._codes.of, self.inventory.in_force(), self.plan.keeps_other_code)
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

  def outcomes(
    self, code: Renewal, todo: Sequence[list[Point]], queue: Iterator[list[Point]]
  ) -> Iterator[blocks.Outcome]:
    """Computes the blocks of a queue."""
    if isinstance(self.measure, RunMeasure):
      follow = tracking.Tracker(self.plan.track, self.experiment.name).follow if self.plan.track else blocks.unfollowed
      seconds = self.plan.checkpoint_seconds
      return blocks.kept(self.measure, self.plan.out, seconds, queue, code.block_name, follow)
    return blocks.swept(self.measure, self.plan.chunk, todo, queue, self._codes.with_files)

  def compute(self, code: Renewal, todo: Sequence[list[Point]], work: sharing.Work) -> bool:
    """Computes and stores blocks. Returns False if too many failed."""
    described = {
      "provenance": provenance(self.experiment, self.plan, self.process),
      "attributes": attributes.of(self.measure),
      "axes": attributes.axes_of(self.measure),
    }
    with progress(sum(map(len, todo)), "point") as advance:

      def announced() -> Iterator[list[Point]]:
        for points in sharing.shared_out(work, todo):
          advance(0, f"{self.experiment.name} {label(points[0])}")
          yield points

      for points, arrays, error, effort in self.outcomes(code, todo, announced()):
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
