"""Launches of experiments, in this process and in processes of their own."""

import importlib
import os
from pathlib import Path
import subprocess
import sys

from sweepkit import store
from sweepkit.points import content_hash

ROOT = Path(__file__).parents[2]

SMALL = ("--hidden_size=4", "--input_size=2", "--seq_len=12", "--seeds=2")

# What each experiment varies, in a form small enough for a test.

SWEEP = ("--ws=0.5:3:5", "--hidden_size=5", "--input_size=3", "--seq_len=13", "--seeds=5")


def experiment(name):
  return importlib.import_module(f"experiments.{name}").EXPERIMENT


def stored(folder):
  """point -> the bytes of its arrays; every point is stored once."""
  blocks = [store.read_block(path) for path in store.block_paths(folder)]
  found = {
    content_hash(point): {name: array[i].tobytes() for name, array in block.arrays.items()}
    for block in blocks
    for i, point in enumerate(block.points)
  }
  assert len(found) == sum(len(block.points) for block in blocks)
  return found


def launcher(out, *flags, name="activation_choice"):
  """A launcher in a process of its own, its programs optimised as a user's are."""
  return subprocess.Popen(
    [sys.executable, "-m", f"experiments.{name}", *SWEEP, "--cells=rnn,gru", f"--out={out}", *flags],
    cwd=ROOT,
    env=os.environ | {"XLA_FLAGS": "", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)},
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def ended(process):
  """The exit code and what was said."""
  try:
    _, text = process.communicate(timeout=600)
  finally:
    process.kill()
  return process.returncode, text


def watch(monkeypatch, module, name, events, after=lambda: None):
  """Takes a note of every call of a function."""
  function = getattr(module, name)

  def noting(*args):
    events.append(name)
    result = function(*args)
    after()
    return result

  monkeypatch.setattr(module, name, noting)


def array(**values):
  return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}
