"""Repair: damaged blocks and runs are found before a sweep, computed again by it, and removed once that is done.

A block whose files are altered does not count as done. Nor does a block whose run is damaged: the run resumes from an intact
checkpoint, or starts again if no checkpoint is intact or a row of its journal is missing. Numbers come from the points alone, so
they end up the same.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from sweepkit.points import Point
from sweepkit.store import files, locks
from sweepkit.store.blocks import block_name
from sweepkit.store.inventory import Inventory
from sweepkit.store.runs import check_run


def damaged_runs(inventory: Inventory, planned: Sequence[Sequence[Point]]) -> list[str]:
  """Takes stored blocks of this sweep whose runs are damaged out of the inventory; returns a sentence for each problem.

  A run that can resume keeps its block on disk until it is written again. Another run is removed with its block. Runs in use are
  left alone.
  """
  points = {point for block in planned for point in block}
  names = {block_name(block) for block in planned}
  said = []
  for path, entry in list(inventory.entries.items()):
    run = inventory.folder / "runs" / path.stem
    if (
      not run.is_dir() or points.isdisjoint(entry.points) or locks.is_in_use(files.check_inside(run, inventory.folder))
    ):
      continue
    with locks.lock(run):
      report = check_run(run)
      if not report.problems:
        continue
      said += report.problems
      # The block goes first: a block that is there counts as done as soon as its run is intact, however short.
      if path.stem not in names or not report.can_go_on:
        inventory.remove(path)
        files.remove_folder(run)
      else:
        inventory.set_aside(path, report.problems[0])
  return said


def remove_runs_that_cannot_go_on(folder: Path, names: Iterable[str]) -> list[str]:
  """Removes damaged runs of these names, from which a sweep would resume; returns a sentence for each problem."""
  said = []
  for name in names:
    run = folder / "runs" / name
    if run.is_dir() and not locks.is_in_use(files.check_inside(run, folder)):
      with locks.lock(run):
        report = check_run(run)
        if not report.can_go_on:
          said += report.problems
          files.remove_folder(run)
  return said


def remove_superseded(inventory: Inventory) -> None:
  """Removes blocks of which every point was measured again by other code, with their runs."""
  in_force = inventory.in_force()
  paths = {entry.path for entry in in_force.values()}
  for path, entry in list(inventory.entries.items()):
    if path in paths or min(in_force[point].revision for point in entry.points) <= entry.revision:
      continue
    run = files.check_inside(inventory.folder / "runs" / path.stem, inventory.folder)
    if run.is_dir() and locks.is_in_use(run):
      continue
    inventory.remove(path)  # first, as in `damaged_runs`
    if run.is_dir():
      files.remove_folder(run)


def remove_repaired(inventory: Inventory, planned: Sequence[Point]) -> list[str]:
  """Removes damaged blocks once all they may have held is stored intact, and returns a sentence for each.

  If the JSON of a block is intact, it names the points. Otherwise they are unknown, and the block goes when all `planned` points
  are stored.
  """
  done = inventory.in_force()
  said = []
  for path, damage in list(inventory.damaged.items()):
    points = planned if damage.points is None else damage.points
    if path in inventory and path.exists() and all(point in done for point in points):
      inventory.remove(path)
      said.append(f"{path} was damaged and is removed: all points that this sweep covers are stored intact.")
  return said
