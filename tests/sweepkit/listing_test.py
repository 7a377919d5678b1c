"""A listing names the experiments and tools of any package: a new file is in it, and nothing else has to change."""

import dataclasses
import importlib
import sys

import pytest

from sweepkit import listing
from sweepkit.experiment import MACHINE, default_size
from sweepkit.plan import parse
from tests.support import chaos

STUDY = '''"""Does it rise?

More about it.
"""
import dataclasses
from tests.support.chaos import EXPERIMENT
EXPERIMENT = dataclasses.replace(EXPERIMENT, module=__name__, doc=__doc__, seconds={seconds})
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
  """A package with two studies, a tool and a helper."""
  folder = tmp_path / "questions"
  folder.mkdir()
  texts = {
    "__init__": "",
    "__main__": "raise AssertionError",
    "rises": STUDY.format(seconds=75),
    "falls": STUDY.format(seconds=None),
    "draw": '"""Draws it.\\n\\nAll of it."""\ndef main(): pass\n',
    "helper": "",
  }
  for name, text in texts.items():
    (folder / f"{name}.py").write_text(text)
  (folder / "shared").mkdir()
  (folder / "shared" / "__init__.py").write_text("raise AssertionError")
  monkeypatch.syspath_prepend(tmp_path)
  yield importlib.import_module("questions")
  for name in [name for name in sys.modules if name.partition(".")[0] == "questions"]:
    del sys.modules[name]


def test_modules_are_studies_tools_or_neither(package):
  assert listing.modules(package) == ["draw", "falls", "helper", "rises"]
  assert list(listing.experiments(package)) == ["falls", "rises"]
  assert listing.tools(package) == {"draw": "Draws it."}


def test_a_line_says_how_large_how_long_and_what_for(package):
  lines = listing.listing(listing.experiments(package).values(), listing.tools(package)).splitlines()
  assert lines[:3] == [
    "Measurements:",
    "falls  20 points, T = 12  not measured  Does it rise?",
    "rises  20 points, T = 12  1 min 15 s    Does it rise?",
  ]
  assert "draw  Draws it." in lines
  assert MACHINE in " ".join(lines)


@pytest.mark.parametrize("width", [40, 100])
def test_a_narrow_terminal_cuts_the_lines(width):
  long = dataclasses.replace(chaos.EXPERIMENT, doc="Where is it chaotic? " * 9)
  assert max(map(len, listing.listing([long], {}, width).splitlines())) == width


def test_the_default_size_is_that_of_the_default_grid():
  assert default_size(chaos.EXPERIMENT) == f"{len(parse(chaos.EXPERIMENT, []).points)} points, T = 12"
  wide = dataclasses.replace(chaos.EXPERIMENT, defaults={"r": "3:4:200", "steps": "5,9"}, unused=("steps",))
  assert default_size(wide) == f"{len(parse(wide, []).points)} points"
