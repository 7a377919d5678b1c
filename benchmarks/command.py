"""What all benchmarks share: flags, one file of numbers a case, and the order in which cases are measured.

A benchmark is a function from the values of its axes to a case, the contenders that do one piece of work. Every case is written
to `<out>/<benchmark>-<case>.json` as soon as it is measured; measured again, it replaces what was there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
import itertools
import json
import math
from pathlib import Path
import shlex
import sys
from typing import Any, NamedTuple

from absl import flags

from benchmarks import limits, machine
from benchmarks.timing import BenchmarkError, Contender, measure
from sweepkit import terminal
from sweepkit.store import write_atomically
from sweepkit.store.files import ResultsError, check_path

SCHEMA = 1
RESULTS = "docs/performance"


class Axis(NamedTuple):
  """A flag that takes a list: the texts it has by default, what turns one into a value, and what is allowed."""

  default: Sequence[str]
  parse: Callable[[str], Any]  # raises ValueError
  allowed: str


class Case(NamedTuple):
  """One piece of work.

  Attributes:
    name: of its file.
    settings: plain data, for the table.
    contenders: who does it; the first is the one whose numbers the others are checked against.
    tolerance: by which relative error numbers under `check` may differ; None where they belong to different work.
    absolute: by which absolute error they may differ anyway.
  """

  name: str
  settings: Mapping[str, Any]
  contenders: Sequence[Contender]
  tolerance: float | None = 1e-3
  absolute: float = 0.0


class Benchmark(NamedTuple):
  name: str
  doc: str
  axes: Mapping[str, Axis]
  case: Callable[..., Case]  # called with a value of every axis, by name


def one_of(*allowed: str) -> Axis:
  """An axis of names, all by default."""

  def parse(text: str) -> str:
    if text not in allowed:
      raise ValueError(text)
    return text

  return Axis(allowed, parse, f"any of {', '.join(allowed)}")


def integers(*default: int) -> Axis:
  """An axis of sizes."""

  def parse(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
      raise ValueError(text)
    return int(text)

  return Axis([str(size) for size in default], parse, "integers from 1 on")


def check(case: Case, results: Mapping[str, Mapping[str, Any]]) -> None:
  """Raises `BenchmarkError` unless all contenders that give a number under `check` give the same."""
  if case.tolerance is None:
    return
  told = {name: result["facts"]["check"] for name, result in results.items() if "check" in result.get("facts", {})}
  for name, numbers in told.items():
    for what, reference in next(iter(told.values())).items():
      if what in numbers and not math.isclose(numbers[what], reference, rel_tol=case.tolerance, abs_tol=case.absolute):
        raise BenchmarkError(
          f"{case.name}: {what} is {numbers[what]:.7g} by {name}, but {reference:.7g} by {next(iter(told))}."
        )


def keep(
  out: Path,
  benchmark: str,
  case: str,
  settings: Mapping[str, Any],
  command: str,
  contenders: Mapping[str, Any],
  **more: Any,
) -> Path:
  """Writes what was measured, and with what, to the file of its case."""
  result = {
    "schema": SCHEMA,
    "benchmark": benchmark,
    "case": case,
    "settings": dict(settings),
    "command": command,
    "machine": machine.describe(),
    "contenders": contenders,
    **more,
  }
  out.mkdir(parents=True, exist_ok=True)
  path = out / f"{benchmark}-{case}.json"
  write_atomically(path, (json.dumps(result, indent=1) + "\n").encode())
  return path


def command_line(benchmark: str, argv: Sequence[str]) -> str:
  """What was typed, but for the folder of the numbers: `--out=FOLDER`, or `--out FOLDER`."""
  words = [word for i, word in enumerate(argv) if not (word.startswith("--out") or (i and argv[i - 1] == "--out"))]
  return shlex.join(["python", "-m", f"benchmarks.{benchmark}", *words])


def run(
  benchmark: str, case: Case, out: Path, command: str, rounds: int, budget: float, note: Callable[[str], None]
) -> Path:
  """Measures a case beside the machine's limits, checks it and writes its file."""
  note(f"{benchmark} {case.name}")
  contenders = measure([*case.contenders, *limits.CONTENDERS], rounds=rounds, budget=budget, note=note)
  check(case, contenders)
  path = keep(out, benchmark, case.name, case.settings, command, contenders)
  for name, timed in sorted(contenders.items(), key=lambda item: item[1].get("median", math.inf)):
    if "median" in timed:
      note(f"  {1000 * timed['median']:9.3f} ms  ({1000 * timed['low']:.3f} to {1000 * timed['high']:.3f})  {name}")
  return path


def _parse(benchmark: Benchmark, argv: Sequence[str]) -> tuple[list[Case], dict[str, Any]]:
  values = flags.FlagValues()
  for name, axis in benchmark.axes.items():
    flags.DEFINE_list(name, list(axis.default), f"A list: {axis.allowed}.", flag_values=values)
  flags.DEFINE_list("contenders", [], "Only these; all by default.", flag_values=values)
  flags.DEFINE_integer("rounds", 11, "Turns of every contender.", lower_bound=1, flag_values=values)
  flags.DEFINE_float(
    "budget",
    30,
    "Seconds of turns a case; with too few for all rounds there are less, at least 3.",
    0,
    flag_values=values,
  )
  flags.DEFINE_string("out", RESULTS, "Folder for the numbers.", flag_values=values)
  flags.DEFINE_bool("dry_run", False, "Print the cases and stop.", flag_values=values)
  flags.DEFINE_bool("help", False, "Show this.", short_name="h", flag_values=values)
  rest = values([benchmark.name, *argv])[1:]
  given = values.flag_values_dict()
  if given["help"]:
    raise SystemExit(f"{benchmark.doc}\n{values.get_help()}")
  if rest:
    raise BenchmarkError(f"{rest[0]!r} is not a flag; see --help.")
  chosen = {name: [_value(name, axis, text) for text in given[name]] for name, axis in benchmark.axes.items()}
  if empty := [name for name, wanted in chosen.items() if not wanted]:
    raise BenchmarkError(f"--{empty[0]} is empty; it takes {benchmark.axes[empty[0]].allowed}.")
  cases = [benchmark.case(**dict(zip(chosen, point, strict=True))) for point in itertools.product(*chosen.values())]
  return [_only(case, given["contenders"]) for case in cases], given


def _value(name: str, axis: Axis, text: str) -> Any:
  try:
    return axis.parse(text)
  except ValueError:
    raise BenchmarkError(f"--{name} has {text!r}; it takes {axis.allowed}.") from None


def _only(case: Case, names: Iterable[str]) -> Case:
  known = [c.name for c in case.contenders]
  if unknown := [name for name in names if name not in known]:
    raise BenchmarkError(f"--contenders has {unknown[0]!r}; the case {case.name} has {', '.join(known)}.")
  return case._replace(contenders=[c for c in case.contenders if not names or c.name in names])


@terminal.command()
def main(benchmark: Benchmark, argv: Sequence[str] | None = None) -> int:
  """Measures what the command line asks for and returns an exit code."""
  argv = sys.argv[1:] if argv is None else argv
  note = lambda text: print(text, file=sys.stderr, flush=True)
  command = command_line(benchmark.name, argv)
  try:
    cases, given = _parse(benchmark, argv)
    if given["dry_run"]:
      for case in cases:
        print(f"{case.name}: {', '.join(c.name for c in case.contenders)}")
      return 0
    out = Path(check_path(given["out"]))
    for case in cases:
      print(run(benchmark.name, case, out, command, given["rounds"], given["budget"], note))
  except (flags.Error, BenchmarkError, ResultsError) as error:
    print(f"{benchmark.name}: {error}", file=sys.stderr)
    return 2
  return 0
