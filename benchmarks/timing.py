"""Times contenders in turns.

Each contender has its own process, so that its thread pools, imports and settings do not disturb the others. When all programs
are compiled, every round gives each contender one turn, in a new random order, so that other load on the machine affects all of
them equally. A turn begins with an untimed run. Idle contenders are paused with SIGSTOP, because their spinning threads would
otherwise keep using the CPU.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import importlib.util
import json
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import time
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from benchmarks.estimates import estimate

# The lab; a peer written in JAX; another peer; another way of the lab; a limit of the machine; a source of numbers to check
# against, which runs once and is not timed.
KINDS = ("lab", "jax", "peer", "own", "limit", "reference")
ROOT = Path(__file__).parent.parent
PAUSE = 0.03  # seconds between turns
TURN = 0.3  # seconds of timed runs per turn, if one run takes less
# With threads of LAPACK and XLA on the same cores, a QR of 128 columns takes a hundred times longer.
ONE_DEVICE = {"JAX_PLATFORMS": "cpu", "OPENBLAS_NUM_THREADS": "1"}


class BenchmarkError(ValueError):
  """A benchmark that cannot be measured, or whose numbers must not be compared."""


class Contender(NamedTuple):
  """A program to be timed.

  Attributes:
    name: its name in the table.
    build: `module:function`. The worker calls it with `arguments`; it returns a `worker.Prepared`.
    arguments: plain data.
    kind: one of `KINDS`.
    needs: modules that must be installed; it is left out otherwise.
    environment: environment variables of its process.
    process: name of its process. Contenders with the same name share one; by default each has its own.
  """

  name: str
  build: str
  arguments: Mapping[str, Any]
  kind: str
  needs: tuple[str, ...] = ()
  environment: Mapping[str, str] = MappingProxyType({})
  process: str = ""


class Worker:
  """A process that runs contenders, as its parent sees it."""

  def __init__(self, more: Mapping[str, str]) -> None:
    environment = {**ONE_DEVICE, **os.environ, **more}
    command, pipe = [sys.executable, "-m", "benchmarks.worker"], subprocess.PIPE
    self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environment)
    assert self.process.stdin is not None
    assert self.process.stdout is not None
    self.requests, self.replies = self.process.stdin, self.process.stdout

  def send(self, **request: Any) -> None:
    """Sends a request. If the process has ended, `receive` raises."""
    with contextlib.suppress(BrokenPipeError):
      print(json.dumps(request), file=self.requests, flush=True)

  def receive(self, about: str) -> dict[str, Any]:
    """Returns the reply to the oldest open request.

    Raises:
      BenchmarkError: if the request failed or the process ended; names the contender `about`.
    """
    line = self.replies.readline()
    reply = json.loads(line) if line else {"error": f"the process ended with code {self.process.wait()}"}
    if "error" in reply:
      raise BenchmarkError(f"{about}: {reply['error']}")
    return reply

  def stop(self) -> None:
    """Pauses the process until its next turn."""
    self.process.send_signal(signal.SIGSTOP)

  def run(self, name: str, untimed: int, timed: int) -> list[float]:
    """Gives a contender its turn. Returns the seconds of each timed run."""
    self.process.send_signal(signal.SIGCONT)
    self.send(run=name, untimed=untimed, timed=timed)
    seconds = self.receive(name)["seconds"]
    self.stop()
    return seconds

  def peak(self, name: str) -> int:
    """Peak memory of the process in bytes."""
    self.process.send_signal(signal.SIGCONT)
    self.send(peak=True)
    return self.receive(name)["bytes"]

  def close(self) -> None:
    """Ends the process, which exits when it has read all requests."""
    self.process.send_signal(signal.SIGCONT)
    with contextlib.suppress(BrokenPipeError):
      self.requests.close()
    self.replies.close()
    self.process.wait()


@contextlib.contextmanager
def workers(contenders: Sequence[Contender]) -> Iterator[dict[str, Worker]]:
  """Starts the worker of every contender, by the contender's name. Ends them when the `with` ends."""
  by_process: dict[str, Worker] = {}
  with contextlib.ExitStack() as stack:
    for name, environment in {c.process or c.name: c.environment for c in reversed(contenders)}.items():
      by_process[name] = Worker(environment)
      stack.callback(by_process[name].close)
    yield {c.name: by_process[c.process or c.name] for c in contenders}


def missing(contender: Contender) -> str:
  """Returns the reason why a contender cannot run here, or ""."""
  absent = [name for name in contender.needs if importlib.util.find_spec(name) is None]
  return f"{', '.join(absent)} is not installed" if absent else ""


def summary(rounds: Sequence[Sequence[float]]) -> dict[str, Any]:
  """Returns the median and quartiles of all runs, and the runs with six digits."""
  middle, low, high = estimate(np.concatenate(rounds))
  kept = [[float(f"{value:.6g}") for value in times] for times in rounds]
  return {"median": middle, "low": low, "high": high, "rounds": kept}


class _Turn(NamedTuple):
  """Runs of a contender per turn, and the seconds of one run."""

  untimed: int
  timed: int
  run: float

  @property
  def seconds(self) -> float:
    """Expected time of a turn."""
    return (self.timed + self.untimed) * self.run + PAUSE


def _plan_turn(worker: Worker, name: str, typical: float) -> _Turn:
  """Plans the turns of a contender whose first run, with compilation, took `typical` seconds. Then pauses its process."""
  if typical < 30:
    (typical,) = worker.run(name, untimed=int(typical < 15), timed=1)
  return _Turn(untimed=int(typical < 2), timed=int(np.clip(TURN / typical, 1, 20)), run=typical)


def _load(present: Sequence[Contender], worker: Mapping[str, Worker]) -> dict[str, dict[str, Any]]:
  """Imports and compiles all contenders side by side, since nothing is timed yet, and pauses their processes."""
  for c in present:
    worker[c.name].send(load=c.name, build=c.build, arguments=dict(c.arguments))
  loaded = {c.name: worker[c.name].receive(c.name) for c in present}
  for c in present:
    worker[c.name].stop()
  return loaded


def measure(
  contenders: Sequence[Contender],
  *,
  rounds: int,
  budget: float = 60.0,
  note: Callable[[str], None] = lambda text: None,
) -> dict[str, dict[str, Any]]:
  """Times contenders in turns.

  Args:
    contenders: programs with different names.
    rounds: number of rounds. There are fewer if they would take more than `budget`, but at least min(rounds, 3).
    budget: seconds for all rounds.
    note: called with a line of progress.

  Returns:
    By name: `kind`, and either `skipped` (the reason) or the following. `median`, `low`, `high` (quartiles) and `rounds` (all
    runs) are in seconds; `facts` come from the contender; `peak_bytes` is the peak memory of its process. A reference has `facts`
    alone.

  Raises:
    BenchmarkError: if a contender fails.
  """
  results: dict[str, dict[str, Any]] = {c.name: {"kind": c.kind} for c in contenders}
  for name, reason in ((c.name, reason) for c in contenders if (reason := missing(c))):
    results[name]["skipped"] = reason
    note(f"  {name}: left out, {reason}")
  present = [c for c in contenders if "skipped" not in results[c.name]]
  order = random.Random(0)
  with workers(present) as worker:
    loaded, turns = _load(present, worker), dict[str, _Turn]()
    for name, reply in loaded.items():
      results[name]["facts"] = reply["facts"]
    timed = [c for c in present if c.kind != "reference"]
    for name in (c.name for c in timed):
      turns[name] = _plan_turn(worker[name], name, loaded[name]["seconds"])
      note(f"  {name}: about {1000 * turns[name].run:.3g} ms")
    rounds = min(rounds, max(3, int(budget / max(sum(turn.seconds for turn in turns.values()), PAUSE))))
    times: dict[str, list[list[float]]] = {name: [] for name in turns}
    for c in (c for _ in range(rounds) for c in order.sample(timed, len(timed))):
      time.sleep(PAUSE)
      times[c.name].append(worker[c.name].run(c.name, turns[c.name].untimed, turns[c.name].timed))
    for name in turns:
      results[name] |= summary(times[name]) | {"peak_bytes": worker[name].peak(name)}
  return results
