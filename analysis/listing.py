"""Finds studies and figures by listing folders: packages of `analysis` are studies, modules that declare `FIGURE` are figures."""

from pathlib import Path

HERE = Path(__file__).parent


def packages() -> list[str]:
  """Names of the packages that hold figures, in alphabetical order."""
  return sorted(path.parent.name for path in HERE.glob("*/__main__.py") if (path.parent / "__init__.py").exists())


def modules(package: str) -> list[str]:
  """Names of the public modules of a package, in alphabetical order."""
  return sorted(path.stem for path in (HERE / package).glob("*.py") if not path.stem.startswith("_"))


def module_of(figure: str) -> str | None:
  """Full name of the module that draws a figure when it is run; None for a figure from elsewhere."""
  return next((f"analysis.{package}.{figure}" for package in packages() if figure in modules(package)), None)
