"""Over which lag can a net learn to remember, and does its memory length before training predict it?

The product of Jacobians of an untrained net falls by e over its memory length (`experiments.forget_bias`). If it decides what is
learned, the lag of a memory task that can be solved must grow with it. Five bits are to be repeated after a silence.

    python -m experiments.solvable_lag                                   {FULL}

Expect: the longest solved lag grows with the forget bias as the memory length does.
"""

import sys

from experiments.learning import SETTINGS, build
from experiments.runner import Experiment, main
from experiments.train import TRAIN

EXPERIMENT = Experiment(
  "solvable_lag",
  __doc__,
  TRAIN,
  {
    "cells": "lstm",
    "task": "noiseless_memorization",
    "length": "5,10,20,40,80",
    "hidden_size": "32",
    "batch": "32",
    "updates": "1000",
    "forget_bias": "-2,-1,0,1,2,3,4",
  },
  seeds=5,
  settings=SETTINGS,
  check=build,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
