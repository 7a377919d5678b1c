"""How much of what was planned is there: points of the launches that made a folder, and seeds of every setting."""

from collections.abc import Mapping, Sequence
from pathlib import Path
import shlex
from typing import Any

import numpy as np
import xarray as xr

from experiments.grid import content_hash, expand
from experiments.store import STATUS, ResultsError, block_paths, load_results, read_meta
from experiments.words import count, number


def run_command(experiment: str, results: str | Path) -> str:
  """The command that runs an experiment into a folder of results."""
  return f"python -m experiments.{experiment} --out={shlex.quote(str(results))}"


def planned_points(metas: Sequence[Mapping[str, Any]]) -> set[str]:
  """The hashes of all points that the launches planned which stored these blocks; none for blocks that do not tell."""
  plans = {content_hash(plan): plan for meta in metas if (plan := meta["provenance"].get("planned"))}
  return {content_hash(point) for p in plans.values() for point in expand(p["axes"], p["seeds"], p["x64"])}


def missing(metas: Sequence[Mapping[str, Any]]) -> str:
  """`120 of 288 planned points`, or nothing where all of them are stored."""
  stored = {content_hash(point) for meta in metas for point in meta["points"]}
  planned = planned_points(metas)
  absent = len(planned - stored)
  return f"{number(len(planned) - absent)} of {count(len(planned), 'planned point')}" if absent else ""


def seeds(data: xr.Dataset) -> str:
  """`8 seeds`, or `2 to 3 seeds` where settings have different numbers of them."""
  made = (data.status != STATUS.index("missing")).sum("seed").values
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
  paths = block_paths(folder)
  if not paths:
    command = run_command(folder.name, folder.parent)
    raise ResultsError(f"{folder} holds no results; run the experiment first ({command}).")
  data = load_results(folder)
  return data.assign_attrs(seeds=seeds(data), missing=missing([read_meta(path) for path in paths]))
