"""Checks every file of a results folder: blocks, journals and checkpoints.

    python -m sweepkit.verify --out=results

Prints one sentence per problem and a count. Exits with 0 if everything is intact and with 1 otherwise. Nothing is changed: the
next launch of an experiment computes its damaged points again.
"""

from collections.abc import Iterator, Sequence
import json
import os
from pathlib import Path
import sys
from typing import NamedTuple

from absl import flags

from sweepkit import store, terminal
from sweepkit.points import content_hash
from sweepkit.store import files, locks, places
from sweepkit.store.blocks import BLOCK_FILE
from sweepkit.store.runs import check_run


class Report(NamedTuple):
  """Number of files that were read, a sentence for each problem, and one for each run that is in use and was left out."""

  checked: int
  problems: list[str]
  skipped: list[str]


def check_block(path: Path) -> store.Block:
  """Reads and checks the block of this JSON.

  Raises:
    ResultsError: if it is missing, altered, of another schema, or not under the name that its points give it.
  """
  block = store.read_block(path)
  if path.stem != (name := store.block_name(block.points, block.revision)):
    raise files.ResultsError(f"{path} holds the block {name}; rename or remove it.")
  return block


def experiment_folders(out: Path) -> Iterator[Path]:
  """All folders at or below `out` that hold blocks or runs; symbolic links are not followed."""
  for parent, folders, names in os.walk(out):
    folders[:] = sorted(name for name in folders if name not in ("runs", "index") and not name.startswith("."))
    if (Path(parent) / "runs").is_dir() or any(name.endswith((".json", ".npz")) for name in names):
      yield Path(parent)


def check_index(path: Path) -> None:
  """Checks the index of a launch of several processes.

  Raises:
    ResultsError: if it cannot be read or is altered.
  """
  try:
    index = json.loads(path.read_bytes())
    is_intact = index.pop("sha256") == content_hash(index)
  except (OSError, ValueError, KeyError, TypeError, AttributeError):
    is_intact = False
  if not is_intact:
    raise files.ResultsError(f"{path} is truncated or altered; remove it, or launch the same again.")


def foreign(folder: Path) -> list[str]:
  """A sentence for every JSON and NPZ in the folder of an experiment that does not bear the name of a block."""
  named = (path for path in sorted(folder.iterdir()) if path.suffix in (".json", ".npz") and path.is_file())
  return [
    f"{path} does not bear the name of a block and is not read; rename or remove it."
    for path in named
    if not path.name.startswith(".") and not BLOCK_FILE.fullmatch(path.name)
  ]


def run_folders(folder: Path) -> list[Path]:
  return sorted(path for path in (folder / "runs").glob("*") if path.is_dir() and not path.name.startswith("."))


def refused(out: Path) -> list[str]:
  """A sentence for every file and folder below `out` whose name is not allowed, or that is a link out of there."""
  said = []
  for parent, folders, names in os.walk(out):
    for name in sorted([*folders, *names]):
      try:
        files.check_name(name)
        files.check_inside(Path(parent) / name, out)
      except files.ResultsError as error:
        said.append(str(error))
  return said


def check(out: Path) -> Report:
  """Checks all results below `out`."""
  checked, problems, skipped = 0, refused(out), []
  for folder in experiment_folders(out):
    problems += foreign(folder)
    for path in sorted((folder / "index").glob("*.json")):
      checked += 1
      try:
        check_index(path)
      except files.ResultsError as error:
        problems.append(str(error))
    for path in store.block_paths(folder):
      checked += 1 + path.with_suffix(".npz").exists()
      try:
        check_block(path)
      except files.ResultsError as error:
        problems.append(str(error))
    for run in run_folders(folder):
      if locks.is_in_use(run):
        skipped.append(f"{run} is in use and is not checked.")
        continue
      checked += sum(path.is_file() and path.name != ".lock" for path in run.rglob("*"))
      try:
        problems += check_run(run).problems
      except files.ResultsError as error:
        problems.append(str(error))
  return Report(checked, problems, skipped)


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Checks from the command line and returns the exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("out", "results", "Folder of all results.", flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  try:
    rest = values(["verify", *(sys.argv[1:] if argv is None else argv)])[1:]
    if values.help:
      print(f"{__doc__}{values.get_help()}")
      return 0
    out = Path(files.check_path(values.out))
    if rest:
      like = places.as_flag(rest[0], "out") or "the flag is --out=results"
      raise files.ResultsError(f"{rest[0]!r} is not a flag; {like}.")
    if not out.is_dir():
      raise files.ResultsError(f"{values.out!r} is not a folder; give one with --out=results.")
  except (flags.Error, files.ResultsError) as error:
    print(f"verify: {error}", file=sys.stderr)
    return 2
  report = check(out)
  print(
    "\n".join([*report.problems, *report.skipped, f"{report.checked} files checked, {len(report.problems)} problems."])
  )
  return 1 if report.problems else 0


if __name__ == "__main__":
  sys.exit(main())
