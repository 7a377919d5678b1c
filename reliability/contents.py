"""Contents of results folders, compared byte by byte."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.training import RunSettings, final_states
from sweepkit import points as grid
from sweepkit import store, verify
from sweepkit.store import journal


def numbers(out: Path) -> dict[str, Any]:
  """Everything in a results folder that must not depend on faults.

  Returns:
    The bytes of every array of every point, of every journal except its times, and of the last state of every run, by name.
  """
  found: dict[str, Any] = {}
  for path in sorted(out.rglob("*.json")):
    if "runs" in path.relative_to(out).parts:
      continue
    block = store.read_block(path)
    for i, point in enumerate(block.points):
      arrays = {name: (array.dtype.str, array[i].tobytes()) for name, array in block.arrays.items()}
      found[f"{path.parent.name} {grid.content_hash(point)}"] = arrays
    run = path.parent / "runs" / path.stem
    if run.is_dir():
      found |= _run_numbers(path.stem, run, block.points)
  return found


def _run_numbers(name: str, run: Path, points: Any) -> dict[str, Any]:
  """The part of `numbers` that a block of training runs adds."""
  rows = [dict(row, samples_per_second=0) for row in journal.rows(run / "metrics.jsonl")]
  state = final_states(RunSettings, points, run)
  leaves = jax.tree.leaves(state._replace(key=jax.random.key_data(state.key)))
  return {
    f"{name} metrics": json.dumps(rows),
    f"{name} dynamics": (run / "dynamics.jsonl").read_bytes(),
    f"{name} states": [np.asarray(leaf).tobytes() for leaf in leaves],
  }


def data_files(out: Path) -> list[Path]:
  """Every file of a results folder that holds data."""
  return sorted(path for path in out.rglob("*") if path.is_file() and path.name != ".lock")


def leftovers(out: Path) -> list[Path]:
  """Files that a launch was writing when it ended."""
  return list(out.rglob(".*.tmp"))


def is_intact(out: Path) -> bool:
  """Returns True if a folder is missing, or `verify` finds no problem in it."""
  return not out.is_dir() or not verify.check(out).problems


def flip(path: Path, rng: np.random.Generator) -> int:
  """Changes one random byte of a file to another value and returns its position."""
  content = bytearray(path.read_bytes())
  position = int(rng.integers(len(content)))
  content[position] ^= int(rng.integers(1, 256))
  path.write_bytes(content)
  return position
