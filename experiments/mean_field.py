"""The prediction of the mean field: the growth rate of a large net, sampled from one neuron's process.

The theory behind the black lines of `recurrent_gain`, `lyapunov` and `activation_choice`. No net is simulated: `hidden_size`
is the number of sampled units, `seq_len` that of steps (see `recurrent_lab.theory.mean_field` for the assumptions).

    python -m experiments.mean_field
    python -m experiments.mean_field --forget_bias=-2:6:17 --cells=lstm,gru --out=elsewhere

Expect: within 0.02 nats per step of nets of 256 units at input scale 1; NaN where the activity of a relu overflows.
"""

import sys

from experiments.portrait import PREDICTED
from experiments.portrait.settings import TINY
from sweepkit import Experiment, main

CELLS = "rnn,lstm,gru,rnn_hard_tanh,rnn_softsign,rnn_sigmoid,rnn_relu,rnn_leaky_relu"

EXPERIMENT = Experiment(
  "experiments.mean_field",
  __doc__,
  PREDICTED,
  {"cells": CELLS, "ws": "0.5:6:12", "hidden_size": "512", "seq_len": "200"},
  allowed={
    "cells": (*CELLS.split(","), "rnn_linear", "peephole_lstm", "lstm_sigmoid_input", "lstm_1997", "lstm_coupled")
  },
  seeds=2,
  seconds=84,
  figure="analysis.paper.recurrent_gain",
  drawn_beside="recurrent_gain",
  tiny={**TINY, "cells": "rnn,gru", "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
