"""Draws all figures of the trained atlas.

python -m analysis.training --results=results/atlas --out=figures
"""

from collections.abc import Sequence
import sys

from analysis import study, training


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures from the command line and returns an exit code."""
  return study.main(training.STUDY, __doc__ or "", argv=argv)


if __name__ == "__main__":
  sys.exit(main())
