"""Do clipping and Pascanu's Ω let plain SGD learn the order of two symbols far apart?

Claim (Pascanu et al., 2013, section 4.1): success falls with length for SGD, later with clipping, and last with clipping and Ω.
Their setting, at lengths that two cores can do: tanh RNN, 50 units, batches of 20, rate 0.01, clipping at norm 1; weights as
their "basic tanh" (standard deviation 0.1 throughout). Solved means below 1 % wrong.

    python -m experiments.temporal_order --clip=none                     plain SGD: 5 minutes on one core
    python -m experiments.temporal_order                                 with clipping
    python -m experiments.temporal_order --omega=2                       with clipping and Ω: 19 minutes
    python -m experiments.temporal_order --cells=lstm,gru --optimizer=adam --learning_rate=0.001 --init=recommended     gates

Expect: with Ω all seeds succeed where with clipping alone less than half do. Clipping itself is no gain here, though gradients do
explode (norms in the thousands at lengths 20 and 30) and a third of all updates are clipped.
"""

import math
import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

UNITS, SYMBOLS, DEVIATION = 50, 6, 0.1

EXPERIMENT = Experiment(
  "experiments.temporal_order",
  __doc__,
  TRAIN,
  {
    "cells": "rnn",
    "task": "temporal_order",
    "length": "10,20,30",
    "hidden_size": str(UNITS),
    "batch": "20",
    "updates": "20000",
    "optimizer": "sgd",
    "learning_rate": "0.01",
    "ws": f"{DEVIATION * math.sqrt(UNITS):.6g}",
    "input_gain": f"{DEVIATION * math.sqrt(SYMBOLS):.6g}",
    "output_gain": f"{DEVIATION * math.sqrt(UNITS):.6g}",
  },
  seeds=10,
  drawn_along=("clip", "omega", "optimizer", "learning_rate", "init"),
  seconds=608,
  figure="analysis.learning.temporal_order",
  tiny={**TINY, "length": "10"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
