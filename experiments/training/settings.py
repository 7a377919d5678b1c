"""Settings of training runs.

A training run is a point like any other. Its block holds the seeds that share all settings, which train at once under `vmap`.
"""

import dataclasses
from functools import cache, partial
import math

from experiments.portrait import SETTINGS as NET_SETTINGS
from experiments.portrait.own import cell_of, settings_of_own
from experiments.training.data import DATA_TASKS, data_task
import recurrent_lab as rl
from recurrent_lab import training
from recurrent_lab.tasks import TASKS, Task, get_task
from sweepkit.points import REST
from sweepkit.settings import (
  NON_NEGATIVE,
  NON_NEGATIVE_INT,
  POSITIVE,
  POSITIVE_INT,
  Setting,
  Settings,
  Value,
  number_text,
  one_of,
)


def _is_bias(text: str) -> bool:
  try:
    return text == "chrono" or math.isfinite(float(text))
  except ValueError:
    return False


def _bias(text: str) -> str:
  """A bias as points hold it, so that 1, 1.0 and 1e0 are one."""
  return number_text(text) if _is_bias(text) and text != "chrono" else text


SETTINGS: Settings = {
  "cells": NET_SETTINGS["cells"]._replace(brings=partial(settings_of_own, may_trace=False)),
  "layers": Setting(int, "1", "cells on top of each other", *POSITIVE_INT, units="1"),
  "hidden_size": NET_SETTINGS["hidden_size"],
  "task": Setting(str, "adding", "what to learn", *one_of((*TASKS, *DATA_TASKS)), table=TASKS),
  "length": Setting(
    int, "100", "the length, lag or delay of the task (digits have their own)", *POSITIVE_INT, units="steps", symbol="T"
  ),
  "batch": Setting(int, "64", "sequences in a batch", *POSITIVE_INT, units="1"),
  "updates": Setting(int, "5000", "largest number of updates", *POSITIVE_INT, units="updates"),
  "stop": Setting(str, "solved", "stop when all seeds have solved the task, or never", *one_of(("solved", "never"))),
  "optimizer": Setting(str, "adam", "an optimiser of optax", *one_of(tuple(training.OPTIMIZERS))),
  "learning_rate": Setting(float, "0.001", "learning rate of the optimiser", *POSITIVE, units="1"),
  "clip": Setting(str, "global_norm", "how the gradient is clipped", *one_of(tuple(training.CLIPS))),
  "clip_at": Setting(float, "1", "where it is clipped", *POSITIVE, units="1"),
  "omega": Setting(float, "0", "weight of Pascanu's regulariser Ω", *NON_NEGATIVE, units="1"),
  "k1": Setting(
    int, "0", "truncated BPTT: steps between two backward passes, 0 for full BPTT", *NON_NEGATIVE_INT, units="steps"
  ),
  "k2": Setting(
    int, "0", "truncated BPTT: steps that each goes back, 0 for full BPTT", *NON_NEGATIVE_INT, units="steps"
  ),
  "floss": Setting(int, "0", "updates of gradient flossing before training", *NON_NEGATIVE_INT, units="updates"),
  "floss_k": Setting(int, "16", "exponents that flossing pushes to 0", *POSITIVE_INT, units="1"),
  "init": Setting(
    str, "flags", "weights from the flags below, or the lab's recommendation", *one_of(("flags", "recommended"))
  ),
  "recurrent_init": NET_SETTINGS["recurrent_init"],
  "ws": NET_SETTINGS["ws"]._replace(traced=False),
  "input_gain": Setting(float, "1", "input weights have standard deviation input_gain / √I", *NON_NEGATIVE, units="1"),
  "output_gain": Setting(
    float, "1", "readout weights have standard deviation output_gain / √H", *NON_NEGATIVE, units="1"
  ),
  "forget_bias": Setting(
    str,
    "0",
    "bias of the gate that keeps the state",
    _is_bias,
    "a finite number, or chrono",
    canonical=_bias,
    units="1",
    is_axis=True,
  ),
}


# Flossing between updates, for runs that ask for it; others have none.
FLOSS_SETTINGS: Settings = {
  "floss_every": Setting(
    int, "0", "updates of training between two bouts of flossing, 0 for none", *NON_NEGATIVE_INT, units="updates"
  ),
  "floss_updates": Setting(int, "0", "updates of flossing in each bout", *NON_NEGATIVE_INT, units="updates"),
  "floss_interval": Setting(int, "1", "steps between two QR decompositions of flossing", *POSITIVE_INT, units="steps"),
}


# Sizes that are small enough for a test.
TINY = {"cells": "rnn", "length": "8", "hidden_size": "4", "batch": "4", "updates": "50", "stop": "never"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSettings:
  """The settings of a training run, as `SETTINGS` explains them. Equal settings are equal, so that compiled programs are shared.

  Subclasses add what other tasks need, and make these tasks.
  """

  cell: str
  layers: int
  hidden_size: int
  task: str
  length: int
  batch: int
  updates: int
  stop: str
  optimizer: str
  learning_rate: float
  clip: str
  clip_at: float
  omega: float
  k1: int
  k2: int
  floss: int
  floss_k: int
  init: str
  recurrent_init: str
  ws: float
  input_gain: float
  output_gain: float
  forget_bias: str
  x64: bool
  decay: str = "none"  # how the learning rate falls over the updates: cosine or none
  watched: bool = True  # whether the gradient dynamics are measured in training
  floss_every: int = 0  # this and the next two as `FLOSS_SETTINGS` explains them
  floss_updates: int = 0
  floss_interval: int = 1
  own: tuple[tuple[str, Value], ...] = dataclasses.field(default=(), metadata=REST)  # options that only this cell has

  def units(self) -> int:
    """Returns the number of units H of a layer."""
    return self.hidden_size

  def make_cell(self) -> rl.Cell:
    """Returns the cell, or the stack of its layers."""
    cell = cell_of({"cell": self.cell, **dict(self.own)})
    return cell if self.layers == 1 else rl.stack(*[cell] * self.layers)

  def make_task(self) -> Task:
    """Returns the task. Equal settings give the identical task.

    Raises:
      ValueError: if the task cannot be made, naming the flag.
    """
    return task_of(self.task, self.length)


@cache
def task_of(name: str, length: int) -> Task:
  """Returns a task by its name and length; the identical task for equal arguments.

  Raises:
    ValueError: if its data is not installed, or it has no such length.
  """
  try:
    return data_task(name) if name in DATA_TASKS else get_task(name, length)
  except ImportError as error:
    raise ValueError(f"--task: {error}") from None
  except ValueError as error:
    raise ValueError(f"--length: {error}") from None
