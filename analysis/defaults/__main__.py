"""Draws all figures of the defaults of libraries.

python -m analysis.defaults --results=results/reference --out=figures
"""

from collections.abc import Sequence
import sys

from analysis import defaults, study


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures from the command line and returns an exit code."""
  return study.main(defaults.STUDY, __doc__ or "", argv=argv)


if __name__ == "__main__":
  sys.exit(main())
