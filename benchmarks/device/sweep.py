"""The sweep on the device, and the same points on a CPU."""

from collections.abc import Sequence
from pathlib import Path
import tempfile
from typing import Any, NamedTuple

import numpy as np

from benchmarks import sweeps
from benchmarks.device.agreement import Agreement, compare_sweep
from benchmarks.device.cases import SMALL_SWEEP, SWEEP, Place
from benchmarks.device.found import environment
from benchmarks.products import state_size
from sweepkit import load_results, store

ARRAYS = ("log_norm", "log_singular_value", "growth_rate")
SEEDS, SMALL_SEEDS = 10, 2


class Swept(NamedTuple):
  """Facts of a sweep, rows by cell, and the agreement of one seed of it with a CPU."""

  facts: dict[str, Any]
  cells: list[dict[str, Any]]
  agreement: dict[str, list[Agreement]]


def words(place: Place, seeds: int) -> list[str]:
  """Returns the flags of `experiments.recurrent_gain`."""
  return [*(SMALL_SWEEP if place.is_small else SWEEP), f"--seeds={seeds}"]


def by_cell(folder: Path) -> list[dict[str, Any]]:
  """Returns points, FLOPs and seconds of each cell of a stored sweep, in alphabetical order.

  The FLOPs are those of the bare products, 2 T n³ per point. `seconds` leaves out compilation.
  """
  found: dict[str, dict[str, Any]] = {}
  for meta in (store.read_meta(path) for path in store.block_paths(folder)):
    first, made = meta["points"][0], meta["provenance"]
    n = state_size(first["cell"], first["hidden_size"])
    row = found.setdefault(
      first["cell"], {"cell": first["cell"], "n": n, "points": 0, "flops": 0.0, "seconds": 0.0, "compile_seconds": 0.0}
    )
    row["points"] += len(meta["points"])
    row["flops"] += 2.0 * len(meta["points"]) * first["seq_len"] * n**3
    row["seconds"] += made["wall_seconds"] - made["compile_seconds"]
    row["compile_seconds"] += made["compile_seconds"]
  return [found[cell] for cell in sorted(found)]


def portraits(folder: Path, cell: str) -> dict[str, np.ndarray]:
  """Returns the arrays of the first seed of a cell, with the points on the leading axis."""
  data = load_results(folder).sel(cell=cell).isel(seed=0).squeeze()
  return {name: data[name].transpose("ws", ...).values for name in ARRAYS}


def agreement(on_device: Path, on_cpu: Path, cells: Sequence[str]) -> dict[str, list[Agreement]]:
  """Compares the points of the first seed, by cell."""
  return {cell: compare_sweep(portraits(on_device, cell), portraits(on_cpu, cell)) for cell in cells}


def measure(place: Place) -> Swept:
  """Runs the sweep on the device and one seed of it on a CPU.

  Raises:
    RuntimeError: if one of them fails.
  """
  with tempfile.TemporaryDirectory() as device, tempfile.TemporaryDirectory() as cpu:
    facts = sweeps.sweep(
      words(place, SMALL_SEEDS if place.is_small else SEEDS), Path(device), environment(place.platform)
    )
    sweeps.sweep(words(place, 1), Path(cpu), environment("cpu"))
    found, reference = Path(device) / "recurrent_gain", Path(cpu) / "recurrent_gain"
    rows = by_cell(found)
    return Swept(facts, rows, agreement(found, reference, [row["cell"] for row in rows]))
