"""Draws all figures of the language study from training runs and counts, and writes its table, language.md.

python -m analysis.language --results=results --out=figures
"""

from collections.abc import Sequence
import sys

from analysis import language, study
from analysis.language import table


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures and writes the table from the command line and returns an exit code."""
  return study.main(language.STUDY, __doc__ or "", table.write, argv=argv)


if __name__ == "__main__":
  sys.exit(main())
