"""Contenders measured in turns.

Each lives in a process of its own, so that thread pools, imports and settings of one do not disturb another. After everything
is compiled and warm, every round asks all of them in a new random order, so that whatever else the machine does falls on all
alike. A process is stopped while it is not its turn, so that threads which wait by spinning take nothing from the others, and a
turn begins with an untimed run.
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

KINDS = (
  "lab",
  "jax",
  "peer",
  "own",
  "limit",
)  # the lab; a peer on JAX; another peer; another way of the lab; the machine
ROOT = Path(__file__).parent.parent
PAUSE = 0.03  # seconds
TURN = 0.3  # seconds of timed runs that a turn aims at
ONE_DEVICE = {"JAX_PLATFORMS": "cpu", "OPENBLAS_NUM_THREADS": "1"}  # for the second see experiments/__init__.py


class BenchmarkError(ValueError):
  """What cannot be measured, or must not be compared."""


class Contender(NamedTuple):
  """Something to be timed.

  Attributes:
    name: as the table shows it.
    build: `module:function`; called in the worker with `arguments`, it returns a `worker.Prepared`.
    arguments: plain data.
    kind: one of `KINDS`.
    needs: modules without which it is left out.
    environment: variables of its process.
    process: contenders that name the same process share it; by default each has its own.
  """

  name: str
  build: str
  arguments: Mapping[str, Any]
  kind: str
  needs: tuple[str, ...] = ()
  environment: Mapping[str, str] = MappingProxyType({})
  process: str = ""


class Worker:
  """The parent's end of one process."""

  def __init__(self, more: Mapping[str, str]) -> None:
    environment = {**ONE_DEVICE, **os.environ, **more}
    command, pipe = [sys.executable, "-m", "benchmarks.worker"], subprocess.PIPE
    self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environment)
    assert self.process.stdin is not None
    assert self.process.stdout is not None
    self.requests, self.replies = self.process.stdin, self.process.stdout

  def send(self, **request: Any) -> None:
    with contextlib.suppress(BrokenPipeError):  # the answer will be missing
      print(json.dumps(request), file=self.requests, flush=True)

  def receive(self, about: str) -> dict[str, Any]:
    """The answer to the oldest request that has none yet; raises `BenchmarkError` about the contender if it failed."""
    line = self.replies.readline()
    reply = json.loads(line) if line else {"error": f"the process ended with code {self.process.wait()}"}
    if "error" in reply:
      raise BenchmarkError(f"{about}: {reply['error']}")
    return reply

  def stop(self) -> None:
    self.process.send_signal(signal.SIGSTOP)

  def run(self, name: str, untimed: int, timed: int) -> list[float]:
    """Wakes the process for its turn; the seconds of each timed run."""
    self.process.send_signal(signal.SIGCONT)
    self.send(run=name, untimed=untimed, timed=timed)
    seconds = self.receive(name)["seconds"]
    self.stop()
    return seconds

  def peak(self, name: str) -> int:
    self.process.send_signal(signal.SIGCONT)
    self.send(peak=True)
    return self.receive(name)["bytes"]

  def close(self) -> None:
    self.process.send_signal(signal.SIGCONT)
    with contextlib.suppress(BrokenPipeError):
      self.requests.close()  # the worker reads to the end and leaves
    self.replies.close()
    self.process.wait()


@contextlib.contextmanager
def workers(contenders: Sequence[Contender]) -> Iterator[dict[str, Worker]]:
  """A worker for every contender by its name, alive within the block."""
  by_process: dict[str, Worker] = {}
  try:
    for c in contenders:
      if (name := c.process or c.name) not in by_process:
        by_process[name] = Worker(c.environment)
    yield {c.name: by_process[c.process or c.name] for c in contenders}
  finally:
    for worker in by_process.values():
      worker.close()


def missing(contender: Contender) -> str:
  """Why it cannot run here, or nothing."""
  absent = [name for name in contender.needs if importlib.util.find_spec(name) is None]
  return f"{', '.join(absent)} is not installed" if absent else ""


def summary(rounds: Sequence[Sequence[float]]) -> dict[str, Any]:
  """Median and quartiles of all runs, beside the runs themselves."""
  middle, low, high = estimate(np.concatenate(rounds))
  kept = [[float(f"{value:.6g}") for value in times] for times in rounds]
  return {"median": middle, "low": low, "high": high, "rounds": kept}


def measure(
  contenders: Sequence[Contender],
  *,
  rounds: int,
  budget: float = 60.0,
  note: Callable[[str], None] = lambda text: None,
) -> dict[str, dict[str, Any]]:
  """Times contenders in turns.

  Args:
    contenders: with names that differ.
    rounds: in how many rounds; fewer, but at least 3 where as many are asked for, if they would take more than `budget`.
    budget: seconds that the rounds may take.
    note: is told what happens.

  Returns:
    By name: `kind`, and `skipped` (why) or `median`, `low`, `high` (quartiles) and `rounds` (all runs) in seconds, `facts`,
    and `peak_bytes` of its process.

  Raises:
    BenchmarkError: if a contender fails.
  """
  results: dict[str, dict[str, Any]] = {c.name: {"kind": c.kind} for c in contenders}
  for contender in contenders:
    if reason := missing(contender):
      results[contender.name]["skipped"] = reason
      note(f"  {contender.name}: left out, {reason}")
  present = [c for c in contenders if "skipped" not in results[c.name]]
  order = random.Random(0)
  with workers(present) as worker:
    timed: dict[str, int] = {}
    untimed: dict[str, int] = {}
    spent = 0.0
    for c in present:  # imports and compilation may go on side by side, since nothing is timed yet
      worker[c.name].send(load=c.name, build=c.build, arguments=dict(c.arguments))
    loaded = {c.name: worker[c.name].receive(c.name) for c in present}
    for c in present:
      worker[c.name].stop()
    for c in present:
      results[c.name]["facts"] = loaded[c.name]["facts"]
      typical = loaded[c.name]["seconds"]
      if typical < 30:
        (typical,) = worker[c.name].run(c.name, untimed=int(typical < 15), timed=1)
      timed[c.name], untimed[c.name] = int(np.clip(TURN / typical, 1, 20)), int(typical < 2)
      spent += (timed[c.name] + untimed[c.name]) * typical + PAUSE
      note(f"  {c.name}: about {1000 * typical:.3g} ms")
    rounds = min(rounds, max(3, int(budget / max(spent, PAUSE))))
    times: dict[str, list[list[float]]] = {c.name: [] for c in present}
    for _ in range(rounds):
      for c in order.sample(present, len(present)):
        time.sleep(PAUSE)
        times[c.name].append(worker[c.name].run(c.name, untimed[c.name], timed[c.name]))
    for c in present:
      results[c.name] |= summary(times[c.name]) | {"peak_bytes": worker[c.name].peak(c.name)}
  return results
