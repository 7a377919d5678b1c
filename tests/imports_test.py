"""Tests share helpers through plain modules: none imports another test, or a conftest."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def imported(source):
  """Dotted names that a module imports, at any depth, with the names it takes from each module."""
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def is_a_test(name):
  return any(part.endswith("_test") or part == "conftest" for part in name.split("."))


@pytest.mark.parametrize(
  ("source", "names"),
  [
    ("from tests.support.results import block", []),
    ("from tests.sweepkit.runner_test import SMALL", ["tests.sweepkit.runner_test.SMALL"]),
    ("def f():\n  from tests.sweepkit import runner_test as r", ["tests.sweepkit.runner_test"]),
    ("from .conftest import x\nimport tests.a.conftest", ["tests.a.conftest", ".conftest.x"]),
  ],
)
def test_imports_of_tests_are_found(source, names):
  assert sorted(filter(is_a_test, imported(source))) == sorted(names)


def test_no_module_of_the_tests_imports_a_test():
  found = {
    f"{path.relative_to(TESTS)}: {name}"
    for path in TESTS.rglob("*.py")
    for name in imported(path.read_text())
    if is_a_test(name)
  }
  assert not found
