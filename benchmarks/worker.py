"""A process that does what contenders do, when it is told to.

It reads one JSON request a line from its standard input and answers with one line of JSON:

    {"load": name, "build": "module:function", "arguments": {...}} -> {"seconds": until it has run once, "facts": {...}}
    {"run": name, "untimed": m, "timed": n}                        -> {"seconds": [n numbers]}
    {"peak": true}                                                 -> {"bytes": the most memory it has held so far}

Whatever else a library prints goes to standard error, and a request that fails is answered by {"error": why}.
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
  """What a contender's `build` function returns.

  Attributes:
    run: does the work once, and returns what came of it when it is done.
    facts: turns that into plain data. Numbers under `check` must agree between contenders; `flops` and `bytes` are what one
      run cannot do without.
  """

  run: Callable[[], Any]
  facts: Callable[[Any], Mapping[str, Any]]


def seconds(run: Callable[[], Any]) -> float:
  started = time.perf_counter()
  run()
  return time.perf_counter() - started


def peak_bytes() -> int:
  """The largest resident set of this process so far.

  Not that of `getrusage`, which a new process takes over from the one that made it.
  """
  found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
  return 1024 * int(found[1]) if found else 0


def answer(request: Mapping[str, Any], loaded: dict[str, Prepared]) -> dict[str, Any]:
  """Does what one request asks for."""
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
  """Whoever is stopped when the parent is killed would otherwise stay for ever; only Linux can be asked for this."""
  if sys.platform == "linux":
    parent_death_signal = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)


def main() -> None:
  """Answers requests until there are no more."""
  end_with_parent()
  with os.fdopen(os.dup(1), "w") as answers:
    os.dup2(2, 1)
    loaded: dict[str, Prepared] = {}
    for line in sys.stdin:
      try:
        reply = answer(json.loads(line), loaded)
      except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}"}
      print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
  main()
