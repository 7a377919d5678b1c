"""A process that runs contenders on request.

It reads one JSON request per line from its standard input and replies with one line of JSON:

    {"load": name, "build": "module:function", "arguments": {...}} -> {"seconds": until the end of its first run, "facts": {...}}
    {"run": name, "untimed": m, "timed": n}                        -> {"seconds": [n numbers]}
    {"peak": true}                                                 -> {"bytes": its peak memory so far}

The reply to a request that fails is {"error": reason}. All other output of the libraries goes to standard error.
"""

from collections.abc import Callable, Mapping
import ctypes
import importlib
import json
import os
from pathlib import Path
import re
import signal
import sys
import time
from typing import Any, NamedTuple


class Prepared(NamedTuple):
  """A contender that is ready to run.

  Attributes:
    run: does the work once, waits until it is done, and returns the result.
    facts: turns the result into plain data. Numbers under `check` must agree between contenders. `flops` and `bytes` are the
      least that one run needs.
  """

  run: Callable[[], Any]
  facts: Callable[[Any], Mapping[str, Any]]


def seconds(run: Callable[[], Any]) -> float:
  """Time of one run."""
  started = time.perf_counter()
  run()
  return time.perf_counter() - started


def peak_bytes() -> int:
  """Largest resident set of this process so far.

  `getrusage` would not do: a new process inherits its value from its parent.
  """
  found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
  return 1024 * int(found[1]) if found else 0


def answer(request: Mapping[str, Any], loaded: dict[str, Prepared]) -> dict[str, Any]:
  """Carries out a request and returns the reply."""
  if "load" in request:
    module, function = request["build"].split(":")
    started = time.perf_counter()
    prepared = getattr(importlib.import_module(module), function)(**request["arguments"])
    loaded[request["load"]] = prepared
    result = prepared.run()
    return {"seconds": time.perf_counter() - started, "facts": dict(prepared.facts(result))}
  if "run" in request:
    run = loaded[request["run"]].run
    for _ in range(request["untimed"]):
      run()
    return {"seconds": [seconds(run) for _ in range(request["timed"])]}
  return {"bytes": peak_bytes()}


def end_with_parent() -> None:
  """Asks Linux to kill this process when its parent ends. If it is paused then, it could not end by itself."""
  if sys.platform == "linux":
    parent_death_signal = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)


def main() -> None:
  """Replies to requests until standard input ends."""
  end_with_parent()
  loaded: dict[str, Prepared] = {}
  with os.fdopen(os.dup(1), "w") as replies:
    os.dup2(2, 1)
    for line in sys.stdin:
      print(json.dumps(_reply(line, loaded)), file=replies, flush=True)


def _reply(line: str, loaded: dict[str, Prepared]) -> dict[str, Any]:
  try:
    return answer(json.loads(line), loaded)
  except Exception as error:
    return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
  main()
