"""Draws all figures of the atlas, and writes its page, atlas.html.

python -m analysis.atlas --results=results/atlas --out=figures
"""

from collections.abc import Sequence
import sys

from analysis import atlas, study
from analysis.atlas import cards


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures from the command line and returns an exit code."""
  return study.main(atlas.STUDY, __doc__ or "", cards.write, argv=argv)


if __name__ == "__main__":
  sys.exit(main())
