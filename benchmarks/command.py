"""The command of every benchmark: its flags, and one file of numbers per case.

A benchmark is a function from the values of its axes to a case. A case is one piece of work and the contenders that do it. It is
written to `<out>/<benchmark>-<case>.json` as soon as it is measured, over an earlier file of that name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
import itertools
import json
import math
from pathlib import Path
import shlex
import sys
from types import MappingProxyType
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
  """A flag that takes a list.

  Attributes:
    default: its default texts.
    parse: turns a text into a value; raises `ValueError` if it cannot.
    allowed: the allowed texts, in words.
  """

  default: Sequence[str]
  parse: Callable[[str], Any]
  allowed: str


class Case(NamedTuple):
  """One piece of work.

  Attributes:
    name: part of its file name.
    settings: plain data, for the table.
    contenders: all that do the work. The numbers of the others are checked against those of the first.
    tolerance: largest allowed relative difference of numbers under `check`; None if the contenders do different work.
    absolute: absolute differences that are always allowed, by the name of the number; 0 for the others.
  """

  name: str
  settings: Mapping[str, Any]
  contenders: Sequence[Contender]
  tolerance: float | None = 1e-3
  absolute: Mapping[str, float] = MappingProxyType({})


class Benchmark(NamedTuple):
  """A benchmark.

  Attributes:
    name: its module in `benchmarks/`.
    doc: first line of its help.
    axes: its list flags, by name.
    case: a value of every axis, by name -> the case.
  """

  name: str
  doc: str
  axes: Mapping[str, Axis]
  case: Callable[..., Case]


def one_of(*allowed: str) -> Axis:
  """Returns an axis of names, with all of them by default."""

  def parse(text: str) -> str:
    if text not in allowed:
      raise ValueError(text)
    return text

  return Axis(allowed, parse, f"any of {', '.join(allowed)}")


def integers(*default: int) -> Axis:
  """Returns an axis of sizes."""

  def parse(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
      raise ValueError(text)
    return int(text)

  return Axis([str(size) for size in default], parse, "integers of at least 1")


def check(case: Case, results: Mapping[str, Mapping[str, Any]]) -> None:
  """Checks that the numbers under `check` agree between all contenders that report them.

  Raises:
    BenchmarkError: for the first number that differs.
  """
  if case.tolerance is None:
    return
  reported = {name: result["facts"]["check"] for name, result in results.items() if "check" in result.get("facts", {})}
  first, reference = next(iter(reported.items()), ("", {}))
  for name, what in ((name, what) for name, numbers in reported.items() for what in numbers if what in reference):
    number, wanted = reported[name][what], reference[what]
    if not math.isclose(number, wanted, rel_tol=case.tolerance, abs_tol=case.absolute.get(what, 0.0)):
      raise BenchmarkError(f"{case.name}: {what} is {number:.7g} by {name}, but {wanted:.7g} by {first}.")


def keep(
  out: Path,
  benchmark: str,
  case: str,
  settings: Mapping[str, Any],
  command: str,
  contenders: Mapping[str, Any],
  **more: Any,
) -> Path:
  """Writes the measured numbers, with the machine and the versions, to the file of a case. Returns its path."""
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
  """Returns the command as it was typed, without `--out=FOLDER` or `--out FOLDER`."""
  words = [word for i, word in enumerate(argv) if not (word.startswith("--out") or (i and argv[i - 1] == "--out"))]
  return shlex.join(["python", "-m", f"benchmarks.{benchmark}", *words])


def run(
  benchmark: str, case: Case, out: Path, command: str, rounds: int, budget: float, note: Callable[[str], None]
) -> Path:
  """Measures a case together with the machine's limits, checks it and writes its file. Returns its path."""
  note(f"{benchmark} {case.name}")
  contenders = measure([*case.contenders, *limits.CONTENDERS], rounds=rounds, budget=budget, note=note)
  check(case, contenders)
  path = keep(out, benchmark, case.name, case.settings, command, contenders)
  for name, timed in sorted(contenders.items(), key=lambda item: item[1].get("median", math.inf)):
    if "median" in timed:
      note(f"  {1000 * timed['median']:9.3f} ms  ({1000 * timed['low']:.3f} to {1000 * timed['high']:.3f})  {name}")
  return path


def parse(benchmark: Benchmark, argv: Sequence[str]) -> tuple[list[Case], dict[str, Any]]:
  """Returns the cases that the flags ask for, and all flags by name."""
  values = flags.FlagValues()
  for name, axis in benchmark.axes.items():
    flags.DEFINE_list(name, list(axis.default), f"A list: {axis.allowed}.", flag_values=values)
  flags.DEFINE_list("contenders", [], "Only these contenders; all by default.", flag_values=values)
  flags.DEFINE_integer(
    "rounds", 11, "Number of rounds, in each of which every contender has one turn.", lower_bound=1, flag_values=values
  )
  flags.DEFINE_float(
    "budget",
    30,
    "Seconds per case. If all rounds would take longer, there are fewer of them, but at least 3.",
    0,
    flag_values=values,
  )
  flags.DEFINE_string("out", RESULTS, "Folder of the numbers.", flag_values=values)
  flags.DEFINE_bool("dry_run", False, "Print the cases, and run nothing.", flag_values=values)
  flags.DEFINE_bool("help", False, "Print this and exit.", short_name="h", flag_values=values)
  rest = values([benchmark.name, *argv])[1:]
  given = values.flag_values_dict()
  if given["help"]:
    print(f"{benchmark.doc}\n{values.get_help()}")
    raise SystemExit(0)
  if rest:
    raise BenchmarkError(f"{rest[0]!r} is not a flag; see --help.")
  chosen = {name: [_value(name, axis, text) for text in given[name]] for name, axis in benchmark.axes.items()}
  if empty := [name for name, wanted in chosen.items() if not wanted]:
    raise BenchmarkError(f"--{empty[0]} is empty; it must be {benchmark.axes[empty[0]].allowed}.")
  cases = [benchmark.case(**dict(zip(chosen, point, strict=True))) for point in itertools.product(*chosen.values())]
  return [_only(case, given["contenders"]) for case in cases], given


def _value(name: str, axis: Axis, text: str) -> Any:
  try:
    return axis.parse(text)
  except ValueError:
    raise BenchmarkError(f"--{name} has {text!r}; it must be {axis.allowed}.") from None


def _only(case: Case, names: Iterable[str]) -> Case:
  known = [c.name for c in case.contenders]
  if unknown := [name for name in names if name not in known]:
    raise BenchmarkError(f"--contenders has {unknown[0]!r}; the contenders of {case.name} are {', '.join(known)}.")
  return case._replace(contenders=[c for c in case.contenders if not names or c.name in names])


@terminal.command()
def main(benchmark: Benchmark, argv: Sequence[str] | None = None) -> int:
  """Measures the cases that the command line asks for. Returns an exit code."""
  argv = sys.argv[1:] if argv is None else argv
  note = lambda text: print(text, file=sys.stderr, flush=True)
  command = command_line(benchmark.name, argv)
  try:
    cases, given = parse(benchmark, argv)
    if given["dry_run"]:
      print("\n".join(f"{case.name}: {', '.join(c.name for c in case.contenders)}" for case in cases))
      return 0
    out = Path(check_path(given["out"]))
    for case in cases:
      print(run(benchmark.name, case, out, command, given["rounds"], given["budget"], note))
  except (flags.Error, BenchmarkError, ResultsError) as error:
    print(f"{benchmark.name}: {error}", file=sys.stderr)
    return 2
  return 0
