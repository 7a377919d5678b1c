"""The time of a step of every cell, from the files that `benchmarks.cells` writes."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "docs" / "performance"
PASSES = ("forward", "gradient")


class Time(NamedTuple):
  """The time per step of a batch, in microseconds."""

  median: float
  low: float
  high: float


class Timings(NamedTuple):
  """The times of one pass, by cell, and what was timed."""

  times: Mapping[str, Time]
  about: str  # the batch, the sizes and the machine; empty if nothing was timed


def timings(passes: str, folder: Path = FOLDER) -> Timings:
  """Returns the times of a pass; none if it was not measured."""
  path = folder / f"cells-{passes}.json"
  if not path.exists():
    return Timings({}, "")
  result = json.loads(path.read_text())
  timed = {
    name: one
    for name, one in result["contenders"].items()
    if one.get("kind") == "lab" and "median" in one and "steps" in one.get("facts", {})
  }
  times = {
    name: Time(*(1e6 * one[part] / one["facts"]["steps"] for part in Time._fields)) for name, one in timed.items()
  }
  settings, machine = result["settings"], result["machine"]
  about = f"batches of {settings['batch']} sequences with H = {settings['hidden']} on {machine['cores']} cores"
  return Timings(times, f"{about} of {machine['processor']}, JAX {machine['versions']['jax']}" if times else "")
