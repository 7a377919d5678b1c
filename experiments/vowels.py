"""Who says /ae/?

Claim (the introductions: speech is many to many, or many to one): a recurrent net follows series of any length. Nine speakers of
the Japanese Vowels (Kudo, Toyama & Shimbo, 1999; 270 utterances to train with, 370 held out) are told apart by the whole
utterance, and frame by frame from what was heard so far. Needs the data: pip install --no-deps aeon.

    python -m experiments.vowels

Expect: 90 % of the held-out utterances and more; fewer of the frames, since the first ones tell little.
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.vowels",
  __doc__,
  TRAIN,
  {
    "cells": "rnn,lstm,gru",
    "task": "vowels,vowels_per_frame",
    "hidden_size": "32",
    "batch": "32",
    "updates": "400",
    "stop": "never",
    "learning_rate": "0.005",
    "recurrent_init": "orthogonal",
    "forget_bias": "1",
  },
  seeds=3,
  seconds=110,
  figure="analysis.language.vowels",
  tiny=TINY,
  unused=("length",),
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
