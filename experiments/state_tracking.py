"""Which linear recurrent cells keep track of a state, and over how many steps that they were not trained on?

Claim (Grazzi et al., 2025, figure 1): with eigenvalues of the transition in [0, 1] a linear cell stays at chance on the parity of
bits. With eigenvalues in [-1, 1] it learns parity at lengths up to 40, and is right at lengths up to 256. Beside parity stand
products of permutations of three things, which do not commute: of swaps alone, and of all six permutations.

    python -m experiments.state_tracking
    python -m experiments.state_tracking --cells=lru,rnn,lstm,gru --eigenvalues=own --hidden_size=32
    python -m experiments.state_tracking --cells=hgrn_real --task=parity --updates=200       a quarter of a minute

Every net is one cell with a linear readout; the paper's have several layers. The paper trains on lengths up to 40. Here all
sequences have 40 steps and every step counts, so that all shorter ones are trained as well.

    eigenvalues     own: the cell as the table has it; positive: in [0, 1]; signed: in [-1, 1]
    accuracy        share of right answers at the last step of 1000 new sequences of each length

Expect: every positive cell at chance on parity, 1/2; every signed one right at 40 steps, in most seeds at 256 too. On swaps a
signed diagonal cell (HGRN, Mamba) is no better than 1/3, the sign of the permutation alone. DeltaNet, whose transition is a
reflection, follows swaps and not all permutations, where a step may be a rotation: DeltaProduct, with two reflections per step,
follows both. LRU, whose eigenvalues do not see the input, is at chance throughout. RNN, LSTM and GRU learn all three.

Found: all of that for the linear cells, but on parity HGRN and DeltaProduct are right at 256 steps in two seeds and one of five.
RNN and GRU learn parity. In 1000 updates the RNN learns neither product, and the GRU learns them in some seeds and not to 256
steps. The LSTM learns all three.
"""

from collections.abc import Mapping
import dataclasses
import sys
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.training import SETTINGS, After, RunSettings, followed_by, task_of
from experiments.training.dynamics import DIMS
from experiments.training.journals import logged_updates
from experiments.training.settings import TINY
import recurrent_lab as rl
from recurrent_lab import cells
from sweepkit import Experiment, Quantity, main
from sweepkit.settings import Setting, Settings, one_of

TASKS = ("parity", "swap_product", "permutation_product")
RANGES = ("own", "positive", "signed")
LENGTHS = (4, 8, 16, 24, 32, 40, 48, 64, 96, 128, 192, 256)  # steps of the test sequences
SEQUENCES = 1000

#: Cells that differ in the range of their eigenvalues alone: [0, 1] and [-1, 1].
PAIRS: Mapping[str, Mapping[str, rl.Cell]] = MappingProxyType(
  {
    "hgrn_real": {"positive": cells.hgrn("real"), "signed": cells.hgrn("real", floor=-1.0)},
    "s6": {"positive": cells.s6(), "signed": cells.s6(negative_eigenvalues=True)},
    "delta_net": {"positive": cells.delta_net(), "signed": cells.delta_net(negative_eigenvalues=True)},
    "delta_product": {"positive": cells.delta_product(negative_eigenvalues=False), "signed": cells.delta_product()},
  }
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrackingSettings(RunSettings):
  """The settings of a run that tracks a state; its gradient dynamics are not measured."""

  eigenvalues: str
  watched: bool = False

  def make_cell(self) -> rl.Cell:
    """Returns the cell with eigenvalues in that range.

    Raises:
      ValueError: if there is no such variant of the cell, or for several layers of one.
    """
    if self.eigenvalues == "own":
      return super().make_cell()
    if self.cell not in PAIRS:
      raise ValueError(
        f"eigenvalues is {self.eigenvalues} with cell {self.cell}; only {', '.join(PAIRS)} have variants."
      )
    if self.layers > 1:
      raise ValueError(f"layers is {self.layers} with eigenvalues {self.eigenvalues}; it must be 1.")
    return PAIRS[self.cell][self.eigenvalues]


def measure_accuracy(settings: TrackingSettings) -> After:
  """The accuracy of a trained net at every length, on sequences that are the same for all nets."""
  task, cell = task_of(settings.task, max(LENGTHS)), settings.make_cell()

  @jax.jit
  def accuracy(params: rl.WithReadoutParams) -> Array:
    batch = task.test(jax.random.key(0), SEQUENCES)
    outputs = rl.readout(params.readout, rl.unroll(cell, params.cell, batch.inputs)[1])
    right = (jnp.argmax(outputs, axis=-1) == batch.targets) & ~jnp.any(jnp.isnan(outputs), axis=-1)
    return jnp.mean(right, axis=1)[jnp.asarray(LENGTHS) - 1]

  return lambda before, after: {"accuracy": accuracy(after)}


def _settings() -> Settings:
  (tracks, tasks), (is_fit, fit) = (
    one_of(TASKS),
    one_of(("recommended",)),
  )  # other flags of weights exist for some cells only
  return {
    **SETTINGS,
    "task": SETTINGS["task"]._replace(default="parity", check=tracks, allowed=tasks),
    "init": SETTINGS["init"]._replace(default="recommended", check=is_fit, allowed=fit),
    "eigenvalues": Setting(
      str,
      "own",
      "eigenvalues of the transition: the cell's own, in [0, 1] or in [-1, 1]",
      *one_of(RANGES),
      is_axis=True,
    ),
  }


_FOLLOWED = followed_by(
  measure_accuracy,
  {"accuracy": ("test_length",)},
  kind=TrackingSettings,
  settings=_settings(),
  headline={
    "accuracy": "share right",
    "final_score": "share wrong at the length of training",
    "solved": "share of seeds",
  },
  quantities={
    "accuracy": Quantity("share of right answers at the last step", "1"),
    "test_length": Quantity("length of the test sequences", "steps"),
  },
)


def _coords(point: Mapping[str, Any]) -> dict[str, list[Any]]:
  return {"update": logged_updates(int(point["updates"])), "test_length": list(LENGTHS)}


EXPERIMENT = Experiment(
  "experiments.state_tracking",
  __doc__,
  dataclasses.replace(
    _FOLLOWED, dims={name: axes for name, axes in _FOLLOWED.dims.items() if name not in DIMS}, coords=_coords
  ),
  {
    "cells": "hgrn_real,s6,delta_net,delta_product",
    "eigenvalues": "positive,signed",
    "task": ",".join(TASKS),
    "length": "40",
    "hidden_size": "8",
    "batch": "16",
    "updates": "1000",
    "stop": "never",
    "learning_rate": "0.01",
  },
  seeds=5,
  seconds=490,
  figure="analysis.landmarks.state_tracking",
  drawn_along=("hidden_size",),
  tiny={**TINY, "cells": "hgrn_real", "task": "parity", "eigenvalues": "positive,signed"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
