"""The growth rate against W_s for seven activations.

Claim (introductions: "f tanh or ReLU"): the activation decides where the product vanishes or explodes. Measures the largest
exponent of a driven net; `mean_field` holds the prediction for each.

    python -m experiments.activation_choice

Expect: a linear net follows ln W_s; relu ln W_s - ½ ln 2 until its activity overflows (status nonfinite); the saturating
ones cross 0 later and bend down.
"""

import sys

from experiments.portrait import LARGEST
from experiments.portrait.settings import TINY
from sweepkit import Experiment, main

RNNS = "rnn,rnn_hard_tanh,rnn_softsign,rnn_sigmoid,rnn_relu,rnn_leaky_relu,rnn_linear"

EXPERIMENT = Experiment(
  "experiments.activation_choice",
  __doc__,
  LARGEST,
  {"cells": RNNS, "ws": "0.5:6:12", "hidden_size": "128", "seq_len": "200"},
  seeds=4,
  seconds=30,
  figure="analysis.paper.activation_choice",
  tiny={**TINY, "cells": "rnn,rnn_sigmoid", "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
