"""Names of the library: none hides a module, none is promised by a docstring and missing, and imports point down."""

import ast
import importlib
import importlib.util
import inspect
from pathlib import Path
import pkgutil
import re
from types import ModuleType

import pytest

import recurrent_lab

ROOT = Path(__file__).parents[2]
ABOVE = {"sweepkit", "experiments", "analysis", "benchmarks", "reliability"}
MODULES = ["recurrent_lab", *(found.name for found in pkgutil.walk_packages(recurrent_lab.__path__, "recurrent_lab."))]
# Names that docstrings use of other libraries, of files and of arguments.
FOREIGN = {"jax", "lax", "optax", "torch", "nn", "nnx", "hk", "eqx", "cell"}

spec = importlib.util.spec_from_file_location("docstrings", ROOT / "docs" / "docstrings.py")
docstrings = importlib.util.module_from_spec(spec)
spec.loader.exec_module(docstrings)
PUBLIC = docstrings.public_names()


def hidden_modules(package):
  """Submodules that an attribute of the package hides."""
  names = [found.name for found in pkgutil.iter_modules(package.__path__)]
  return [name for name in names if not isinstance(getattr(package, name, package), ModuleType)]


@pytest.mark.parametrize("name", MODULES)
def test_no_name_hides_a_module(name):
  module = importlib.import_module(name)
  if hasattr(module, "__path__"):
    assert hidden_modules(module) == []


def test_a_hidden_module_is_noticed(monkeypatch):
  monkeypatch.setattr(recurrent_lab, "readouts", lambda: None)
  assert hidden_modules(recurrent_lab) == ["readouts"]


@pytest.mark.parametrize("path", sorted((ROOT / "recurrent_lab").rglob("*.py")), ids=lambda path: path.stem)
def test_the_library_imports_nothing_above_it(path):
  tree = ast.parse(path.read_text())
  imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
  imported += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
  assert not {name.partition(".")[0] for name in imported} & ABOVE


def is_kept(reference, owner):
  """Returns True if a name in backticks is in the library, in one of its rooms, or in the owner's package."""
  first, *rest = reference.split(".")
  rooms = [recurrent_lab, *(getattr(recurrent_lab, room) for room in ("cells", "training", "sequences", "instruments"))]
  package = importlib.import_module(owner.__module__.rpartition(".")[0])
  for room in (*rooms, recurrent_lab.interop, package, owner):
    if hasattr(room, first):
      value = getattr(room, first)
      for part in rest:
        value = getattr(value, part, None)
      return value is not None
  return False


def broken_promises(function):
  """References in a docstring that a reader cannot follow: dotted ones, and helpers that are not public."""
  module, doc = inspect.getmodule(function), inspect.getdoc(function) or ""
  own = {name for name, value in vars(module).items() if inspect.isfunction(value) or inspect.isclass(value)}
  public = {name.rpartition(".")[2] for name in PUBLIC}
  found = re.findall(r"`([A-Za-z]\w*(?:\.[A-Za-z_]\w*)*)`", doc)
  dotted = [name for name in found if "." in name and name.partition(".")[0] not in FOREIGN]
  helpers = [name for name in found if name in own - public - set(inspect.signature(function).parameters)]
  return [*helpers, *(name for name in dotted if not is_kept(name, function))]


def test_docstrings_promise_names_that_exist():
  functions = {name: inspect.unwrap(value) for name, value in PUBLIC.items() if inspect.isfunction(value)}
  assert {name: broken for name, value in functions.items() if (broken := broken_promises(value))} == {}
