"""Launches killed at random moments, and two launchers in one folder."""

from collections.abc import Callable, Sequence
from pathlib import Path
import time

import numpy as np

from reliability import contents, trials
from reliability.trials import Outcome
from sweepkit import store


def _kills(
  arguments: Sequence[str], progress: Callable[[Path], object], work: Path, tries: int, rng: np.random.Generator
) -> Outcome:
  """Kills launches at random moments, then finishes every folder and compares it with an undisturbed one.

  Every launch resumes where the last one was killed. If a launch ends before its kill, the next one starts in a new folder.
  Every second kill falls after the first write of its launch, because a random moment often falls before it.

  Args:
    arguments: module and flags of the launch.
    progress: returns a value for a folder that changes when a launch writes there.
    work: an empty folder.
    tries: number of kills.
    rng: draws the moments.
  """
  cache, whole = work / "cache", work / "whole"
  trials.succeed([*arguments, f"--out={work / 'compiled'}"], cache)
  begin = time.time()
  length = trials.succeed([*arguments, f"--out={whole}"], cache).seconds
  first = min(path.stat().st_mtime for path in contents.data_files(whole)) - begin
  killed_in, writing, undamaged = [0], 0, 0
  while sum(killed_in) < tries:
    out = work / f"folder {len(killed_in)}"
    before, is_new, begin = progress(out), not out.exists(), time.time()
    after_write = sum(killed_in) % 2 == 1
    seconds = float(rng.uniform(0, length - first if after_write else length))
    has_begun = (lambda out=out, before=before: progress(out) != before) if after_write else lambda: True
    if trials.kill_after([*arguments, f"--out={out}"], cache, seconds, has_begun):
      killed_in[-1] += 1
      writing += progress(out) != before
      undamaged += contents.is_intact(out)
      continue
    killed_in.append(0)
    if is_new:  # the whole launch was faster than the first, because the machine is less busy now
      length = min(length, time.time() - begin)
      first = min(first, length)
  wanted = contents.numbers(whole)
  passed = sum(
    count
    for number, count in enumerate(killed_in, 1)
    if _finishes_as(wanted, arguments, work / f"folder {number}", cache)
  )
  return Outcome(tries, passed, {"folders": len(killed_in), "writing": writing, "undamaged": undamaged})


def _finishes_as(wanted: dict[str, object], arguments: Sequence[str], out: Path, cache: Path) -> bool:
  """Finishes a folder. Returns True if its numbers are the wanted ones, and nothing is damaged or left over."""
  trials.succeed([*arguments, f"--out={out}"], cache)
  return not contents.leftovers(out) and contents.is_intact(out) and contents.numbers(out) == wanted


def kills_of_a_sweep(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Sends SIGKILL at random moments of a sweep of 100 blocks."""
  return _kills(trials.LONG, lambda out: len(list(out.rglob("*.json"))), work, tries, rng)


def kills_of_a_training_run(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Sends SIGKILL at random moments of a training run that saves checkpoints as often as it can."""
  size = lambda out: sum(path.stat().st_size for path in out.rglob("*.jsonl"))
  return _kills(trials.LONG_TRAIN, size, work, tries, rng)


def kills_of_a_merge(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Sends SIGKILL at random moments of a merge of two halves of a sweep and a training run."""
  cache = work / "cache"
  for i in (0, 1):
    trials.succeed([*trials.LONG, f"--shard={i}/2", f"--out={work / f'half {i}'}"], cache)
  trials.succeed([*trials.SHORT_TRAIN, f"--out={work / 'half 1'}"], cache)
  wanted = contents.numbers(work / "half 0") | contents.numbers(work / "half 1")
  words = lambda out: ["sweepkit.merge", str(work / "half 0"), str(work / "half 1"), f"--out={out}"]
  length = trials.succeed(words(work / "whole"), cache).seconds
  out, passed, kills, number = work / "out 0", 0, 0, 0
  while kills < tries:
    is_there = lambda out=out: out.is_dir()
    if trials.kill_after(words(out), cache, float(rng.uniform(0, length / 4)), is_there):
      kills += 1
      passed += contents.is_intact(out)
    else:
      number += 1
      out = work / f"out {number}"
  for out in [path for path in work.glob("out *") if path.is_dir()]:
    trials.succeed(words(out), cache)
    if contents.numbers(out) != wanted or contents.leftovers(out):
      passed = 0
  return Outcome(tries, passed)


def two_launchers(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Starts a second launcher in the folder of a running one, at a random moment."""
  cache, passed, noticed = work / "cache", 0, 0
  trials.succeed([*trials.LONG, f"--out={work / 'compiled'}"], cache)
  length = trials.succeed([*trials.LONG, f"--out={work / 'whole'}"], cache).seconds
  wanted = contents.numbers(work / "whole")
  for number in range(tries):
    out, both, said = work / f"folder {number}", [], [work / f"said {number} {i}" for i in (0, 1)]
    for file in said:
      both.append(trials.start([*trials.LONG, f"--out={out}"], cache, file))
      both[0].join(float(rng.uniform(0, length / 2)))
    for process in both:
      process.join()
    texts = [file.read_text() for file in said]
    stored = sum(
      len(store.read_meta(path)["points"]) for path in store.block_paths(out / trials.folder_of(trials.LONG))
    )
    # A launcher that starts late may find that the other one has computed everything.
    has_noticed = any("nother launcher is at work" in text or "0 points to compute" in text for text in texts)
    is_whole = contents.numbers(out) == wanted and stored == len(wanted) and not contents.leftovers(out)
    noticed += has_noticed
    passed += has_noticed and is_whole and [process.exitcode for process in both] == [0, 0]
  return Outcome(tries, passed, {"noticed": noticed})
