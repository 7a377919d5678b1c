"""Runs the jobs of a study, one after the other.

    python -m studies                                             the names of all studies
    python -m studies learning --out=results/learning             runs studies/learning.txt
    python -m studies learning --out=results/learning --dry_run   prints its commands

Checks every job first. A training job runs in --shards processes that share its points. Stops at the first job that fails, with
its exit code. Run it again to continue: stored points are not computed again.
"""

from collections.abc import Mapping, Sequence
import os
import shlex
import signal
import sys
from typing import Any

from absl import flags

from studies import jobs, processes
from sweepkit import terminal

# Training runs on small nets leave most of a machine idle, so each shard gets one core instead of all of them.
ONE_CORE = "--xla_cpu_multi_thread_eigen=false"


def _end(signum: int, frame: Any) -> None:
  """Raises for SIGTERM what Ctrl-C raises, so that all processes end."""
  raise KeyboardInterrupt


def _parse(argv: Sequence[str]) -> tuple[list[str], flags.FlagValues]:
  """Names of studies, and the flags."""
  values = flags.FlagValues()
  flags.DEFINE_string("out", "results", "Folder of all results.", flag_values=values)
  flags.DEFINE_integer("shards", 2, "Processes per training job.", lower_bound=1, flag_values=values)
  flags.DEFINE_boolean("dry_run", False, "Print the commands, and run nothing.", flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  names = values(["studies", *argv])[1:]
  return names, values


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Runs studies by name. Returns an exit code: 2 if a job cannot run, that of the first job that failed, or 130 after Ctrl-C."""
  environment = dict(os.environ)  # as it is before an experiment is imported, which may change XLA_FLAGS
  try:
    names, values = _parse(sys.argv[1:] if argv is None else argv)
    if values.help or not names:
      print(f"{__doc__.strip()}\n\nStudies: {', '.join(jobs.names())}\n{values.main_module_help()}")
      return 0
    planned = [job for name in names for job in jobs.read(name)]
    jobs.check(planned, values.out)
    return _run_all(planned, values, environment)
  except (flags.Error, jobs.StudyError) as error:
    print(f"studies: {error}", file=sys.stderr)
    return 2
  except KeyboardInterrupt:
    return 130


def _run_all(planned: Sequence[jobs.Job], values: flags.FlagValues, environment: Mapping[str, str]) -> int:
  """Runs jobs up to the first that fails. Returns its exit code, or 0."""
  for job in planned:
    if code := _run(job, values, environment):
      print(f"studies: {job.place} ended with exit code {code}; the jobs after it were not run.", file=sys.stderr)
      return code
  return 0


def _run(job: jobs.Job, values: flags.FlagValues, environment: Mapping[str, str]) -> int:
  """Prints the commands of a job and runs them side by side."""
  commands = list(jobs.commands(job, values.out, values.shards))
  variables = {}
  if jobs.trains(job):
    variables["XLA_FLAGS"] = f"{environment.get('XLA_FLAGS', '')} {ONE_CORE}".strip()
  prefix = "".join(f"{name}={shlex.quote(value)} " for name, value in variables.items())
  for command in commands:
    print(f"{prefix}python {shlex.join(command)}", flush=True)
  if values.dry_run:
    return 0
  return processes.run([[sys.executable, *command] for command in commands], {**environment, **variables})


if __name__ == "__main__":
  signal.signal(signal.SIGTERM, _end)
  if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
  sys.exit(main())
