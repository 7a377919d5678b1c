"""Phase diagram of the gated cells over (W_s, b_f), without input: where does the silent state lose its stability?

Claim (Can, Krishnamurthy & Schwab, 2020): the forget gate lowers the LSTM's critical gain to 4 (1 - σ(b_f)); the update gate
leaves that of the GRU at 1/σ(b_r) = 2. Measures the largest exponent of the autonomous net from a Gaussian state.

    python -m experiments.phase_gates
    python -m experiments.phase_gates --input=white       driven

Expect: λ₁ < 0 below the line, and chaos only well above it. The eigenvalues of J = σ(b_f) I + ¼ U_g fill a disk about σ(b_f),
which meets the unit circle at +1 alone. The first loss of stability therefore leads to other fixed points (a pitchfork), and
chaos needs a second one. For the RNN, whose disk is about 0, both happen at once.
"""

import sys

from experiments.portrait import LARGEST
from experiments.portrait.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.phase_gates",
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
  seconds=38,
  figure="analysis.paper.phase_gates",
  tiny={**TINY, "ws": "0.5,2", "forget_bias": "0,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
