"""Reads job lists and checks them before anything runs.

A job list holds one job per line: a module and its flags, as they follow `python -m`. A line that starts with # says which
question the next job answers. A line `include NAME` stands for the jobs of another list.
"""

from collections.abc import Iterator
import importlib
from pathlib import Path
import shlex
from typing import NamedTuple

from sweepkit import Experiment, UsageError, plan

FOLDER = Path(__file__).parent


class StudyError(ValueError):
  """A study that cannot be run. The message names the file, the line and what is allowed."""


class Job(NamedTuple):
  """One line of a job list.

  Attributes:
    module: the experiment, such as "experiments.adding".
    flags: its flags.
    place: the file and line that asks for it.
  """

  module: str
  flags: tuple[str, ...]
  place: str


def names() -> list[str]:
  """Names of all studies."""
  return sorted(path.stem for path in FOLDER.glob("*.txt"))


def read(name: str, inside: tuple[str, ...] = ()) -> list[Job]:
  """Returns the jobs of a study in the order in which they run.

  Args:
    name: the study, without ".txt".
    inside: the studies that include this one.

  Raises:
    StudyError: if there is no such study, it includes itself, or a line cannot be split into words.
  """
  if name not in names():
    raise StudyError(f"{name!r} is not a study; the studies are {', '.join(names())}.")
  if name in inside:
    raise StudyError(f"{name}.txt includes itself.")
  jobs = []
  for number, line in enumerate((FOLDER / f"{name}.txt").read_text().splitlines(), 1):
    place = f"{name}.txt:{number}"
    words = _words(line, place)
    if words[:1] == ["include"] and len(words) == 2:
      jobs += read(words[1], (*inside, name))
    elif words:
      jobs.append(Job(words[0], tuple(words[1:]), place))
  return jobs


def _words(line: str, place: str) -> list[str]:
  try:
    return shlex.split(line, comments=True)
  except ValueError as error:
    raise StudyError(f"{place}: {line!r} cannot be split into words ({error}).") from None


def experiment_of(job: Job) -> Experiment:
  """Returns the experiment that a job runs.

  Raises:
    StudyError: if its module is not an experiment.
  """
  try:
    found = getattr(importlib.import_module(job.module), "EXPERIMENT", None)
  except ModuleNotFoundError as error:
    if not f"{job.module}.".startswith(f"{error.name}."):
      raise
    found = None
  if not isinstance(found, Experiment):
    raise StudyError(f"{job.place}: {job.module!r} is not an experiment; python -m experiments --list names all.")
  return found


def check(jobs: list[Job], out: str) -> None:
  """Checks the flags of every job.

  Raises:
    StudyError: for the first job that could not run.
  """
  for job in jobs:
    try:
      plan.parse(experiment_of(job), [*job.flags, f"--out={out}"])
    except UsageError as error:
      raise StudyError(f"{job.place}: {error}") from None


def commands(job: Job, out: str, shards: int) -> Iterator[tuple[str, ...]]:
  """The arguments of `python` for the processes that share a job: one each if the job trains nets, otherwise one."""
  count = shards if trains(job) else 1
  for shard in range(count):
    share = [f"--shard={shard}/{count}"] if count > 1 else []
    yield ("-m", job.module, *job.flags, *share, f"--out={out}")


def trains(job: Job) -> bool:
  """Returns True if a job trains nets."""
  return "updates" in experiment_of(job).measure.settings
