"""Does a net of rectified units that starts at the identity learn long sequences that a tanh net does not?

Claim (Le, Jaitly & Hinton, 2015): it learns to add two numbers out of 150, and reads digits pixel by pixel, about as well as an
LSTM, where a tanh net stays near the trivial error. Its recurrent kernel is I, and its other weights have standard deviation
0.001, as in the paper, where 100 units read 28x28 pixels and SGD has a rate of 0.01. Here the digits have 8x8 pixels.

    python -m experiments.identity_start
    python -m experiments.identity_start --cells=rnn,lstm --recurrent_init=gaussian --input_gain=1 --output_gain=1 \
      --forget_bias=1 --optimizer=adam --learning_rate=0.001 --updates=5000
    python -m experiments.identity_start --task=adding --length=300        twice the length, which the paper also has

Expect: the rectified net adds over 150 steps in most of five seeds within 5000 updates, and the tanh net in none. Both read the
digits with less than one error in ten.

Found: with the rate of 0.01 none of five rectified nets adds or reads so well within 40 000 updates; they reach a mean squared
error of 0.163 and one wrong digit in five. The tanh net does not add, but reads the digits in 4 of 5 seeds.
"""

import sys

from experiments.training import TRAIN
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.identity_start",
  __doc__,
  TRAIN,
  {
    "cells": "rnn_relu",
    "task": "adding,digits",
    "length": "150",
    "hidden_size": "100",
    "batch": "16",
    "updates": "40000",
    "optimizer": "sgd",
    "learning_rate": "0.01",
    "recurrent_init": "identity",
    "input_gain": "0.00141",  # times 1/√2 for the two inputs of an addition
    "output_gain": "0.01",  # times 1/√100
  },
  seeds=5,
  drawn_along=("optimizer", "learning_rate", "updates", "recurrent_init", "input_gain", "output_gain", "forget_bias"),
  seconds=1200,
  figure="analysis.landmarks.identity_start",
  tiny={**TINY, "cells": "rnn_relu", "task": "adding"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
