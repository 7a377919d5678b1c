"""Stored files with one altered byte."""

from collections import Counter
from collections.abc import Iterator
import contextlib
from pathlib import Path
import shutil

import jax
from jax.experimental.compilation_cache import compilation_cache
import numpy as np

from reliability import contents, trials
from reliability.trials import Outcome
from sweepkit import verify

KINDS = ("block", "journal", "checkpoint")
LAUNCHES = (trials.SHORT, trials.SHORT_TRAIN)


@contextlib.contextmanager
def _compilation_cache(folder: Path) -> Iterator[None]:
  """Keeps the programs compiled inside the `with` in a folder, and reads them from there."""
  wanted = {"jax_compilation_cache_dir": str(folder), "jax_persistent_cache_min_compile_time_secs": 0}
  before = {name: getattr(jax.config, name) for name in wanted}
  try:
    for name, value in wanted.items():
      jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield
  finally:
    for name, value in before.items():
      jax.config.update(name, value)
    compilation_cache.reset_cache()


def flips(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Alters one byte at a time. `verify` must find it, and the next launch must restore what the file held."""
  with _compilation_cache(work / "cache"):
    return _flips(work / "out", tries, rng)


def _flips(out: Path, tries: int, rng: np.random.Generator) -> Outcome:
  _launch_all(out)
  wanted = contents.numbers(out)
  counts, failures = Counter(dict.fromkeys(("found", "restored", *KINDS), 0)), []
  for _ in range(tries):
    kind = str(rng.choice(KINDS))
    chosen = [path for path in contents.data_files(out) if _kind(path) == kind]
    path = chosen[rng.integers(len(chosen))]
    position = contents.flip(path, rng)
    is_found = any(path.stem in problem or path.name in problem for problem in verify.check(out).problems)
    arguments = next(words for words in LAUNCHES if path.is_relative_to(out / trials.folder_of(words)))
    code, _ = trials.in_process(arguments, out)
    is_restored = code == 0 and contents.is_intact(out) and contents.numbers(out) == wanted
    counts.update({kind: 1, "found": is_found, "restored": is_restored})
    if not (is_found and is_restored):
      failures.append(f"byte {position} of {path.relative_to(out)}: {is_found=}, {is_restored=}")
      shutil.rmtree(out)
      _launch_all(out)
  return Outcome(tries, tries - len(failures), dict(counts), failures)


def _launch_all(out: Path) -> None:
  for arguments in LAUNCHES:
    trials.in_process(arguments, out)


def _kind(path: Path) -> str:
  if path.suffix == ".jsonl":
    return "journal"
  return "checkpoint" if "checkpoints" in path.parts else "block"
