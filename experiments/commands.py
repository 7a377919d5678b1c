"""Commands as they are printed: whole, and every word quoted, so that they work when they are pasted."""

import importlib
import importlib.util
from pathlib import Path
import shlex


def python(module: str, *words: str) -> str:
  """The command that runs a module with these arguments."""
  return shlex.join(["python", "-m", module, *words])


def is_experiment(name: str) -> bool:
  """Whether `python -m experiments.NAME` runs an experiment; one that a program made has no module."""
  if not name.isidentifier() or importlib.util.find_spec(f"experiments.{name}") is None:
    return False
  return getattr(getattr(importlib.import_module(f"experiments.{name}"), "EXPERIMENT", None), "name", None) == name


def filling(folder: Path) -> str:
  """In brackets, the command that fills an experiment's folder; nothing if there is none."""
  return f" ({python(f'experiments.{folder.name}', f'--out={folder.parent}')})" if is_experiment(folder.name) else ""


def load(folder: Path) -> str:
  """The command that shows what a folder holds as a dataset."""
  return shlex.join(
    ["python", "-c", f"from experiments.store import load_results; print(load_results({str(folder)!r}))"]
  )


def draw(module: str, results: Path) -> str:
  """The command that draws results into a folder of theirs, where the figures of other results are not overwritten."""
  return python(module, f"--results={results}", f"--out={results / 'figures'}")
