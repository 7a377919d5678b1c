"""Times the gradient through a long sequence in little memory: `unroll(segment=)` beside plain BPTT, each with its peak memory.

python -m benchmarks.long --steps=100000 --hidden=256
"""

from collections.abc import Sequence
import math
import sys

from benchmarks import command
from benchmarks.problem import Shape
from benchmarks.timing import Contender

INPUTS = 16


def case(cells: str, hidden: int, steps: int) -> command.Case:
  """Returns the case of one sequence of one net, in segments of √T steps."""
  arguments = {"cell": cells, "shape": Shape(1, steps, INPUTS, hidden)}
  make = lambda name, kind, **more: Contender(name, "benchmarks.peers.lab:make_unroll", arguments | more, kind)
  segment = math.isqrt(steps)
  contenders = [make("lab, in segments", "lab", segment=segment), make("lab, plain", "own")]
  settings = {"cell": cells, "hidden": hidden, "steps": steps, "segment": segment}
  return command.Case(f"{cells}-{hidden}x{steps}", settings, contenders, tolerance=1e-2)


BENCHMARK = command.Benchmark(
  "long",
  "The gradient through a long sequence, in segments and without.",
  {
    "cells": command.one_of("lstm", "gru", "rnn")._replace(default=["lstm", "rnn"]),
    "hidden": command.integers(256),
    "steps": command.integers(100_000),
  },
  case,
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  return command.main(BENCHMARK, argv)


if __name__ == "__main__":
  sys.exit(main())
