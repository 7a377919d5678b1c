"""What the mean field predicts: the growth rate of a large net, sampled from one neuron's process.

The theory behind the black lines of `recurrent_gain`, `lyapunov` and `activation_choice`. No net is simulated: `hidden_size`
is the number of sampled units, `seq_len` that of steps (see `recurrent_lab.theory.mean_field` for the assumptions).

    python -m experiments.mean_field
    python -m experiments.mean_field --forget_bias=-2:6:17 --cells=lstm,gru --out=elsewhere

Expect: within 0.02 nats per step of nets of 256 units at input scale 1; NaN where the activity of a relu overflows.
"""

from collections.abc import Mapping
import sys

from jaxtyping import Array

from experiments.attributes import Quantity
from experiments.grid import Point
from experiments.measure import Measure
from experiments.runner import Experiment, main
from recurrent_lab.theory import predicted_growth_rate


def predict(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  rate = predicted_growth_rate(
    str(static["cell"]),
    key,
    steps=int(static["seq_len"]),
    samples=int(static["hidden_size"]),
    recurrent_gain=values["ws"],
    input_scale=values["input_scale"],
    forget_bias=values["forget_bias"],
    bias_scale=values["bias_scale"],
  )
  return {"growth_rate": rate}


MEASURE = Measure(
  run=predict,
  dims={"growth_rate": ()},
  coords=lambda static: {},
  headline={"growth_rate": "nats per step"},
  quantities={"growth_rate": Quantity("growth rate predicted by the mean field", "nats per step")},
)

CELLS = "rnn,lstm,gru,rnn_hard_tanh,rnn_softsign,rnn_sigmoid,rnn_relu,rnn_leaky_relu"

EXPERIMENT = Experiment(
  "mean_field",
  __doc__,
  MEASURE,
  {"cells": CELLS, "ws": "0.5:6:12", "hidden_size": "512", "seq_len": "200"},
  cells=(*CELLS.split(","), "rnn_linear", "peephole_lstm", "lstm_sigmoid_input", "lstm_1997", "lstm_coupled"),
  seeds=2,
  drawn_by="analysis.paper.recurrent_gain",
  drawn_beside="recurrent_gain",
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
