"""Does a forget bias of 1 or 2 close the gap between LSTM and GRU?

Claim (Jozefowicz, Zaremba & Sutskever, 2015): a GRU learns most tasks better than an LSTM whose forget bias is 0, and a bias of 1
or 2 closes this gap. Trains both to add two marked numbers 50 steps apart, and shows the share of seeds that succeed and when.
`experiments.solvable_lag` has the same for a bit over a fixed lag.

    python -m experiments.forget_gap
    python -m experiments.forget_gap --cells=gru --forget_bias=0

Expect: the GRU adds in all seeds within 3000 updates, the LSTM with a bias of 0 in less than half of them, and with 1 or 2 in
most.
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.forget_gap",
  __doc__,
  TRAIN,
  {
    "cells": "lstm",
    "task": "adding",
    "length": "50",
    "hidden_size": "64",
    "batch": "32",
    "updates": "3000",
    "forget_bias": "0,1,2",
  },
  seeds=10,
  seconds=400,
  figure="analysis.landmarks.forget_gap",
  tiny=TINY,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
