"""Measures the lab on one GPU or TPU, checks its numbers against a CPU's, and writes docs/performance-accelerator.md.

    python -m benchmarks.accelerator                   the accelerator of this machine, in under eight minutes
    python -m benchmarks.accelerator --platform=cpu    small sizes on CPU devices, into build/accelerator

`make accelerator` installs what it needs first. The exit code is 1 if numbers disagree or a row fails; the page then says which.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
import sys
import time
from typing import Any, NamedTuple

from absl import flags

from benchmarks import command, results
from benchmarks.device import cases, found, page, sweep
from benchmarks.device.agreement import compare
from benchmarks.timing import BenchmarkError, measure
from sweepkit import terminal
from sweepkit.store import write_atomically
from sweepkit.store.files import ResultsError, check_path

ROUNDS, BUDGET = 5, 8.0  # rounds of a case, and seconds for all of them
SWEEP_NAME = "experiments.recurrent_gain"
GUESS = 45.0  # seconds that a row is expected to take until one has taken longer


class Session(NamedTuple):
  """One run of this command: where it measures, and where its numbers go."""

  place: cases.Place
  device: dict[str, Any]
  folder: Path
  command: str

  def keep(self, benchmark: str, case: str, settings: dict[str, Any], contenders: dict[str, Any], **more: Any) -> None:
    """Writes the file of a case."""
    command.keep(self.folder, benchmark, case, settings, self.command, contenders, device=self.device, **more)


def measure_case(session: Session, benchmark: str, case: command.Case) -> list[str]:
  """Measures a case and writes its file. Returns a sentence for each disagreement with a CPU.

  Raises:
    BenchmarkError: if a contender fails.
  """
  case = cases.placed(case, benchmark, session.place)
  contenders = measure(case.contenders, rounds=ROUNDS, budget=BUDGET, note=_note)
  disagreements = []
  try:
    command.check(case, contenders)
  except BenchmarkError as error:
    disagreements.append(str(error))
  sampled = {name: one["facts"].pop("numbers") for name, one in contenders.items() if "numbers" in one.get("facts", {})}
  agreements = compare(benchmark, case.settings, sampled["lab"], sampled[cases.REFERENCE])
  disagreements += [
    f"{case.name}: {one.quantity} differs by {one.difference:.1e}." for one in agreements if not one.holds
  ]
  more = {"agreement": [one._asdict() for one in agreements], "disagreements": disagreements}
  session.keep(benchmark, case.name, dict(case.settings), contenders, **more)
  return disagreements


def measure_sweep(session: Session) -> list[str]:
  """Runs the sweep and writes its file. Returns a sentence for each disagreement with a CPU.

  Raises:
    BenchmarkError, RuntimeError: if it fails.
  """
  swept = sweep.measure(session.place)
  named = {cell: [one._replace(quantity=f"{cell}: {one.quantity}") for one in a] for cell, a in swept.agreement.items()}
  agreements = [one for of_cell in named.values() for one in of_cell]
  disagreements = [f"The sweep: {one.quantity} differs by {one.difference:.1e}." for one in agreements if not one.holds]
  contenders = measure(cases.machine_limits(session.place), rounds=ROUNDS, budget=BUDGET)
  more = {
    "facts": swept.facts,
    "cells": swept.cells,
    "agreement": [one._asdict() for one in agreements],
    "disagreements": disagreements,
  }
  settings = {"points": swept.facts["points"]}
  session.keep("sweep", str(swept.facts["points"]), settings, contenders, **more)
  return disagreements


def jobs(session: Session) -> Iterator[tuple[str, Callable[[], list[str]]]]:
  """Yields the command of every measurement and the measurement, the most telling first."""
  yield SWEEP_NAME, partial(measure_sweep, session)
  for row in cases.rows(session.place):
    for case in cases.cases(row):
      yield row, partial(measure_case, session, row.split()[0], case)


def measure_all(session: Session, seconds: float) -> tuple[dict[str, str], list[str]]:
  """Measures until the time is over.

  Args:
    session: where.
    seconds: no row starts if it would end later, should it take as long as the longest one so far.

  Returns:
    (what was left out and why, all disagreements).
  """
  begin, longest, left_out, disagreements = time.monotonic(), GUESS, dict[str, str](), list[str]()
  for name, job in jobs(session):
    started = time.monotonic()
    if name != SWEEP_NAME and started - begin + longest > seconds:
      left_out[name] = "because the time was over."
      continue
    _note(name)
    try:
      disagreements += job()
    except (BenchmarkError, RuntimeError) as error:
      left_out[name] = f"because it failed: {' '.join(str(error).split())[-300:]}"
      _note(f"  failed: {error}")
    if name != SWEEP_NAME:
      longest = max(longest, time.monotonic() - started)
  return left_out, disagreements


def _note(text: str) -> None:
  print(text, file=sys.stderr, flush=True)


def _parse(argv: Sequence[str]) -> tuple[str, Path, float]:
  """Returns the platform that was asked for, the folder of the page and the seconds."""
  values = flags.FlagValues()
  flags.DEFINE_string(
    "platform", "", f"Any of {', '.join(found.PLATFORMS)}; searched for by default.", flag_values=values
  )
  flags.DEFINE_string(
    "out", "", "Folder for the page; docs by default, build/accelerator on a CPU.", flag_values=values
  )
  flags.DEFINE_float("minutes", 7.5, "No measurement starts that would end later.", 0, flag_values=values)
  rest = values(["accelerator", *argv])[1:]
  if rest:
    raise BenchmarkError(f"{rest[0]!r} is not a flag; the flags are --platform, --out and --minutes.")
  given = values.flag_values_dict()
  out = given["out"] or ("build/accelerator" if given["platform"] == "cpu" else "docs")
  return given["platform"], Path(check_path(out)), 60 * given["minutes"]


def _empty(folder: Path) -> None:
  """Removes the numbers of an earlier run, which may come from another device."""
  for path in folder.glob("*.json"):
    path.unlink()


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  argv, begin = sys.argv[1:] if argv is None else argv, time.monotonic()
  try:
    wanted, out, seconds = _parse(argv)
    platform = found.find(wanted).platform
    device = cases.describe(platform)
  except (flags.Error, found.NoAcceleratorError, BenchmarkError, ResultsError) as error:
    print(f"accelerator: {error}", file=sys.stderr)
    return 2
  place, folder = cases.Place(platform, cases.has_torch(platform)), out / "performance" / "accelerator"
  session = Session(place, device, folder, command.command_line("accelerator", argv))
  _empty(folder)
  left_out, disagreements = measure_all(session, seconds - (time.monotonic() - begin))
  took = round(time.monotonic() - begin, 1)
  session.keep(page.RUN, "run", {"platform": platform}, {}, seconds=took, left_out=left_out)
  write_atomically(out / "performance-accelerator.md", page.markdown(results.load(folder)).encode())
  print(out / "performance-accelerator.md")
  for text in disagreements:
    _note(text)
  has_failed = any(why.startswith("because it failed") for why in left_out.values())
  return 1 if disagreements or has_failed else 0


if __name__ == "__main__":
  sys.exit(main())
