"""Draws all figures of the learning study from training runs, and writes its table, learning.md.

python -m analysis.learning --results=results --out=figures
"""

from collections.abc import Sequence
import sys

from analysis import learning, study
from analysis.learning import table


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures and writes the table from the command line and returns an exit code."""
  return study.main(learning.STUDY, __doc__ or "", table.write, argv=argv)


if __name__ == "__main__":
  sys.exit(main())
