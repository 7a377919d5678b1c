"""What a launch does about damage: it finds it before the sweep, computes it anew, and removes what is left of it afterwards.

A block whose files are altered is not done. Nor is one whose run is damaged: it goes on from an intact checkpoint, or is
trained anew if no checkpoint or not every row is intact. Numbers come from the points alone, so they end up the same.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from sweepkit.store import files, locks
from sweepkit import store, verify
from sweepkit.points import Point, content_hash


def before(
  folder: Path, blocks: Sequence[Sequence[Point]], keeps_files: bool
) -> tuple[dict[str, store.Version], list[str]]:
  """The points that are stored intact, by hash, and a sentence for all that is damaged.

  What dead processes were writing is removed. Runs in use are left alone.

  Args:
    folder: of an experiment.
    blocks: those of this sweep.
    keeps_files: whether its blocks have runs.

  Raises:
    ResultsError: if the folder holds another schema.
  """
  for place in (folder, folder / "runs"):
    files.remove_leftovers(files.check_inside(place, folder))
  stored, problems = store.stored_points(folder)
  if keeps_files:
    problems += _mend_stored_runs(folder, blocks, stored)
  return stored, problems


def _mend_stored_runs(folder: Path, blocks: Sequence[Sequence[Point]], stored: dict[str, store.Version]) -> list[str]:
  """Takes the points of stored blocks whose runs are damaged from `stored`; a sentence for each problem."""
  planned = {content_hash(point) for block in blocks for point in block}
  names = {store.block_name(block) for block in blocks}
  said = []
  for path in store.block_paths(folder):
    run = folder / "runs" / path.stem
    try:
      hashes = {content_hash(point) for point in store.read_meta(path)["points"]}
    except files.ResultsError:
      continue  # told already, and not done
    if not run.is_dir() or not hashes & planned or locks.is_in_use(files.check_inside(run, folder)):
      continue
    with locks.lock(run):
      report = verify.check_run(run)
      if not report.problems:
        continue
      said += report.problems
      for point in hashes:
        stored.pop(point, None)
      # The block goes first: one that is there counts as done as soon as its run is intact, however short.
      if path.stem not in names or not report.can_go_on:
        store.remove_block(path)
        files.remove_folder(run)
  return said


def remove_runs_that_cannot_go_on(folder: Path, names: Iterable[str]) -> list[str]:
  """Removes damaged runs of these names, which a sweep would go on with; a sentence for each problem."""
  said = []
  for name in names:
    run = folder / "runs" / name
    if run.is_dir() and not locks.is_in_use(files.check_inside(run, folder)):
      with locks.lock(run):
        report = verify.check_run(run)
        if not report.can_go_on:
          said += report.problems
          files.remove_folder(run)
  return said


def remove_superseded(folder: Path) -> None:
  """Removes blocks of which every point was measured again by other code, with their runs."""
  stored, _ = store.stored_points(folder)
  in_force = {version.path for version in stored.values()}
  for path in store.block_paths(folder):
    try:
      meta = store.read_meta(path)
    except files.ResultsError:
      continue
    revisions = [stored[point].revision for point in map(content_hash, meta["points"]) if point in stored]
    if path in in_force or len(revisions) < len(meta["points"]) or min(revisions) <= meta.get("revision", 0):
      continue
    run = files.check_inside(folder / "runs" / path.stem, folder)
    if run.is_dir() and locks.is_in_use(run):
      continue
    store.remove_block(path)  # first, as in `_mend_stored_runs`
    if run.is_dir():
      files.remove_folder(run)


def after(folder: Path, planned: Sequence[Point]) -> list[str]:
  """Removes damaged blocks once all they may have held is stored intact, and returns a sentence for each.

  Of a block with an intact JSON that is its points; of another nobody knows, and it goes when all `planned` points are there.

  Raises:
    SchemaError: if the folder holds another schema.
  """
  done, _ = store.done_points(folder)
  said = []
  for path in store.block_paths(folder):
    points = planned
    try:
      points = store.read_meta(path)["points"]
      store.read_block(path)
    except files.ResultsError:
      if all(content_hash(point) in done for point in points):
        store.remove_block(path)
        said.append(f"{path} was damaged and is removed: all points that this sweep covers are stored intact.")
  return said
