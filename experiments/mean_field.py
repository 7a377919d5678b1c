"""The prediction of the mean field: the growth rate of a large net, sampled from one neuron's process.

The theory behind the black lines of `recurrent_gain`, `lyapunov` and `activation_choice`. No net is simulated: `hidden_size`
is the number of sampled units, `seq_len` that of steps (see `recurrent_lab.theory.mean_field` for the assumptions).

    python -m experiments.mean_field
    python -m experiments.mean_field --forget_bias=-2:6:17 --cells=lstm,gru --out=elsewhere

Expect: within 0.02 nats per step of nets of 256 units at input scale 1; NaN where the activity of a relu overflows.
"""

from collections.abc import Mapping
import sys

from jaxtyping import Array

from experiments.portrait import SETTINGS
from experiments.portrait.settings import TINY, Net
from recurrent_lab.theory import predicted_growth_rate
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.points import read


def predict(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  net = read(Net, static)
  rate = predicted_growth_rate(
    net.cell,
    key,
    steps=net.seq_len,
    samples=net.hidden_size,
    recurrent_gain=values["ws"],
    input_scale=values["input_scale"],
    forget_bias=values["forget_bias"],
    bias_scale=values["bias_scale"],
  )
  return {"growth_rate": rate}


MEASURE = Measure(
  run=predict,
  settings=SETTINGS,
  dims={"growth_rate": ()},
  headline={"growth_rate": "nats per step"},
  quantities={"growth_rate": Quantity("growth rate predicted by the mean field", "nats per step")},
)

CELLS = "rnn,lstm,gru,rnn_hard_tanh,rnn_softsign,rnn_sigmoid,rnn_relu,rnn_leaky_relu"

EXPERIMENT = Experiment(
  "experiments.mean_field",
  __doc__,
  MEASURE,
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
