"""How the lab's own cost grows along one size at a time.

python -m benchmarks.scaling --works=bptt --along=hidden

All sizes of a case run in turns in one process.
"""

from collections.abc import Mapping, Sequence
import sys
from typing import Any

from benchmarks import command
from benchmarks.problem import Shape
from benchmarks.timing import Contender

# The work -> where each size starts when another grows, and the values it grows through.
BASE: Mapping[str, Mapping[str, int]] = {
  "bptt": {"hidden": 128, "steps": 100, "points": 32},
  "products": {"hidden": 64, "steps": 100, "points": 4},
  "spectra": {"hidden": 32, "steps": 100, "points": 4},
}
VALUES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
  "bptt": {
    "hidden": (32, 64, 128, 256, 512),
    "steps": (25, 50, 100, 200, 400, 800),
    "points": (1, 4, 16, 64, 256),
  },
  "products": {"hidden": (16, 32, 64, 128, 256), "steps": (25, 50, 100, 200, 400), "points": (1, 4, 16, 64)},
  "spectra": {"hidden": (16, 32, 64, 128), "steps": (25, 50, 100, 200, 400), "points": (1, 4, 16, 64)},
}


def contender(work: str, along: str, value: int) -> Contender:
  """One size of one work; `points` is the batch of BPTT, and of the others so many nets."""
  size = {**BASE[work], along: value}
  arguments: dict[str, Any]
  if work == "bptt":
    build = "benchmarks.peers.lab:make"
    arguments = {"cell": "lstm", "shape": Shape(size["points"], size["steps"], 64, size["hidden"])}
  elif work == "products":
    build, arguments = "benchmarks.products:lab", {"cell": "rnn", "norm": "spectral", **size}
  else:
    build, arguments = "benchmarks.spectra:lab", {"cell": "rnn", **size}
  # How many devices there are is settled once in a process, and batches that the cores do not divide take one.
  return Contender(str(value), build, arguments, "lab", process="" if work == "bptt" else "lab")


def case(works: str, along: str) -> command.Case:
  """One work along one size; nothing is compared, so nothing is checked."""
  base = {name: size for name, size in BASE[works].items() if name != along}
  contenders = [contender(works, along, value) for value in VALUES[works][along]]
  return command.Case(f"{works}-{along}", {"work": works, "along": along, **base}, contenders, tolerance=None)


BENCHMARK = command.Benchmark(
  "scaling",
  "How the lab's cost grows with the hidden size, with time and with how many sequences or nets run at once.",
  {"works": command.one_of(*BASE), "along": command.one_of("hidden", "steps", "points")},
  case,
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs it from the command line and returns an exit code."""
  return command.main(BENCHMARK, argv)


if __name__ == "__main__":
  sys.exit(main())
