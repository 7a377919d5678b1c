"""Writes one page for all results: the question, every figure with its finding and numbers, the claims, and their provenance.

    python -m analysis.report --results=results --out=report

writes index.html. The page needs no network. It needs no other file, except those that it links to: data too large for it, in
data/, and pages of studies, such as atlas.html. Figures and pages whose experiments were not run are left out, and the page says
how to run them. The same results give the same bytes.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
import sys

from analysis import command


def write(results: Path, out: Path) -> Iterable[Path]:
  """Writes the page of a folder of results and returns its file."""
  from analysis.report import assembly  # after the flags are read, since it imports all figures

  return assembly.report(results, out)


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the report from the command line and returns an exit code."""
  return command.run("report", write, argv, "report", "index.html", __doc__ or "", draws=True)


if __name__ == "__main__":
  sys.exit(main())
