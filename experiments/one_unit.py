"""One unit, S = tanh(w S + b): fixed points, bifurcations, and the product along the orbit.

Claim (introductions): for 0 < W_s < 1 the product goes to 0, for very large W_s to infinity. In one unit the second fails: the
orbit settles on a saturated fixed point or 2-cycle, where tanh' w is small again.

    python -m experiments.one_unit

Expect: a pitchfork at w = 1 and a period doubling at w = -1 for b = 0, both broken by b ≠ 0; an exponent that is 0 only there.
"""

from collections.abc import Mapping
import sys

from jaxtyping import Array

from experiments.portrait import SETTINGS, cell_of, draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Measure, Point, Quantity, main

KEPT = 8  # states at the end of the orbit


def orbit(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The last states of the orbit from a Gaussian start, and ln |∏ tanh' w| per step over its second half."""
  cell = cell_of(static)
  params, xs, state, _ = draw(static, key, values)
  _, outputs = rl.unroll(cell, params, xs, state)
  log_norms = rl.product_log_norms(cell, params, xs, state, norm="frobenius")
  half = xs.shape[0] // 2
  return {"state": outputs[-KEPT:, 0], "exponent": log_norms[half - 1] / half}


MEASURE = Measure(
  run=orbit,
  settings=SETTINGS,
  dims={"state": ("kept",), "exponent": ()},
  coords=lambda static: {"kept": list(range(KEPT))},
  headline={"exponent": "nats per step"},
  quantities={
    "state": Quantity("states at the end of the orbit", "1"),
    "exponent": Quantity("Lyapunov exponent", "nats per step"),
    "kept": Quantity("number of the kept state", "1"),
  },
)

EXPERIMENT = Experiment(
  "experiments.one_unit",
  __doc__,
  MEASURE,
  {
    "cells": "rnn",
    "hidden_size": "1",
    "input_size": "1",
    "recurrent_init": "identity",
    "input": "zero",
    "ws": "-4:4:129",
    "bias": "0,0.5",
    "seq_len": "400",
  },
  allowed={"cells": ("rnn", "rnn_sigmoid", "rnn_relu", "rnn_softsign", "rnn_hard_tanh", "indrnn_tanh")},
  seconds=6,
  figure="analysis.paper.one_unit",
  tiny={**TINY, "hidden_size": "1", "ws": "-2,0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
