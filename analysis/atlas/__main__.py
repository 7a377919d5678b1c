"""Draws all figures of the atlas, and writes its page, atlas.html.

python -m analysis.atlas --results=results/atlas --out=figures
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
import sys

from analysis import atlas, study


def write_page(results: Path, out: Path) -> Iterable[Path]:
  """Writes the page of the study and returns its file."""
  from analysis.atlas import cards  # after the flags are read, since it imports xarray

  return cards.write(results, out)


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figures from the command line and returns an exit code."""
  return study.main(atlas.STUDY, __doc__ or "", write_page, argv=argv)


if __name__ == "__main__":
  sys.exit(main())
