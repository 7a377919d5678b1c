"""Writes docs/performance.md, a pure function of the files in docs/performance.

    python -m benchmarks.report --results=docs/performance --out=docs

Also draws images/growth.png if the scaling benchmark was measured.
"""

from collections.abc import Sequence
from pathlib import Path
import sys

from absl import flags

from benchmarks import goals, growth
from benchmarks.command import RESULTS
from benchmarks.results import Result, load
from benchmarks.sections import SECTIONS, machines
from benchmarks.tables import select, table
from benchmarks.timing import BenchmarkError
from sweepkit import terminal
from sweepkit.store import write_atomically
from sweepkit.store.files import ResultsError, check_path

HEAD = """# Performance

`python -m benchmarks.report` writes this page from the files in `docs/performance/`. `make bench` measures everything again.

- **Times** are in milliseconds: the median of all runs, with quartiles in parentheses.
- **Ratios** compare two contenders within a round: the median over rounds, with quartiles in parentheses. Trust them more than
  times, because the contenders of a row took turns on the same machine, each in its own process.
- **Checks**: contenders start from the same numbers. A row is written only if their losses and gradient norms, log norms or
  exponents agree.
"""


def markdown(results: Sequence[Result]) -> str:
  """Returns the whole page."""
  sections = [HEAD, "## Goals\n", table(["goal", "limit", "measured", "met"], list(goals.judge(results))), ""]
  for benchmark, section in SECTIONS.items():
    if of_it := select(results, benchmark):
      sections += [*section(of_it), ""]
  return "\n".join([*sections, *machines(results)]) + "\n"


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("results", RESULTS, "Folder of the numbers.", flag_values=values)
  flags.DEFINE_string("out", "docs", "Folder for performance.md.", flag_values=values)
  try:
    rest = values(["report", *(sys.argv[1:] if argv is None else argv)])[1:]
    if rest:
      raise BenchmarkError(f"{rest[0]!r} is not a flag; the flags are --results and --out.")
    parsed = values.flag_values_dict()
    results, out = load(Path(check_path(parsed["results"]))), Path(check_path(parsed["out"]))
  except (flags.Error, BenchmarkError, ResultsError) as error:
    print(f"report: {error}", file=sys.stderr)
    return 2
  out.mkdir(parents=True, exist_ok=True)
  if grown := select(results, "scaling"):
    print(growth.draw(grown, out / "images"))
  write_atomically(out / "performance.md", markdown(results).encode())
  print(out / "performance.md")
  return 0


if __name__ == "__main__":
  sys.exit(main())
