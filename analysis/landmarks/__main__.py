"""Draws all figures of the landmarks study.

python -m analysis.landmarks --results=results/landmarks --out=figures
"""

from collections.abc import Sequence
import sys

from analysis import landmarks, study


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures from the command line and returns an exit code."""
  return study.main(landmarks.STUDY, __doc__ or "", argv=argv)


if __name__ == "__main__":
  sys.exit(main())
