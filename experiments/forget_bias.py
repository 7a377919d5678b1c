"""How long does a net remember as the bias of its forget gate grows?

Claim (introductions): the forget gate is the key part of the LSTM; open, it keeps the product near 1.
Measures the same portrait as `recurrent_gain`, against the bias of LSTM f and GRU z (the RNN has none and stays flat).

    python -m experiments.forget_bias
    python -m experiments.forget_bias --input_scale=0.1 --ws=0       close to the closed form -1 / ln σ(b_f)

Expect: without recurrent weights a memory length near -1 / ln σ(b_f), lower where the input makes the gate fluctuate. With
W_s = 1 the LSTM leaves that curve upwards and stops forgetting; 4 (1 - σ(b_f)) is its critical gain at the zero state.
"""

import sys

from experiments.portrait import PORTRAIT
from experiments.portrait.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.forget_bias",
  __doc__,
  PORTRAIT,
  {"forget_bias": "-2:6:17", "ws": "0,1"},
  seconds=139,
  figure="analysis.paper.forget_bias",
  tiny={**TINY, "cells": "gru", "forget_bias": "0,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
