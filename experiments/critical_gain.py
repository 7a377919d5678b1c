"""At which gain, or at which forget bias, does the Jacobian product of a cell neither vanish nor explode?

Claim: each cell has a critical gain, at which its growth rate crosses 0, and gates move it.
Measures, per cell, gain, forget bias and seed: the growth rate of both norms of the product, and the largest Lyapunov exponent.

    python -m experiments.critical_gain
    python -m experiments.critical_gain --cells=lstm,min_gru --ws=1 --forget_bias=-2:6:9

Expect: the tanh RNN crosses 0 near W_s = 1.86 at input scale 1, and linear nets at W_s = 1.
"""

import sys

from experiments.portrait import GROWTH
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, main

WITH_GAIN = tuple(name for name, cell in rl.CELLS.items() if "recurrent_gain" in cell.options)


EXPERIMENT = Experiment(
  "experiments.critical_gain",
  __doc__,
  GROWTH,
  {"cells": ",".join(WITH_GAIN), "ws": "0.5:4:8", "hidden_size": "32", "input_size": "8", "seq_len": "100"},
  seeds=4,
  seconds=300,
  tiny={**TINY, "cells": "rnn,mgu", "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
