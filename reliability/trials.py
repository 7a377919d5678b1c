"""Launches of small sweeps and training runs to try faults on."""

from collections.abc import Callable, Mapping, Sequence
import contextlib
import importlib
import io
import multiprocessing
import os
from pathlib import Path
import sys
import tempfile
import time
from types import MappingProxyType
from typing import Any, NamedTuple

# Trials compile far more than they compute, so compilation is cheap. Every launch uses these flags, since bits depend on them.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

import jax

from sweepkit import runner

# A module and its flags. LONG is a sweep of 800 points in 100 blocks of a few milliseconds. TRAIN is one block of two runs.
SWEEP = (
  "experiments.activation_choice",
  "--cells=rnn",
  "--hidden_size=8",
  "--input_size=2",
  "--seq_len=20",
  "--chunk=8",
)
LONG = (*SWEEP, "--ws=0.05:4:40", "--seeds=20")
SHORT = (*SWEEP, "--ws=0.05:4:8", "--seeds=5")
TRAIN = ("experiments.adding", "--cells=rnn", "--length=8", "--hidden_size=4", "--batch=4", "--stop=never", "--seeds=2")
LONG_TRAIN = (*TRAIN, "--updates=3000", "--checkpoint_seconds=0.1")
SHORT_TRAIN = (*TRAIN, "--updates=8", "--checkpoint_seconds=0")


class Outcome(NamedTuple):
  """Result of a row.

  Attributes:
    tried: number of tries.
    passed: how many of them ended as promised.
    counts: numbers that the sentence of the row names.
    failures: a sentence for each try that failed.
  """

  tried: int
  passed: int
  counts: Mapping[str, int] = MappingProxyType({})
  failures: Sequence[str] = ()


class Ended(NamedTuple):
  """The end of a launch."""

  code: int  # the exit code
  last: str  # the last line of its output
  said: str  # its whole output
  seconds: float


def _launch(module: str, argv: Sequence[str], cache: Path, said: Path) -> None:
  """Runs a launch in its own process and exits with its code. Its output goes to the file `said`."""
  with open(said, "w") as file:
    for stream in (1, 2):
      os.dup2(file.fileno(), stream)
  jax.config.update("jax_platforms", "cpu")
  jax.config.update("jax_compilation_cache_dir", str(cache))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
  chosen = importlib.import_module(module)
  code = runner.main(chosen.EXPERIMENT, argv) if hasattr(chosen, "EXPERIMENT") else chosen.main(argv)
  sys.stderr.flush()
  sys.stdout.flush()
  os._exit(code)


# On a busy machine the imports take ten times as long as the sweep, and most kills would strike them. So a launch is a process
# forked from one that has imported everything and computed nothing.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["reliability.trials", "sweepkit.merge", SWEEP[0], TRAIN[0]])


def folder_of(words: Sequence[str]) -> str:
  """Name of the folder that an experiment fills."""
  return words[0].rpartition(".")[2]


def start(words: Sequence[str], cache: Path, said: Path) -> Any:
  """Starts a process that runs `words`, a module and its flags, and writes its output to the file `said`."""
  process = _processes.Process(target=_launch, args=(words[0], list(words[1:]), cache, said))
  process.start()
  return process


def finish(words: Sequence[str], cache: Path) -> Ended:
  """Runs a launch and waits until it ends."""
  begin = time.monotonic()
  with tempfile.TemporaryDirectory() as folder:
    process = start(words, cache, Path(folder) / "said")
    process.join()
    said = (Path(folder) / "said").read_text()
  lines = [line for line in said.replace("\r", "\n").splitlines() if line.strip()]
  return Ended(process.exitcode, lines[-1] if lines else "", said, time.monotonic() - begin)


def succeed(words: Sequence[str], cache: Path) -> Ended:
  """Runs a launch that must succeed.

  Raises:
    RuntimeError: if it ends with another exit code than 0.
  """
  ended = finish(words, cache)
  if ended.code:
    raise RuntimeError(f"{' '.join(words)} ended with {ended.code}: {ended.said[-2000:]}")
  return ended


def kill_after(words: Sequence[str], cache: Path, seconds: float, has_begun: Callable[[], bool]) -> bool:
  """Sends SIGKILL to a launch `seconds` after it has begun. Returns True if it was still running."""
  process = start(words, cache, Path(os.devnull))
  while not has_begun() and process.is_alive():
    time.sleep(0.01)
  process.join(seconds)
  was_running = process.is_alive()
  process.kill()
  process.join()
  return was_running


def in_process(arguments: Sequence[str], out: Path) -> tuple[int, str]:
  """Runs an experiment in this process. Returns its exit code and its output."""
  said = io.StringIO()
  experiment = importlib.import_module(arguments[0]).EXPERIMENT
  with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
    code = runner.main(experiment, [*arguments[1:], f"--out={out}"])
  return code, said.getvalue()
