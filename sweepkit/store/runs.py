"""Runs that keep files: whether the journals and checkpoints of a folder are intact."""

from pathlib import Path
from typing import NamedTuple

from sweepkit.store import files, journal, manifests


class RunReport(NamedTuple):
  """Problems in the folder of a run, and whether the run can resume from its intact files."""

  problems: list[str]
  can_go_on: bool


def check_run(folder: Path) -> RunReport:
  """Checks the journals and checkpoints of a run that no process is writing.

  Raises:
    CheckpointError: if a checkpoint is of another schema.
    ResultsError: if a link leads out of the folder.
  """
  names = [folder / "metrics.jsonl", folder / "dynamics.jsonl", folder / "checkpoints"]
  for path in names:
    files.check_inside(path, folder)
  (steps, wrong), (watched, wrong_dynamics) = (journal.inspect(path) for path in names[:2])
  intact, problems = manifests.inspect(names[2])
  # Rows that are torn off the metrics come after the checkpoint and are written again; those of the dynamics may not be.
  can_go_on = bool(
    (intact or not problems) and (steps or not wrong) and (not wrong_dynamics or (watched and not intact))
  )
  problems += [problem for problem in (wrong, wrong_dynamics) if problem]
  if intact and intact[0] > 0 and intact[0] not in steps:
    problems.append(f"{names[0]} has no row for step {intact[0]}, at which its checkpoint is.")
    can_go_on = False
  return RunReport(problems, can_go_on)
