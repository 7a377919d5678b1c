"""Limits of the machine: numbers that overflow, and memory that runs out."""

from pathlib import Path
from unittest import mock

import numpy as np

from reliability import contents, trials
from reliability.trials import Outcome
from sweepkit import store
from sweepkit.execution import devices

SWEEP = ("experiments.activation_choice", "--cells=rnn_relu", "--hidden_size=8", "--input_size=2", "--seq_len=60")


def points_that_are_not_finite(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Sweeps over points whose nets overflow and points whose nets do not."""
  out = work / "out"
  words = [*SWEEP, f"--seeds={tries}", f"--ws=0.5,{10 ** rng.uniform(15, 35):.3g}", f"--out={out}"]
  ended = trials.succeed(words, work / "cache")
  status = store.load_results(out / trials.folder_of(words)).status.squeeze().values
  kept = int(np.sum(status[1] == store.STATUS.index("nonfinite")))
  others = int(np.sum(status[0] == store.STATUS.index("ok")))
  is_reported = f"Not finite, and stored with that status: {kept} points" in ended.said
  return Outcome(tries, kept if is_reported and others == tries else 0, {"others": others})


def little_memory(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Lets calls fail, as XLA's do, above a number of points that is drawn for every launch."""
  arguments, collect, passed = [*trials.SHORT, "--chunk=40"], devices.collect, 0
  trials.in_process(arguments, work / "whole")
  wanted = contents.numbers(work / "whole")
  for number in range(tries):
    most, out = int(rng.integers(devices.TILE, 40)), work / f"folder {number}"

    def scarce(started: devices.Started, most: int = most) -> dict[str, np.ndarray]:
      if min(started.call, started.points) > most:
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes.")
      return collect(started)

    with mock.patch.object(devices, "collect", scarce):
      code, said = trials.in_process(arguments, out)
    metas = [store.read_meta(path) for path in store.block_paths(out / trials.folder_of(arguments))]
    is_recorded = any(meta["provenance"]["chunk_halvings"] for meta in metas)
    passed += code == 0 and "out of memory with" in said and is_recorded and contents.numbers(out) == wanted
  return Outcome(tries, passed)
