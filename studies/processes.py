"""Processes that share a job: started together, and ended together."""

from collections.abc import Mapping, Sequence
import subprocess
import time


def run(commands: Sequence[Sequence[str]], environment: Mapping[str, str], seconds: float = 0.1) -> int:
  """Runs commands side by side until all have succeeded or one has failed; then ends the others.

  An exception, such as KeyboardInterrupt, ends all of them too. A second Ctrl-C kills those that are still storing results,
  which loses no stored result.

  Args:
    commands: a program and its arguments each.
    environment: environment variables of all of them.
    seconds: time between two looks at the processes.

  Returns:
    0, or the exit code of the first process that failed; 128 + n if signal n ended it.
  """
  started: list[subprocess.Popen] = []
  try:
    for command in commands:
      started.append(subprocess.Popen(command, env=dict(environment)))
    while True:
      codes = [process.poll() for process in started]
      if failed := [code for code in codes if code]:
        return failed[0] if failed[0] > 0 else 128 - failed[0]
      if None not in codes:
        return 0
      time.sleep(seconds)
  finally:
    _end(started)


def _end(processes: Sequence[subprocess.Popen]) -> None:
  """Sends SIGTERM to the processes that still run, and waits for them."""
  try:
    for process in processes:
      process.terminate()
    for process in processes:
      process.wait()
  except KeyboardInterrupt:
    for process in processes:
      process.kill()
      process.wait()
    raise
