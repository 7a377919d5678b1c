"""Joins results folders into one: blocks with their runs, each checked before it is copied.

    python -m sweepkit.merge results-a results-b --out=results

An intact block is never replaced. A block whose points are there already is skipped if the numbers are equal, and refused by
name otherwise. A damaged block is reported and left out. So merging again changes nothing, and completes a merge that was killed.
Exits with 0 if everything is joined, with 1 if something was left out, and with 2 if a folder cannot be used.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
import shutil
import sys

from absl import flags
import numpy as np

from sweepkit import store, terminal, verify
from sweepkit.points import Point
from sweepkit.store import files, locks, manifests
from sweepkit.store.runs import check_run


def _points(block: store.Block) -> Iterator[tuple[Point, dict[str, bytes]]]:
  """Every point of a block, and its arrays' bytes."""
  for i, point in enumerate(block.points):
    yield point, {name: np.ascontiguousarray(array[i]).tobytes() for name, array in block.arrays.items()}


def _stored(folder: Path) -> dict[Point, Path]:
  """Point -> the JSON of the intact block that holds it. A damaged block is replaced if an intact one comes."""
  inventory = store.Inventory(folder)
  inventory.look()
  return {point: entry.path for point, entry in inventory.in_force().items()}


def _is_there(path: Path, block: store.Block, stored: dict[Point, Path]) -> bool:
  """Returns True if all points of the block at `path` are stored, with the same numbers.

  Raises:
    ResultsError: if a point is stored with other numbers.
  """
  known = dict(_points(block))
  others = {stored[point] for point in known if point in stored}
  for other in sorted(others):
    if any(point in known and arrays != known[point] for point, arrays in _points(store.read_block(other))):
      raise files.ResultsError(f"{path} holds other numbers than {other} for the same points; it is left out.")
  return all(point in stored for point in known)


def _newest(run: Path) -> int:
  """The step of the newest intact checkpoint of a run that is intact; -1 if it is not, or is not there."""
  if not run.is_dir() or check_run(run).problems:
    return -1
  return max(manifests.inspect(run / "checkpoints")[0], default=0)


def _copy_run(run: Path, target: Path) -> None:
  """Copies an intact run, unless what is there is intact and as far.

  Raises:
    ResultsError: if the run is damaged or in use.
  """
  if locks.is_in_use(run) or locks.is_in_use(target):
    raise files.ResultsError(f"{run} or {target} is in use; merge again when it is not.")
  if problems := check_run(run).problems:
    raise files.ResultsError(f"{run} is left out: {' '.join(problems)}")
  if _newest(target) >= _newest(run):
    return
  copy = files.temporary(target)
  with files.writing(target):
    try:
      shutil.copytree(run, copy, ignore=shutil.ignore_patterns(".lock", ".*.tmp"))
      if check_run(copy).problems:
        raise files.ResultsError(f"{run} came out damaged in {target.parent}; merge again.")
      if target.exists():
        files.remove_folder(target)
      copy.rename(target)
    finally:
      shutil.rmtree(copy, ignore_errors=True)


def _copy_block(path: Path, target: Path) -> None:
  """Copies the files of a block byte for byte, its JSON last, and reads them back."""
  for suffix in (".npz", ".json"):
    files.write_atomically((target / path.name).with_suffix(suffix), path.with_suffix(suffix).read_bytes())
  verify.check_block(target / path.name)


def merge_folder(source: Path, target: Path) -> tuple[int, int, list[str]]:
  """Joins the blocks and runs of one experiment's folder into another: how many were copied, how many were there, and a
  sentence for each that was left out.

  Raises:
    SchemaError: if the target is of another schema.
    ResultsError: if the target cannot be written.
  """
  runs = target / "runs"
  with files.writing(target):
    (runs if (source / "runs").is_dir() else target).mkdir(parents=True, exist_ok=True)
  for place in (target, runs):
    files.remove_leftovers(place)
  stored, said, copied, there = _stored(target), [], 0, 0
  with_block = set()
  for path in store.block_paths(source):
    with_block.add(path.stem)
    try:
      block = verify.check_block(path)
      is_there = _is_there(path, block, stored)
      run = source / "runs" / path.stem
      # The run first: a block that is there has its run.
      if run.is_dir() and (not is_there or (target / path.name).exists()):
        _copy_run(run, runs / path.stem)
      if is_there:
        there += 1
        continue
      _copy_block(path, target)
      stored |= dict.fromkeys(block.points, target / path.name)
      copied += 1
    except files.ResultsError as error:
      said.append(str(error))
  for run in verify.run_folders(source):  # runs that are not over
    try:
      if run.name not in with_block:
        _copy_run(run, runs / run.name)
    except files.ResultsError as error:
      said.append(str(error))
  return copied, there, said


def merge(sources: Sequence[Path], out: Path) -> tuple[int, int, list[str]]:
  """Joins results folders into `out`; counts and sentences as those of `merge_folder`.

  Raises:
    ResultsError: if a source has no results, is `out` or holds it, or a name leads out of its folder; nothing is copied then.
  """
  pairs = []
  for source in sources:
    if not source.is_dir() or source.resolve() in (out.resolve(), *out.resolve().parents):
      raise files.ResultsError(f"{str(source)!r} is not a folder to merge from; give folders that do not hold {out}.")
    folders = list(verify.experiment_folders(source))
    if refused := verify.refused(source):
      raise files.ResultsError(refused[0])
    if not folders:
      raise files.ResultsError(f"{source} holds no results.")
    for folder in folders:
      parts = folder.relative_to(source).parts or (folder.resolve().name,)  # a single experiment keeps its name
      files.check_inside(out.joinpath(*parts, "runs"), out)
      pairs.append((folder, out.joinpath(*parts)))
  done = [merge_folder(folder, target) for folder, target in pairs]
  copied, there, said = zip(*done, strict=True)
  return sum(copied), sum(there), [sentence for sentences in said for sentence in sentences]


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Merges from the command line and returns the exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("out", None, "Folder that the others are joined into.", flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  try:
    sources = values(["merge", *(sys.argv[1:] if argv is None else argv)])[1:]
    if values.help:
      print(f"{__doc__}{values.get_help()}")
      return 0
    if not sources or values.out is None:
      raise files.ResultsError(
        "give the folders to merge and the one to merge into: results-a results-b --out=results."
      )
    copied, there, said = merge([Path(files.check_path(name)) for name in sources], Path(files.check_path(values.out)))
  except (flags.Error, files.ResultsError) as error:
    print(f"merge: {error}", file=sys.stderr)
    return 2
  print("\n".join([*said, f"{copied} blocks copied, {there} there already, {len(said)} left out."]))
  return 1 if said else 0


if __name__ == "__main__":
  sys.exit(main())
