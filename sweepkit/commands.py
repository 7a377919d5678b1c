"""Commands as they are printed: whole, and with every word quoted, so that they work when they are pasted."""

import json
from pathlib import Path
import shlex


def python(module: str, *words: str) -> str:
  """Returns the command that runs a module with these arguments."""
  return shlex.join(["python", "-m", module, *words])


def load(folder: Path) -> str:
  """Returns the command that prints what a folder holds as a dataset."""
  name = str(folder)
  # In single quotes of a shell, double quotes need no escapes.
  quoted = json.dumps(name, ensure_ascii=False) if name.isprintable() else repr(name)
  return shlex.join(["python", "-c", f"from sweepkit import load_results; print(load_results({quoted}))"])


def draw(module: str, results: Path) -> str:
  """Returns the command that draws results into a folder beside them, where it overwrites no figures of other results."""
  return python(module, f"--results={results}", f"--out={results / 'figures'}")
