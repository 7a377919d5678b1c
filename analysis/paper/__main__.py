"""Draws all figures of the paper, in the order of the argument.

python -m analysis.paper --results=results --out=figures
"""

from collections.abc import Sequence
import sys

from analysis import paper, study


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures from the command line and returns an exit code."""
  return study.main(paper.STUDY, __doc__ or "", argv=argv)


if __name__ == "__main__":
  sys.exit(main())
