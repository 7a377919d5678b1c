"""Small sweeps and training runs to try faults on: launched, killed, altered, and compared byte by byte."""

from collections.abc import Callable, Sequence
import contextlib
import importlib
import io
import json
import multiprocessing
import os
from pathlib import Path
import sys
import tempfile
import time
from typing import Any, NamedTuple

# Trials compile far more than they compute. All launches do so alike, or they would not end with the same bits.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

import jax
import numpy as np

from experiments.training import RunSettings, final_states
from sweepkit import points as grid
from sweepkit import runner, store
from sweepkit.store import journal

# A sweep of 800 points in 100 blocks, each of which takes some milliseconds, and a block of two training runs.
SWEEP = ("activation_choice", "--cells=rnn", "--hidden_size=8", "--input_size=2", "--seq_len=20", "--chunk=8")
LONG = (*SWEEP, "--ws=0.05:4:40", "--seeds=20")
SHORT = (*SWEEP, "--ws=0.05:4:8", "--seeds=5")
TRAIN = ("adding", "--cells=rnn", "--length=8", "--hidden_size=4", "--batch=4", "--stop=never", "--seeds=2")
LONG_TRAIN = (*TRAIN, "--updates=3000", "--checkpoint_seconds=0.1")
SHORT_TRAIN = (*TRAIN, "--updates=8", "--checkpoint_seconds=0")


class Outcome(NamedTuple):
  """Of a row: tries, those that passed, and what came out in a sentence."""

  tried: int
  passed: int
  text: str


class Ended(NamedTuple):
  """How a launch ended: exit code, what it said at last, all it said, and how long it took."""

  code: int
  last: str
  said: str
  seconds: float


def _launch(module: str, argv: Sequence[str], cache: Path, said: Path) -> None:
  """What a launch does in its own process."""
  with open(said, "w") as file:
    for stream in (1, 2):
      os.dup2(file.fileno(), stream)
  jax.config.update("jax_platforms", "cpu")
  jax.config.update("jax_compilation_cache_dir", str(cache))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
  chosen = importlib.import_module(f"experiments.{module}")
  code = runner.main(chosen.EXPERIMENT, argv) if hasattr(chosen, "EXPERIMENT") else chosen.main(argv)
  sys.stderr.flush()
  sys.stdout.flush()
  os._exit(code)


# A launch is a process of its own, forked from one that has imported what it needs and done nothing yet: on a busy machine the
# imports take ten times as long as the sweep, and most kills would strike them.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["benchmarks.fault_rows", "experiments.activation_choice", "experiments.adding"])


def start(words: Sequence[str], cache: Path, said: Path) -> Any:
  """Launches `words`, the module and its flags; what it says goes to the file `said`."""
  process = _processes.Process(target=_launch, args=(words[0], list(words[1:]), cache, said))
  process.start()
  return process


def finish(words: Sequence[str], cache: Path) -> Ended:
  """Launches and waits for the end."""
  begin = time.monotonic()
  with tempfile.TemporaryDirectory() as folder:
    process = start(words, cache, Path(folder) / "said")
    process.join()
    said = (Path(folder) / "said").read_text()
  lines = [line for line in said.replace("\r", "\n").splitlines() if line.strip()]
  return Ended(process.exitcode, lines[-1] if lines else "", said, time.monotonic() - begin)


def succeed(words: Sequence[str], cache: Path) -> Ended:
  """The same for a launch that must succeed.

  Raises:
    RuntimeError: if it does not.
  """
  ended = finish(words, cache)
  if ended.code:
    raise RuntimeError(f"{' '.join(words)} ended with {ended.code}: {ended.said[-2000:]}")
  return ended


def kill_after(words: Sequence[str], cache: Path, seconds: float, has_begun: Callable[[], bool]) -> bool:
  """Launches, sends SIGKILL so many seconds after it has begun, and tells whether it was still running."""
  process = start(words, cache, Path(os.devnull))
  while not has_begun() and process.is_alive():
    time.sleep(0.01)
  process.join(seconds)
  was_running = process.is_alive()
  process.kill()
  process.join()
  return was_running


def in_process(arguments: Sequence[str], out: Path) -> tuple[int, str]:
  """A launch in this process: exit code, and what it said."""
  said = io.StringIO()
  experiment = importlib.import_module(f"experiments.{arguments[0]}").EXPERIMENT
  with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
    code = runner.main(experiment, [*arguments[1:], f"--out={out}"])
  return code, said.getvalue()


def numbers(out: Path) -> dict[str, Any]:
  """All that must not depend on faults: the bytes of every array of every point, of all journals but for times, and of the
  last states of all runs.
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
      rows = [dict(row, samples_per_second=0) for row in journal.rows(run / "metrics.jsonl")]
      state = final_states(RunSettings, block.points, run)
      leaves = jax.tree.leaves(state._replace(key=jax.random.key_data(state.key)))
      found[f"{path.stem} metrics"] = json.dumps(rows)
      found[f"{path.stem} dynamics"] = (run / "dynamics.jsonl").read_bytes()
      found[f"{path.stem} states"] = [np.asarray(leaf).tobytes() for leaf in leaves]
  return found


def data_files(out: Path) -> list[Path]:
  """Every file of a results folder that holds data."""
  return sorted(path for path in out.rglob("*") if path.is_file() and path.name != ".lock")


def leftovers(out: Path) -> list[Path]:
  return list(out.rglob(".*.tmp"))


def flip(path: Path, rng: np.random.Generator) -> int:
  """Changes one random byte of a file to another and returns its position."""
  content = bytearray(path.read_bytes())
  position = int(rng.integers(len(content)))
  content[position] ^= int(rng.integers(1, 256))
  path.write_bytes(content)
  return position
