"""Phase diagram of the RNN over (W_s, input scale): an input suppresses chaos.

Claim (Molgedey et al., 1992): white input of variance σ² moves the onset of chaos from W_s = 1 up to g_c(σ²). Measures the
largest exponent of the driven net.

    python -m experiments.phase_input
    python -m experiments.phase_input --cells=lstm,gru     the same for the gated cells, for which there is no closed form

Without any input the net would stay at its zero state, so the axis starts above 0 (--input=zero starts elsewhere).
Expect: the zero line of λ₁ on g_c(σ²), blurred by the finite size of the net.
"""

import sys

from experiments.portrait import LARGEST
from experiments.portrait.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.phase_input",
  __doc__,
  LARGEST,
  {"cells": "rnn", "ws": "0.5:3:26", "input_scale": "0.1:1.5:15", "hidden_size": "128", "seq_len": "400"},
  seeds=2,
  seconds=18,
  figure="analysis.paper.phase_input",
  tiny={**TINY, "ws": "0.5,2", "input_scale": "0,1"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
