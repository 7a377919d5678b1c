"""The functions, tests and modules that the paper map names exist."""

import functools
import importlib.util
from pathlib import Path
import re

import pytest

import recurrent_lab

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "paper_map.md").read_text()
EQUATIONS = PAGE.split("## Equations")[1].split("## Claims")[0]


@pytest.mark.parametrize("test", sorted(set(re.findall(r"`([\w/]+_test\.py::\w+)`", PAGE))))
def test_the_test_exists(test):
  file, name = test.split("::")
  assert f"def {name}(" in (ROOT / "tests" / file).read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z][\w.]*)`", EQUATIONS))))
def test_the_function_exists(name):
  assert callable(functools.reduce(getattr, name.split("."), recurrent_lab))


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([\w.]+)", PAGE))))
def test_the_command_exists(module):
  assert importlib.util.find_spec(module) is not None


def test_every_figure_of_the_paper_is_on_the_map():
  named = set(re.findall(r"analysis\.paper\.(\w+)", PAGE))
  figures = {path.stem for path in (ROOT / "analysis" / "paper").glob("*.py") if "FIGURE = " in path.read_text()}
  assert figures == named
