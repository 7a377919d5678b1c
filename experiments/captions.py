"""Can a net that sees an image once write its name, letter by letter?

Claim (the introductions: one to many, "captions of images"): the state after one input can drive a whole sequence of outputs.
Trains on the names of handwritten digits under teacher forcing; then every held-out image is named freely: the most probable
letter is put in again until the name ends.

    exact                    share of held-out images whose name is exactly right, its end included
    exact_by_digit [digit]   the same for each digit
    most_frequent            what writing the one most frequent name would get

    python -m experiments.captions

Expect: 91 to 94 % exactly right with all cells, where the most frequent name gets 10 %. The letters are easy. Errors are wrong
digits, as in any small net, since the held-out images are of other writers. Threes are wrong most often.
"""

from functools import partial
import sys
from typing import Any

import jax
from jaxtyping import Array
import numpy as np

from experiments.training import SETTINGS, After, RunSettings, build, followed_by
from experiments.training.data import DIGIT_NAMES
from experiments.training.settings import TINY
import recurrent_lab as rl
from recurrent_lab import sequence
from recurrent_lab.tasks import letter_row, spell
from sweepkit import Experiment, Quantity, main
from sweepkit.settings import Settings, one_of

_ONLY_CAPTIONS = one_of(("captions",))
CAPTIONS_SETTINGS: Settings = {
  **SETTINGS,
  "task": SETTINGS["task"]._replace(default="captions", check=_ONLY_CAPTIONS[0], allowed=_ONLY_CAPTIONS[1]),
}
ALL = 2**30  # more than there are held-out images


@partial(jax.jit, static_argnums=(0, 3))
def write(cell: rl.Cell, params: rl.WithReadoutParams, shown: Array, steps: int) -> Array:
  """Letters `[steps, B]` for images shown as `tasks.captions.image_row` has them, `[B, I]`: always the most probable one."""
  symbols = params.readout.kernel.shape[1]

  def feed(output: Array, key: Array) -> tuple[Array, Array]:
    letter = sequence.choose(rl.readout(params.readout, output), key, temperature=0.0)
    return letter, letter_row(letter, shown.shape[1] - symbols, symbols)

  return sequence.one_to_many(cell, params.cell, shown, steps, feed, jax.random.key(0))[1]


def measure_captions(settings: RunSettings) -> After:
  """Measures what the docstring of this file lists."""
  run = build(settings)
  held_out = run.task.test(jax.random.key(0), ALL)
  targets, counts = np.asarray(held_out.targets), np.asarray(held_out.mask) > 0
  is_digit = np.all(targets.T[:, None] == spell(DIGIT_NAMES), axis=-1)  # [B, digits]

  def measure(before: Any, after: Any) -> dict[str, Any]:
    del before
    written = np.asarray(write(run.cell, after, held_out.inputs[0], run.task.steps))
    is_exact = np.all((written == targets) | ~counts, axis=0)
    return {
      "exact": np.mean(is_exact),
      "exact_by_digit": is_exact.astype(np.float32) @ is_digit / np.sum(is_digit, axis=0),
      "most_frequent": np.max(np.mean(is_digit, axis=0)),
    }

  return measure


EXPERIMENT = Experiment(
  "experiments.captions",
  __doc__,
  followed_by(
    measure_captions,
    dims={"exact": (), "exact_by_digit": ("digit",), "most_frequent": ()},
    coords=lambda point: {"digit": list(range(len(DIGIT_NAMES)))},
    settings=CAPTIONS_SETTINGS,
    headline={"exact": "share of held-out images", "most_frequent": "share", "final_score": "lower is better"},
    quantities={
      "exact": Quantity("share of held-out images that are named exactly", "1"),
      "exact_by_digit": Quantity("share of the held-out images of a digit that are named exactly", "1"),
      "most_frequent": Quantity("share that the one most frequent name would get", "1"),
      "digit": Quantity("digit that the image shows", "1"),
    },
  ),
  {
    "cells": "rnn,lstm,gru",
    "hidden_size": "64",
    "batch": "32",
    "updates": "1500",
    "stop": "never",
    "learning_rate": "0.02",
    "recurrent_init": "orthogonal",
  },
  seeds=3,
  seconds=89,
  figure="analysis.language.captions",
  tiny=TINY,
  unused=("length",),
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
