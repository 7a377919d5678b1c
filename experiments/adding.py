"""Which cells learn to add two marked numbers 100 steps apart?

Claim (Hochreiter & Schmidhuber, 1997, experiment 4): gates carry the gradient where a plain net's vanishes. Trains every cell
with the initialisation the lab recommends (`recurrent_lab.recommended`); solved means a mean squared error below 0.01, where
always answering 1 gives 1/6.

    python -m experiments.adding
    python -m experiments.adding --cells=indrnn --layers=1,2             one layer cannot gate what it sums; two can
    python -m experiments.adding --cells=gru --length=50 --hidden_size=32 --updates=2000      half a minute

Expect: gated cells and two layers of IndRNN solve it in 300 to 1600 updates; the plain RNN and one layer of IndRNN stay near the
trivial error for all 5000.
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.adding",
  __doc__,
  TRAIN,
  {
    "cells": "gru,lstm,peephole_lstm,rnn",
    "task": "adding",
    "length": "100",
    "hidden_size": "128",
    "updates": "5000",
    "init": "recommended",
  },
  seeds=5,
  drawn_along=("layers",),
  seconds=2265,
  figure="analysis.learning.adding",
  tiny=TINY,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
