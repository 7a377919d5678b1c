"""Draws all figures of the defaults of libraries, and writes the page of their memory.

python -m analysis.defaults --results=results/reference --out=figures
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
import sys

from analysis import defaults, study


def write_table(results: Path, out: Path) -> Iterable[Path]:
  """Writes the page and returns its file."""
  from analysis.defaults import table  # after the flags are read, since it imports xarray

  return table.write(results, out)


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures and writes the page from the command line and returns an exit code."""
  return study.main(defaults.STUDY, __doc__ or "", write_table, argv=argv)


if __name__ == "__main__":
  sys.exit(main())
