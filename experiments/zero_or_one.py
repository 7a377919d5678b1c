"""Is the simplified LSTM's Jacobian factor tanh'(·) σ(W_f X + b_f) really "either 0 or 1"?

Claim (introduction): the surface Z = tanh'(x) σ(y) is basically 0 or 1, so terms of the BPTT sum stay whole or drop out.
Measures the histogram of the factors along trajectories, and the shares within 0.1 of 0 and of 1, against the forget bias
and the input scale.

    python -m experiments.zero_or_one                                   about 15 seconds on two cores
    python -m experiments.zero_or_one --cells=simplified_lstm_linear    without the outer tanh

Expect: neither; most factors lie between.
"""

import sys

from experiments.measure import GATE_FACTORS
from experiments.runner import Experiment, main

EXPERIMENT = Experiment(
  "zero_or_one",
  __doc__,
  GATE_FACTORS,
  {"cells": "simplified_lstm", "forget_bias": "-2:6:5", "input_scale": "0.1,1,10"},
  cells=("simplified_lstm", "simplified_lstm_linear"),
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
