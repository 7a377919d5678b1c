"""Which cells of the atlas learn a task at equal parameters and equal updates, and was it seen before training?

Claim: the length of the memory before training (`experiments.atlas`) ranks the cells as training does.
Trains two layers of every cell with a readout, as the cell's authors recommend (`recommended`). Every net has the units with
which it has as many parameters as the others, up to 5 %. Two layers, since one layer of an element-wise cell cannot gate what it
sums. A task is solved as in `experiments.adding`, `experiments.copy_memory` and `experiments.temporal_order`.

    python -m experiments.atlas_training
    python -m experiments.atlas_training --task=copy_memory --length=20
    python -m experiments.atlas_training --task=temporal_order --length=30
    python -m experiments.atlas_training --cells=gru,min_gru --parameters=1000 --updates=100

The cells are 32 of the 89 of the atlas, from its three rooms. Measured before training are one layer of 16 units and its first
lag below 1/e, the growth rate of its Jacobian product, and the distance of that rate from 0.

Expect: gated cells and those linear in the state solve adding, plain ones do not. Few cells copy ten symbols in so few updates.
The first lag below 1/e ranks the cells better than the growth rate, and no rank correlation exceeds 0.7, since what a cell can
store counts too.
"""

import sys

from experiments.training import TRAIN_EQUAL
from experiments.training.settings import TINY
from sweepkit import Experiment, main

CELLS = (
  *("rnn", "lstm", "gru", "mgu", "janet", "minimal_rnn", "ugrnn", "cfn", "star", "fast_grnn", "nbrc"),
  *("antisymmetric_rnn", "cornn", "lem", "orthogonal_rnn"),
  *("indrnn", "min_gru", "min_lstm", "qrnn", "sru", "lru", "rg_lru", "s4d", "s5", "lin_oss", "hgrn", "unicornn"),
  *("linear_attention", "retnet", "gla", "delta_net", "gated_delta_net", "mlstm"),
)

EXPERIMENT = Experiment(
  "experiments.atlas_training",
  __doc__,
  TRAIN_EQUAL,
  {
    "cells": ",".join(CELLS),
    "task": "adding",
    "length": "50",
    "layers": "2",
    "parameters": "5000",
    "batch": "32",
    "updates": "1000",
    "stop": "never",
    "learning_rate": "0.003",
    "init": "recommended",
  },
  seeds=5,
  figure="analysis.training.trained_cells",
  drawn_along=("task", "length"),
  seconds=1800,
  tiny={**{name: text for name, text in TINY.items() if name != "hidden_size"}, "parameters": "800"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
