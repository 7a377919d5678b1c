"""A linear net W^T: singular values grow although every eigenvalue lies inside the unit circle.

Claim: the spectral radius is the wrong diagnostic for finite lags. For Gaussian W of gain g the largest singular value of
(W/g)^l tends to √((l+1)^{l+1}/l^l) (Fuss-Catalan); for orthogonal W and the identity it stays 1. Measures the portrait.

    python -m experiments.transient_growth

Expect: at W_s = 0.95 the Gaussian product is above 1 for some fifty steps before it falls.
"""

import sys

from experiments.measure import PORTRAIT
from experiments.runner import Experiment, main

EXPERIMENT = Experiment(
  "transient_growth",
  __doc__,
  PORTRAIT,
  {
    "cells": "rnn_linear",
    "recurrent_init": "gaussian,orthogonal,identity",
    "ws": "0.95",
    "input": "zero",
    "hidden_size": "128",
    "seq_len": "120",
  },
  cells=("rnn_linear",),
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
