"""How much of what was planned is there: points of the launches that made a folder, and seeds of every setting."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from sweepkit import commands
from sweepkit.store import STATUS, load_results
from sweepkit.words import count, number


def run_command(experiment: str, results: str | Path, *flags: str) -> str:
  """The command that runs an experiment with these flags into a folder of results."""
  return commands.python(f"experiments.{experiment}", f"--out={results}", *flags)


def missing(attrs: Mapping[str, Any]) -> str:
  """`120 of 288 planned points`, or nothing where all of them are stored; from the attributes of loaded results."""
  present, planned = attrs["present"], attrs["planned"]
  return f"{number(present)} of {count(planned, 'planned point')}" if present < planned else ""


def seeds(data: xr.Dataset) -> str:
  """`8 seeds`, or `2 to 3 seeds` where settings have different numbers of them."""
  there = data.status != STATUS.index("missing")
  if "point" in data.dims:
    made = np.array([*Counter(data.indexes["point"][there.values].droplevel("seed")).values()])
  else:
    made = there.sum("seed").values
  made = made[made > 0]
  if not made.size:
    return count(0, "seed")
  low, high = int(np.min(made)), int(np.max(made))
  return count(high, "seed") if low == high else f"{low} to {high} seeds"


def load(folder: Path) -> xr.Dataset:
  """Results with two more attributes: `seeds`, and `missing`, empty where every planned point is stored.

  Raises:
    ResultsError: if there is nothing to read, with the command that makes it; or a file is altered or of another schema.
  """
  data = load_results(folder)
  return data.assign_attrs(seeds=seeds(data), missing=missing(data.attrs))
