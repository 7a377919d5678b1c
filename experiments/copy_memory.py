"""Does the forget bias decide whether an LSTM can copy ten symbols over a lag?

Claim (Tallec & Ollivier, 2018, figure 3): biases drawn for the time scale of the task (chrono) beat a bias of 1, the more the
longer the lag. The trivial loss, 10 ln 8 / (T + 20), is that of a net that knows when to answer and not what.

    python -m experiments.copy_memory
    python -m experiments.copy_memory --length=10 --hidden_size=32 --updates=1000     half a minute

Expect: chrono leaves the trivial loss first and ends lowest; 3000 updates are too few to solve the task with any of them.
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.copy_memory",
  __doc__,
  TRAIN,
  {
    "cells": "lstm",
    "task": "copy_memory",
    "length": "50,100",
    "hidden_size": "64",
    "batch": "32",
    "updates": "3000",
    "learning_rate": "0.003",
    "recurrent_init": "orthogonal",
    "forget_bias": "0,1,chrono",
  },
  seeds=5,
  seconds=1385,
  figure="analysis.learning.copy_memory",
  tiny=TINY,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
