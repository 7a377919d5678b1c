"""Over which lag can a net learn to remember, and does its memory length before training predict it?

The product of Jacobians of an untrained net falls by e over its memory length (`experiments.forget_bias`). If it decides what is
learned, the lag of a memory task that can be solved must grow with it. The task is the barest one, one bit over a fixed stretch
(Hochreiter & Schmidhuber, 1997, experiment 2a), and the time to learn it is short: a thousand updates.

    python -m experiments.solvable_lag

Expect: the longest solved lag grows with the forget bias as the memory length does.
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.solvable_lag",
  __doc__,
  TRAIN,
  {
    "cells": "lstm",
    "task": "long_lag",
    "length": "5,10,20,40,80",
    "hidden_size": "32",
    "batch": "32",
    "updates": "1000",
    "learning_rate": "0.003",
    "forget_bias": "-2,-1,0,1,2,3,4",
  },
  seeds=5,
  seconds=1014,
  figure="analysis.learning.solvable_lag",
  tiny=TINY,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
