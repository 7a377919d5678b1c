"""Results folders made by hand: blocks, runs, and files of another version."""

import json

import numpy as np

from sweepkit import Point, store
from sweepkit.points import content_hash
from sweepkit.store import checkpoints, journal, locks

AXES = {"cell": ["rnn", "lstm", "gru"], "ws": [], "seed": []}


def block(seeds=(0, 1), ws=0.5, **changes):
  points = [Point(cell="rnn", ws=ws, hidden_size=4, seed=seed) for seed in seeds]
  arrays = {
    "log_norm": np.arange(len(seeds) * 3, dtype=np.float32).reshape(-1, 3) + np.float32(ws),
    "rate": np.array([0.25 + seed for seed in seeds], np.float32),
    "status": np.ones(len(seeds), np.int8),
  }
  made = store.Block(points, arrays, {"log_norm": ("lag",), "rate": ()}, {"lag": [0, 1, 2]}, {"jax": "x"}, axes=AXES)
  return made._replace(**changes)


def with_schema(path, version):
  """Makes the block one that another version of the lab has written, checksum and all."""
  meta = json.loads(path.read_text()) | {"schema_version": version}
  del meta["sha256"]
  path.write_bytes(json.dumps(meta | {"sha256": content_hash(meta)}, indent=1).encode())


def make_run(folder, step=4):
  """The folder of a run that is over, as training leaves it."""
  metrics, dynamics = [], []
  with locks.lock(folder):
    for at in range(1, step + 1):
      journal.append(folder / "dynamics.jsonl", dynamics, {"step": at, "rate": np.float32(at)})
      journal.append(folder / "metrics.jsonl", metrics, {"step": at, "loss": np.full(2, at / 3, np.float32)})
    for at in (step - 1, step):
      checkpoints.save(folder / "checkpoints", at, {"w": np.full((3, 4), at / 3)}, {"run": 1})


def make_results(out, **changes):
  """A results folder with one block and its run; the path of the block's JSON."""
  path = store.write_block(out / "adding", block(**changes))
  make_run(out / "adding" / "runs" / path.stem)
  return path


def data_files(out):
  return sorted(path for path in out.rglob("*") if path.is_file() and path.name != ".lock")
