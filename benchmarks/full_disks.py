"""Launches on a mounted file system that is too small. Run by `benchmarks.fault_rows` where mounting is allowed:

unshare --user --map-root-user --mount python -m benchmarks.full_disks WORK TRIES SEED EXPERIMENT [flags]
"""

from collections.abc import Sequence
import json
from pathlib import Path
import shutil
import subprocess
import sys

import jax
import numpy as np

from benchmarks import trials
from benchmarks.trials import Outcome
from sweepkit import verify


def _mount(disk: Path, options: str) -> None:
  subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)


def full_disks(arguments: Sequence[str], work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Launches on a file system of a random size below what the results take, then makes room and launches again."""
  cache, whole, disk = work / "cache", work / "whole", work / "disk"
  trials.succeed([*arguments, f"--out={whole}"], cache)
  wanted = trials.numbers(whole)
  needed = subprocess.run(["du", "-s", "--block-size=1024", str(whole)], capture_output=True, text=True, check=True)
  size = int(needed.stdout.split()[0])
  disk.mkdir()
  passed, intact, failed = 0, 0, []
  for _ in range(tries):
    room = int(rng.integers(8, int(0.9 * size)))
    out = disk / "out"
    _mount(disk, f"size={room}k")
    full = trials.finish([*arguments, f"--out={out}"], cache)
    is_clear = full.code == 2 and "cannot be written" in full.last and "Traceback" not in full.said
    kept = trials.data_files(out)
    is_whole = not out.exists() or (not verify.check(out).problems and not trials.leftovers(out))
    _mount(disk, "remount,size=64m")
    again = trials.finish([*arguments, f"--out={out}"], cache)
    is_resumed = again.code == 0 and trials.numbers(out) == wanted and not verify.check(out).problems
    if is_clear and is_whole and is_resumed:
      passed, intact = passed + 1, intact + len(kept)
    else:
      failed.append(f"; FAILED with {room} KiB: {is_clear=}, {is_whole=}, {is_resumed=}: {full.last[:300]}")
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run(["umount", str(disk)], check=True)
  return Outcome(
    tries,
    passed,
    f"a tmpfs of a random size below the {size} KiB needed; exit code 2 and one sentence, the {intact} files left there all "
    "intact, no leftovers; with room made, the next launch ended the same as undisturbed" + "".join(failed),
  )


if __name__ == "__main__":
  jax.config.update("jax_platforms", "cpu")
  work, tries, seed, *arguments = sys.argv[1:]
  print(json.dumps(full_disks(arguments, Path(work), int(tries), np.random.default_rng(int(seed)))))
