"""What will they look at next?

Claim (the introductions: recommendation): the last click alone is not enough where a session has a taste that its first click
showed. Trains on generated sessions whose best possible error, with memory and without, is known; `experiments.ngram_tasks` asks
counts the same.

    python -m experiments.next_item

Expect: nets near the best error there can be (0.075), counts near that of the last item alone (0.525).
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.next_item",
  __doc__,
  TRAIN,
  {
    "cells": "rnn,lstm,gru",
    "task": "next_item",
    "length": "20",
    "hidden_size": "64",
    "batch": "32",
    "updates": "1500",
    "stop": "never",
    "learning_rate": "0.005",
    "init": "recommended",
  },
  seeds=3,
  seconds=96,
  figure="analysis.language.next_item",
  tiny=TINY,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
