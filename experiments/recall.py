"""Who does Jane say hi to, when John came in long ago?

Claim (the introductions): a plain net loses a name over a long gap, and gates keep it. Trains on stories that name two people,
fill a gap, and ask for one of them; `experiments.ngram_tasks` asks counts the same.

    python -m experiments.recall
    python -m experiments.recall --cells=gru --length=5 --updates=500

Expect: all but the n-gram succeed at a short gap, and LSTM and GRU alone at long ones, where the RNN errs nearly as often as a
guess among the other seven names (6/7).
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.recall",
  __doc__,
  TRAIN,
  {
    "cells": "rnn,lstm,gru",
    "task": "long_range_recall",
    "length": "5,20,60",
    "hidden_size": "48",
    "batch": "32",
    "updates": "1200",
    "learning_rate": "0.003",
    "init": "recommended",
  },
  seeds=3,
  seconds=810,
  figure="analysis.language.recall",
  tiny=TINY,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
