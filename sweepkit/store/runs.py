"""Runs that keep files: whether the journals and checkpoints of a folder are intact."""

from pathlib import Path
from typing import NamedTuple

from sweepkit.store import files, journal, manifests


class RunReport(NamedTuple):
  """What is wrong with the folder of a run, and whether the run can go on from what is intact."""

  problems: list[str]
  can_go_on: bool


def check_run(folder: Path) -> RunReport:
  """Checks the journals and checkpoints of a run that nobody is writing.

  Raises:
    CheckpointError: if a checkpoint is of another schema.
    ResultsError: if a link leads out of the folder.
  """
  names = [folder / "metrics.jsonl", folder / "dynamics.jsonl", folder / "checkpoints"]
  for path in names:
    files.check_inside(path, folder)
  (steps, wrong), (watched, wrong_dynamics) = (journal.inspect(path) for path in names[:2])
  intact, problems = manifests.inspect(names[2])
  # What is torn off the metrics comes after the checkpoint and is written again; what is torn off the dynamics may not.
  can_go_on = bool(
    (intact or not problems) and (steps or not wrong) and (not wrong_dynamics or (watched and not intact))
  )
  problems += [problem for problem in (wrong, wrong_dynamics) if problem]
  if intact and intact[0] > 0 and intact[0] not in steps:
    problems.append(f"{names[0]} has no row for step {intact[0]}, at which its checkpoint is.")
    can_go_on = False
  return RunReport(problems, can_go_on)
