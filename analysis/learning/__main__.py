"""Draws all figures of the learning study from training runs, and writes its table, learning.md.

python -m analysis.learning --results=results --out=figures
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
import sys

from analysis import learning, study


def write_table(results: Path, out: Path) -> Iterable[Path]:
  """Writes the table of the study and returns its file."""
  from analysis.learning import table  # after the flags are read, since it imports xarray

  return table.write(results, out)


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures and writes the table from the command line and returns an exit code."""
  return study.main(learning.STUDY, __doc__ or "", write_table, argv=argv)


if __name__ == "__main__":
  sys.exit(main())
