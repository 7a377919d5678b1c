"""Does pushing the Lyapunov exponents to zero before training let a net learn longer delays?

Claim (Engelken, 2023): gradient flossing, descent on the squares of the leading exponents, keeps gradients alive over the delay
of a task, and more delays become solvable. Trains on the delayed XOR, y_t = x_{t-d/2} ⊕ x_{t-d}, and follows λ₁ in training.

    python -m experiments.flossing
    python -m experiments.flossing --cells=rnn --length=4,8 --updates=500        a quarter of a minute

Expect: λ₁ at 0 after flossing and near it ever after; longer delays for the RNN, none for LSTM and GRU, which it rather slows.
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.flossing",
  __doc__,
  TRAIN,
  {
    "cells": "rnn,lstm,gru",
    "task": "delayed_xor",
    "length": "4,8,16,32",
    "hidden_size": "32",
    "batch": "32",
    "updates": "2000",
    "floss": "0,300",
  },
  seeds=5,
  seconds=826,
  figure="analysis.learning.flossing",
  tiny={**TINY, "floss_k": "4"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
