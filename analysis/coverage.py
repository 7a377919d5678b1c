"""Completeness of results: how many planned points are stored, and how many seeds each setting has."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from sweepkit import commands
from sweepkit.store import STATUS, ResultsError, block_paths, load_results
from sweepkit.words import count, number


def run_command(experiment: str, results: str | Path, *flags: str) -> str:
  """Returns the command that runs an experiment with these flags and stores into a folder of results."""
  return commands.python(f"experiments.{experiment}", f"--out={results}", *flags)


def missing(attrs: Mapping[str, Any]) -> str:
  """Returns `120 of 288 planned points`, or an empty text if all of them are stored; reads the attributes of loaded results."""
  present, planned = attrs["present"], attrs["planned"]
  return f"{number(present)} of {count(planned, 'planned point')}" if present < planned else ""


def seeds(data: xr.Dataset) -> str:
  """Returns `8 seeds`, or `2 to 3 seeds` if settings have different numbers of them."""
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
  """Loads results with two more attributes: `seeds`, and `missing`, which is empty if every planned point is stored.

  Raises:
    ResultsError: if there is nothing to read (the command that makes it is named), or a file is altered or of another schema.
  """
  if not block_paths(folder):
    command = run_command(folder.name, folder.parent)
    raise ResultsError(f"{folder} holds no results; run the experiment first ({command}).")
  data = load_results(folder)
  return data.assign_attrs(seeds=seeds(data), missing=missing(data.attrs))
