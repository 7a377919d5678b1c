"""Draws all figures of the language study from training runs and counts, and writes its table, language.md.

python -m analysis.language --results=results --out=figures
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
import sys

from analysis import language, study


def write_table(results: Path, out: Path) -> Iterable[Path]:
  """Writes the table of the study and returns its file."""
  from analysis.language import table  # after the flags are read, since it imports xarray

  return table.write(results, out)


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures and writes the table from the command line and returns an exit code."""
  return study.main(language.STUDY, __doc__ or "", write_table, argv=argv)


if __name__ == "__main__":
  sys.exit(main())
