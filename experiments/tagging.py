"""Apple the fruit or Apple the company?

Claim (the introductions): a feed-forward net on single words cannot tell "I like eating apple" from "The Apple is a great
company", a recurrent one can. A length of 1 shows the ambiguous word alone, which makes any net context-free; longer sentences
have a cue somewhere before it.

    python -m experiments.tagging
    python -m experiments.tagging --cells=rnn --length=1,4 --updates=300

Expect: half of the ambiguous words wrong without context, hardly any with it.
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.tagging",
  __doc__,
  TRAIN,
  {
    "cells": "rnn,lstm,gru",
    "task": "tagging",
    "length": "1,4,12",
    "hidden_size": "32",
    "batch": "32",
    "updates": "500",
    "learning_rate": "0.005",
    "recurrent_init": "orthogonal",
    "forget_bias": "1",
  },
  seeds=3,
  seconds=1029,
  figure="analysis.language.tagging",
  tiny=TINY,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
