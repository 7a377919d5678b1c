"""Phase diagram of the gated cells over (W_s, b_f), without input: where does the silent state lose its stability?

Claim (Can, Krishnamurthy & Schwab, 2020): the forget gate lowers the LSTM's critical gain to 4 (1 - σ(b_f)); the update gate
leaves that of the GRU at 1/σ(b_r) = 2. Measures the largest exponent of the autonomous net from a Gaussian state.

    python -m experiments.phase_gates                     about 40 seconds on two cores
    python -m experiments.phase_gates --input=white       driven

Expect: λ₁ < 0 below the line; above it chaos, and for the LSTM more so the more it remembers.
"""

import sys

from experiments.measure import LARGEST
from experiments.runner import Experiment, main

EXPERIMENT = Experiment(
  "phase_gates",
  __doc__,
  LARGEST,
  {
    "cells": "lstm,gru",
    "ws": "0.25:5:20",
    "forget_bias": "-2:4:13",
    "input": "zero",
    "hidden_size": "128",
    "seq_len": "400",
  },
  seeds=2,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
