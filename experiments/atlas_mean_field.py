"""Does mean-field theory predict the growth rates of the atlas, by gain and by forget bias?

Computes the black lines on the cards of the atlas. No net is simulated: `hidden_size` is the number of sampled units,
`seq_len` that of steps (see `recurrent_lab.theory.mean_field` for the assumptions).

    python -m experiments.atlas_mean_field
    python -m experiments.atlas_mean_field --cells=lstm,gru,janet --ws=1 --forget_bias=-2:5:8

A cell takes part if its units see each other through one dense Gaussian kernel alone.

Expect: at gain 1, the prediction lies within 0.05 nats per step of the nets of 32 units in `critical_gain`, for most cells.
Found: for an LSTM whose candidate is a σ it lies 0.11 above, because a mean activity freezes part of the drive. It is NaN where
the activity of a relu overflows.
"""

import sys

from experiments.portrait import PREDICTED
from experiments.portrait.settings import TINY
from sweepkit import Experiment, main

CELLS = (
  "rnn,rnn_relu,rnn_linear,rnn_sigmoid,rnn_leaky_relu,rnn_softsign,rnn_hard_tanh,lstm,lstm_sigmoid_input,lstm_1997,lstm_coupled,"
  "peephole_lstm,peephole_lstm_coupled,gru,janet,ugrnn,cfn,li_gru,star,nbrc,nas,leaky_rnn,slstm,cfc"
)

EXPERIMENT = Experiment(
  "experiments.atlas_mean_field",
  __doc__,
  PREDICTED,
  {"cells": CELLS, "ws": "0.5:4:8", "hidden_size": "128", "seq_len": "100"},
  allowed={"cells": tuple(CELLS.split(","))},
  seeds=2,
  seconds=160,
  tiny={**TINY, "cells": "rnn,janet", "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
