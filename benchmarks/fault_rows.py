"""Kills, full disks and altered bytes: each row tries one kind so many times and says what came out."""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import json
from pathlib import Path
import shutil
import subprocess
import sys
import time

import jax
from jax.experimental.compilation_cache import compilation_cache
import numpy as np

from benchmarks import trials
from benchmarks.trials import Outcome
from sweepkit import store, verify


def _kills(
  arguments: Sequence[str], progress: Callable[[Path], object], work: Path, tries: int, rng: np.random.Generator
) -> Outcome:
  """Kills launches, every other one at a moment of its whole length and the others at one after their first write; each goes
  on where the last was killed, and when one ends in spite of that the next starts anew in another folder. Every folder is then
  finished and compared.
  """
  cache, whole = work / "cache", work / "whole"
  trials.succeed([*arguments, f"--out={work / 'compiled'}"], cache)
  begin = time.time()
  length = trials.succeed([*arguments, f"--out={whole}"], cache).seconds
  first = min(path.stat().st_mtime for path in trials.data_files(whole)) - begin
  wanted = trials.numbers(whole)
  killed_in, writing, damaged, passed = [0], 0, 0, 0
  while sum(killed_in) < tries:
    out = work / f"folder {len(killed_in)}"
    before, is_new, begin = progress(out), not out.exists(), time.time()
    from_first_write = sum(killed_in) % 2 == 1
    seconds = float(rng.uniform(0, length - first if from_first_write else length))
    has_begun = lambda out=out, before=before: progress(out) != before
    words = [*arguments, f"--out={out}"]
    if not trials.kill_after(words, cache, seconds, has_begun if from_first_write else lambda: True):
      killed_in.append(0)
      if is_new:  # the machine has become less busy
        length = min(length, time.time() - begin)
        first = min(first, length)
      continue
    killed_in[-1] += 1
    writing += progress(out) != before
    damaged += bool(out.is_dir() and verify.check(out).problems)
  for number, count in enumerate(killed_in, 1):
    out = work / f"folder {number}"
    trials.succeed([*arguments, f"--out={out}"], cache)
    is_whole = not trials.leftovers(out) and not verify.check(out).problems
    passed += count if is_whole and trials.numbers(out) == wanted else 0
  folders = "one folder" if len(killed_in) == 1 else f"{len(killed_in)} folders"
  return Outcome(
    tries,
    passed,
    f"spread over {folders}, {writing} of them after the launch had written something; no file was damaged "
    f"after {tries - damaged}; finished by another launch, every folder was the same as undisturbed, without leftovers",
  )


def kills_of_a_sweep(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """SIGKILL at random moments of a sweep of 200 blocks."""
  return _kills(trials.LONG, lambda out: len(list(out.rglob("*.json"))), work, tries, rng)


def kills_of_a_training_run(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """SIGKILL at random moments of a training run that saves a checkpoint as often as it can."""
  size = lambda out: sum(path.stat().st_size for path in out.rglob("*.jsonl"))
  return _kills(trials.LONG_TRAIN, size, work, tries, rng)


def _full_disks(arguments: Sequence[str], work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Tries them in a process that may mount file systems, which nobody outside of it sees."""
  words = [*("unshare", "--user", "--map-root-user", "--mount", sys.executable, "-m", "benchmarks.full_disks")]
  flags = [str(work), str(tries), str(rng.integers(2**32)), *arguments]
  result = subprocess.run([*words, *flags], capture_output=True, text=True)
  if result.returncode:
    raise RuntimeError(f"No small file system could be mounted and filled here: {result.stderr[-1000:]}")
  return Outcome(*json.loads(result.stdout.splitlines()[-1]))


def full_disks_under_a_sweep(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """A file system that fills up in the middle of a sweep."""
  return _full_disks(trials.LONG, work, tries, rng)


def full_disks_under_a_training_run(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """The same in the middle of a training run that saves a checkpoint after every row."""
  return _full_disks(trials.SHORT_TRAIN, work, tries, rng)


@contextlib.contextmanager
def _programs_kept(folder: Path) -> Iterator[None]:
  """Programs compiled within are kept in a folder and taken from there."""
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
  """Alters one byte at a time; `verify` must find it, and the next launch of both experiments mend it."""
  with _programs_kept(work / "cache"):
    return _flips(work / "out", tries, rng)


def _flips(out: Path, tries: int, rng: np.random.Generator) -> Outcome:
  for arguments in (trials.SHORT, trials.SHORT_TRAIN):
    trials.in_process(arguments, out)
  wanted = trials.numbers(out)
  found, mended, passed, kinds, missed = 0, 0, 0, dict.fromkeys(("block", "journal", "checkpoint"), 0), []
  for _ in range(tries):
    every = trials.data_files(out)
    sort = lambda path: (
      "journal" if path.suffix == ".jsonl" else "checkpoint" if "checkpoints" in path.parts else "block"
    )
    kind = str(rng.choice(list(kinds)))
    chosen = [path for path in every if sort(path) == kind]
    path = chosen[rng.integers(len(chosen))]
    position = trials.flip(path, rng)
    kinds[kind] += 1
    is_found = any(path.stem in problem or path.name in problem for problem in verify.check(out).problems)
    arguments = trials.SHORT if path.is_relative_to(out / trials.SHORT[0]) else trials.SHORT_TRAIN
    code, _ = trials.in_process(arguments, out)
    is_mended = code == 0 and not verify.check(out).problems and trials.numbers(out) == wanted
    found, mended, passed = found + is_found, mended + is_mended, passed + (is_found and is_mended)
    if not (is_found and is_mended):
      missed.append(f"; FAILED byte {position} of {path.relative_to(out)}")
      shutil.rmtree(out)
      for arguments in (trials.SHORT, trials.SHORT_TRAIN):
        trials.in_process(arguments, out)
  places = ", ".join(f"{count} in {kind}s" for kind, count in kinds.items())
  return Outcome(
    tries,
    passed,
    f"{found} found by `experiments.verify` ({places}), {mended} mended by the next launch, after which everything is the "
    "same" + "".join(missed),
  )


def kills_of_a_merge(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """SIGKILL at random moments of a merge of two halves of a sweep and a training run."""
  cache = work / "cache"
  for i in (0, 1):
    trials.succeed([*trials.LONG, f"--shard={i}/2", f"--out={work / f'half {i}'}"], cache)
  trials.succeed([*trials.SHORT_TRAIN, f"--out={work / 'half 1'}"], cache)
  wanted = trials.numbers(work / "half 0") | trials.numbers(work / "half 1")
  words = lambda out: ["merge", str(work / "half 0"), str(work / "half 1"), f"--out={out}"]
  length = trials.succeed(words(work / "whole"), cache).seconds
  out, passed, kills, number = work / "out 0", 0, 0, 0
  while kills < tries:
    is_there = lambda out=out: out.is_dir()
    if trials.kill_after(words(out), cache, float(rng.uniform(0, length / 4)), is_there):
      kills += 1
      passed += not out.is_dir() or not verify.check(out).problems
    else:
      number += 1
      out = work / f"out {number}"
  for out in [path for path in work.glob("out *") if path.is_dir()]:
    trials.succeed(words(out), cache)
    if trials.numbers(out) != wanted or trials.leftovers(out):
      passed = 0
  return Outcome(
    tries, passed, "no damaged file after any of them; merged again, the folder holds the same as the two halves"
  )


def two_launchers(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """A second launcher in the folder of one that is at work, from a random moment on."""
  cache, passed, told = work / "cache", 0, 0
  trials.succeed([*trials.LONG, f"--out={work / 'compiled'}"], cache)
  length = trials.succeed([*trials.LONG, f"--out={work / 'whole'}"], cache).seconds
  wanted = trials.numbers(work / "whole")
  for number in range(tries):
    out, both, said = work / f"folder {number}", [], [work / f"said {number} {i}" for i in (0, 1)]
    for file in said:
      both.append(trials.start([*trials.LONG, f"--out={out}"], cache, file))
      both[0].join(float(rng.uniform(0, length / 2)))
    for process in both:
      process.join()
    texts = [file.read_text() for file in said]
    stored = sum(len(store.read_meta(path)["points"]) for path in store.block_paths(out / trials.LONG[0]))
    # Whoever is late to find the other there may find everything done.
    is_told = any("nother launcher is at work" in text or "0 points to compute" in text for text in texts)
    is_whole = trials.numbers(out) == wanted and stored == len(wanted) and not trials.leftovers(out)
    told += is_told
    passed += is_told and is_whole and [process.exitcode for process in both] == [0, 0]
  return Outcome(
    tries,
    passed,
    f"in {told} one of them said that another is at work; every point was stored once, with the same bytes as by one launcher",
  )
