"""Times the lab as one size at a time grows.

python -m benchmarks.scaling --works=bptt --along=hidden

All sizes of a case take turns.
"""

from collections.abc import Mapping, Sequence
import sys
from typing import Any

from benchmarks import command
from benchmarks.problem import Shape
from benchmarks.timing import Contender

# Work -> the value of each size while another size grows, and the values through which it grows itself.
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
  """Returns the contender of one size of a work. `points` is the batch of BPTT, and the number of nets of other works."""
  size = {**BASE[work], along: value}
  arguments: dict[str, Any]
  if work == "bptt":
    build = "benchmarks.peers.lab:make"
    arguments = {"cell": "lstm", "shape": Shape(size["points"], size["steps"], 64, size["hidden"])}
  elif work == "products":
    build, arguments = "benchmarks.products:lab", {"cell": "rnn", "norm": "spectral", **size}
  else:
    size["directions"] = size.pop("hidden")
    build, arguments = "benchmarks.spectra:lab", {"cell": "rnn", "gain": 1.0, **size}
  # The number of devices is fixed once per process, and batches that do not divide by the cores use one. So each size of BPTT has
  # its own process.
  return Contender(str(value), build, arguments, "lab", process="" if work == "bptt" else "lab")


def case(works: str, along: str) -> command.Case:
  """Returns the case of a work along one size. Its contenders do different work, so their numbers are not compared."""
  base = {name: size for name, size in BASE[works].items() if name != along}
  contenders = [contender(works, along, value) for value in VALUES[works][along]]
  return command.Case(f"{works}-{along}", {"work": works, "along": along, **base}, contenders, tolerance=None)


BENCHMARK = command.Benchmark(
  "scaling",
  "The lab's time as the hidden size, the number of steps, or the number of sequences or nets grows.",
  {"works": command.one_of(*BASE), "along": command.one_of("hidden", "steps", "points")},
  case,
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  return command.main(BENCHMARK, argv)


if __name__ == "__main__":
  sys.exit(main())
