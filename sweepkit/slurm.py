"""Submits a sweep to Slurm as a job array, with submitit (`pip install ".[slurm]"`).

    python -m sweepkit.slurm package.chaos --array=16 --slurm_partition=cpu -- --r=3:4:200 --seeds=32

Task i of the n of `--array` runs the experiment with the flags after the lone `--` and `--shard=i/n`. `--slurm_NAME=value`
becomes the option `--NAME=value` of `sbatch`. Start it where the module can be imported, with `--out` in a folder that all nodes
see. A task that is killed loses at most the block it was computing; submitting the same command again does the rest.

`--cluster=local` runs the tasks as processes of this machine instead, and waits for them. A task receives a name and flags.
submitit writes them under `--logs`, beside the output of the tasks, in a format of its own that no result depends on.
"""

from collections.abc import Sequence
import importlib
import re
import sys
from typing import Any

from absl import flags

from sweepkit import terminal
from sweepkit.experiment import Experiment
from sweepkit.options import UsageError
from sweepkit.plan import parse
from sweepkit.store.files import ResultsError, check_path

CLUSTERS = ("slurm", "local")


def load(module: str) -> Experiment:
  """Returns the experiment of a module.

  Raises:
    UsageError: if there is no such module, or it holds no experiment.
  """
  try:
    experiment = getattr(importlib.import_module(module), "EXPERIMENT", None)
  except (ImportError, ValueError, TypeError):  # the last two for names such as a..b and .x
    experiment = None
  if not isinstance(experiment, Experiment):
    raise UsageError(f"{module!r} is not the module of an experiment, such as package.chaos.")
  return experiment


def task(module: str, arguments: Sequence[str]) -> None:
  """Runs one task of an array.

  Raises:
    RuntimeError: if the experiment ends with another code than 0, so that the job counts as failed.
  """
  from sweepkit import runner

  code = runner.main(load(module), arguments)
  if code:
    raise RuntimeError(f"{module} ended with exit code {code}.")


def shards(arguments: Sequence[str], count: int) -> list[list[str]]:
  """The flags of every task."""
  return [[*arguments, f"--shard={i}/{count}"] for i in range(count)]


def _own_flags(arguments: Sequence[str]) -> tuple[list[str], flags.FlagValues]:
  values = flags.FlagValues()
  flags.DEFINE_integer("array", None, "Number of tasks of the array; required.", lower_bound=1, flag_values=values)
  flags.DEFINE_integer("timeout_min", 60, "Time limit of a task, in minutes.", lower_bound=1, flag_values=values)
  flags.DEFINE_string(
    "logs", "results/logs", "Folder for the output of tasks, which all nodes see.", flag_values=values
  )
  flags.DEFINE_enum("cluster", "slurm", CLUSTERS, "Where the tasks run.", flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  try:
    rest = values(["slurm", *arguments])[1:]
  except flags.Error as error:
    raise UsageError(str(error)) from None
  if values.help:
    print(f"{__doc__}\n{values.get_help()}")
    raise SystemExit(0)
  return rest, values


def submit(argv: Sequence[str]) -> list[Any]:
  """Checks all flags and submits the array; returns its jobs.

  Raises:
    UsageError: for what cannot be used, before anything is submitted.
  """
  cut = argv.index("--") if "--" in argv else len(argv)
  before, after = list(argv[:cut]), list(argv[cut + 1 :])
  options = {match[1]: match[2] for text in before if (match := re.fullmatch(r"--(slurm_\w+)=(.*)", text))}
  rest, values = _own_flags([text for text in before if not re.fullmatch(r"--slurm_\w+=.*", text)])
  if len(rest) != 1:
    raise UsageError(f"{' '.join(rest)!r} is not one experiment; give its module first and its flags after a lone --.")
  if values.array is None:
    raise UsageError("--array: it is missing; give the number of tasks, such as --array=16.")
  experiment = load(rest[0])
  if any(text.startswith(("--shard", "--distributed")) for text in after):
    raise UsageError("--shard: it is given by the array; leave it out, and --distributed too.")
  parse(experiment, [*after, f"--shard=0/{values.array}"])
  try:
    import submitit
  except ImportError:
    raise UsageError('submitit is not installed; pip install ".[slurm]".') from None
  try:
    logs = check_path(values.logs)
  except ResultsError as error:
    raise UsageError(f"--logs: {error}") from None
  try:
    executor = submitit.AutoExecutor(folder=logs, cluster=values.cluster)
    executor.update_parameters(name=experiment.name, timeout_min=values.timeout_min, **options)
  except (RuntimeError, NameError, ValueError) as error:
    raise UsageError(f"submitit: {str(error).splitlines()[0]}") from None
  # Through the module, since a function of __main__ would be sent as its code.
  work = importlib.import_module("sweepkit.slurm").task
  return executor.map_array(work, [rest[0]] * values.array, shards(after, values.array))


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Submits from the command line and returns its exit code; waits for tasks that run on this machine."""
  argv = sys.argv[1:] if argv is None else argv
  try:
    jobs = submit(argv)
  except UsageError as error:
    print(f"slurm: {error}", file=sys.stderr)
    return 2
  print(f"{len(jobs)} tasks submitted: {jobs[0].job_id} … {jobs[-1].job_id}")
  if "--cluster=local" not in argv:
    return 0
  failed = [job for job in jobs if job.exception() is not None]
  for job in failed:
    print(f"Task {job.job_id} failed; see {job.paths.stderr}.", file=sys.stderr)
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
