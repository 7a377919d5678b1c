"""Finds studies and figures by listing folders: packages that declare `STUDY`, and in them modules that declare `FIGURE`."""

import importlib
from pathlib import Path

HERE = Path(__file__).parent


def packages() -> list[str]:
  """Returns the names of the packages that declare `STUDY`, in alphabetical order."""
  found = sorted(path.parent.name for path in HERE.glob("*/__init__.py"))
  return [name for name in found if hasattr(importlib.import_module(f"analysis.{name}"), "STUDY")]


def modules(package: str) -> list[str]:
  """Returns the names of the public modules of a package, in alphabetical order."""
  return sorted(path.stem for path in (HERE / package).glob("*.py") if not path.stem.startswith("_"))


def figures(package: str) -> list[str]:
  """Returns the names of the modules of a package that declare `FIGURE`, in alphabetical order, without importing them."""
  return [name for name in modules(package) if "\nFIGURE = " in (HERE / package / f"{name}.py").read_text("utf-8")]


def module_of(figure: str) -> str | None:
  """Returns the full name of the module that draws a figure when it is run; None for a figure from elsewhere."""
  return next((f"analysis.{package}.{figure}" for package in packages() if figure in modules(package)), None)
