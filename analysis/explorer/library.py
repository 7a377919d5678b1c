"""The plotting library of the page: uPlot, as the package youplot carries it.

youplot is read as files, and its code is not run. The bytes must be those of uPlot's own release on npm, so it matters little who
carries them.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from sweepkit.store import ResultsError

VERSION = "1.6.31"
# SHA-256 of dist/ in the npm package uplot 1.6.31.
RELEASED = {
  "uplot.iife.min.js": "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
  "uplot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
LICENSE = Path(__file__).parent / "uplot.LICENSE"
INSTALL = 'pip install "youplot==1.0.0"'


class Library(NamedTuple):
  """uPlot, as text that stands in a page."""

  script: str
  style: str
  license: str


def read() -> Library:
  """Returns uPlot.

  Raises:
    ResultsError: if youplot is not installed, or does not carry the released files of this version.
  """
  spec = find_spec("youplot")
  if spec is None or not spec.submodule_search_locations:
    raise ResultsError(f"the page needs the plotting library uPlot, which the package youplot carries; run {INSTALL}")
  folder = Path(spec.submodule_search_locations[0]) / "vendor"
  script, style = (_released(folder, name) for name in RELEASED)
  return Library(script, style, LICENSE.read_text("utf-8"))


def _released(folder: Path, name: str) -> str:
  """The text of a file, if it is the released one."""
  content = (folder / name).read_bytes() if (folder / name).is_file() else b""
  if hashlib.sha256(content).hexdigest() != RELEASED[name]:
    raise ResultsError(f"youplot does not carry {name} of uPlot {VERSION}; run {INSTALL}")
  return content.decode("utf-8")
