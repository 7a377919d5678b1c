"""Launches on a mounted file system that fills up.

The trials run where mounting is allowed, in a process of their own:

    unshare --user --map-root-user --mount python -m reliability.disks WORK TRIES SEED EXPERIMENT [flags]
"""

from collections.abc import Sequence
import json
from pathlib import Path
import shutil
import subprocess
import sys

import jax
import numpy as np

from reliability import contents, trials
from reliability.trials import Outcome

_MAY_MOUNT = ("unshare", "--user", "--map-root-user", "--mount")


def _mount(disk: Path, options: str) -> None:
  subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)


def _full_disk(
  arguments: Sequence[str], wanted: dict[str, object], disk: Path, cache: Path, room: int
) -> tuple[int, str]:
  """Launches on a file system of `room` KiB, enlarges it and launches again.

  Returns:
    How many files the first launch left, and a sentence if the try failed.
  """
  out = disk / "out"
  _mount(disk, f"size={room}k")
  full = trials.finish([*arguments, f"--out={out}"], cache)
  is_clear = full.code == 2 and "cannot be written" in full.last and "Traceback" not in full.said
  kept = len(contents.data_files(out))
  is_whole = contents.is_intact(out) and not contents.leftovers(out)
  _mount(disk, "remount,size=64m")
  again = trials.finish([*arguments, f"--out={out}"], cache)
  is_resumed = again.code == 0 and contents.numbers(out) == wanted and contents.is_intact(out)
  shutil.rmtree(out, ignore_errors=True)
  subprocess.run(["umount", str(disk)], check=True)
  failure = f"with {room} KiB: {is_clear=}, {is_whole=}, {is_resumed=}: {full.last[:300]}"
  return kept, "" if is_clear and is_whole and is_resumed else failure


def _full_disks(arguments: Sequence[str], work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Tries file systems of random sizes below what the results need."""
  cache, whole, disk = work / "cache", work / "whole", work / "disk"
  trials.succeed([*arguments, f"--out={whole}"], cache)
  wanted = contents.numbers(whole)
  needed = subprocess.run(["du", "-s", "--block-size=1024", str(whole)], capture_output=True, text=True, check=True)
  size = int(needed.stdout.split()[0])
  disk.mkdir()
  found = [_full_disk(arguments, wanted, disk, cache, int(rng.integers(8, int(0.9 * size)))) for _ in range(tries)]
  intact = [kept for kept, failure in found if not failure]
  failures = [failure for _, failure in found if failure]
  return Outcome(tries, len(intact), {"size": size, "intact": sum(intact)}, failures)


def _with_mounts(arguments: Sequence[str], work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Runs `_full_disks` in a process that may mount file systems, which no other process sees.

  Raises:
    RuntimeError: if this machine does not allow it.
  """
  command = [*_MAY_MOUNT, sys.executable, "-m", "reliability.disks", str(work), str(tries), str(rng.integers(2**32))]
  result = subprocess.run([*command, *arguments], capture_output=True, text=True)
  if result.returncode:
    raise RuntimeError(f"No small file system could be mounted and filled here: {result.stderr[-1000:]}")
  return Outcome(*json.loads(result.stdout.splitlines()[-1]))


def full_disks_under_a_sweep(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Fills the file system in the middle of a sweep."""
  return _with_mounts(trials.LONG, work, tries, rng)


def full_disks_under_a_training_run(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Fills the file system in the middle of a training run that saves a checkpoint after every row."""
  return _with_mounts(trials.SHORT_TRAIN, work, tries, rng)


if __name__ == "__main__":
  jax.config.update("jax_platforms", "cpu")
  work, tries, seed, *arguments = sys.argv[1:]
  print(json.dumps(_full_disks(arguments, Path(work), int(tries), np.random.default_rng(int(seed)))))
