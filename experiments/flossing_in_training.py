"""Does flossing between the updates of training bridge delays that flossing before training does not?

Claim (Engelken, 2023): for challenging tasks, gradient flossing during training further increases the delay that
backpropagation bridges. Trains tanh nets of 80 units on the delayed XOR over sequences of 300 steps: plainly, after flossing, and
with bouts of flossing between the updates too. Every bout pushes 75 exponents to 0.

    python -m experiments.flossing_in_training
    python -m experiments.flossing_in_training --floss=200 --floss_every=500 --floss_updates=50

Expect: at a delay of 20 more seeds with flossing than without. With bouts between the updates at least as many as with flossing
before training alone, and more of them at a delay of 40.
"""

import dataclasses
import sys

from experiments.training import RunSettings, trained_as
from experiments.training.settings import FLOSS_SETTINGS, SETTINGS, TINY
from recurrent_lab.tasks import Task
from recurrent_lab.tasks.xor import delayed_xor
from sweepkit import Experiment, main
from sweepkit.settings import POSITIVE_INT, Setting, Settings, one_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlossedSettings(RunSettings):
  """The settings of a run on the delayed XOR over sequences of a length of their own, as the paper has them."""

  steps: int

  def make_task(self) -> Task:
    """Returns the task. Equal settings give the identical task.

    Raises:
      ValueError: if there is no such delay, or the sequences are too short for it, naming the flags.
    """
    if self.steps <= self.length:
      raise ValueError(f"steps is {self.steps}; it must exceed length, the delay of {self.length} steps.")
    try:
      return delayed_xor(self.length, self.steps)
    except ValueError as error:
      raise ValueError(f"--length: {error}") from None


_ONLY, _ALLOWED = one_of(("delayed_xor",))

FLOSSED: Settings = {
  **SETTINGS,
  "task": SETTINGS["task"]._replace(default="delayed_xor", check=_ONLY, allowed=_ALLOWED),
  "steps": Setting(int, "300", "steps of a sequence", *POSITIVE_INT, units="steps"),
  **FLOSS_SETTINGS,
}

EXPERIMENT = Experiment(
  "experiments.flossing_in_training",
  __doc__,
  trained_as(FlossedSettings, FLOSSED),
  {
    "cells": "rnn",
    "length": "20,40",
    "hidden_size": "80",
    "batch": "16",
    "updates": "3000",
    "floss": "0,200",
    "floss_k": "75",
    "floss_interval": "5",
  },
  seeds=5,
  drawn_along=("floss_every", "floss_updates"),
  seconds=1200,
  figure="analysis.landmarks.flossing_in_training",
  tiny={**TINY, "length": "4", "steps": "20", "floss": "2", "floss_k": "2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
