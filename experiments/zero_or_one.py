"""Is the simplified LSTM's Jacobian factor tanh'(·) σ(W_f X + b_f) really "either 0 or 1"?

Claim (introductions): the surface Z = tanh'(x) σ(y) is basically 0 or 1, so terms of the BPTT sum stay whole or drop out.
Measures the histogram of the factors along trajectories, and the shares within 0.1 of 0 and of 1, against the forget bias
and the input scale.

    python -m experiments.zero_or_one
    python -m experiments.zero_or_one --cells=simplified_lstm_linear    without the outer tanh

Expect: neither; most factors lie between.
"""

from collections.abc import Mapping
import sys

import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import SETTINGS, cell_of, draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Measure, Point, Quantity, main

FACTOR_BINS = 50


def gate_factors(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """Computes the distribution of the factor φ'(·) f_t of a simplified LSTM's diagonal Jacobian along a trajectory."""
  cell = cell_of(static)
  params, xs, state, _ = draw(static, key, values)
  seen = rl.activities(cell, params, xs, state)
  factor = (jnp.exp(seen["state"].log_slope) * seen["forget"].value).ravel()
  counts, _ = jnp.histogram(factor, bins=FACTOR_BINS, range=(0.0, 1.0))
  return {
    "share": counts / factor.size,
    "share_near_zero": jnp.mean(factor < 0.1),
    "share_near_one": jnp.mean(factor > 0.9),
    "mean_factor": jnp.mean(factor),
  }


MEASURE = Measure(
  run=gate_factors,
  settings=SETTINGS,
  dims={"share": ("factor",), "share_near_zero": (), "share_near_one": (), "mean_factor": ()},
  coords=lambda static: {"factor": [round((i + 0.5) / FACTOR_BINS, 6) for i in range(FACTOR_BINS)]},
  headline={
    "share_near_zero": "of the factors, below 0.1",
    "share_near_one": "of the factors, above 0.9",
    "mean_factor": "between 0 and 1",
  },
  quantities={
    "share": Quantity("share of the factors in a bin", "1"),
    "share_near_zero": Quantity("share of the factors below 0.1", "1"),
    "share_near_one": Quantity("share of the factors above 0.9", "1"),
    "mean_factor": Quantity("mean factor", "1"),
    "factor": Quantity("factor φ'·f of the Jacobian, middle of the bin", "1"),
  },
)

EXPERIMENT = Experiment(
  "experiments.zero_or_one",
  __doc__,
  MEASURE,
  {"cells": "simplified_lstm", "forget_bias": "-2:6:5", "input_scale": "0.1,1,10"},
  allowed={"cells": ("simplified_lstm", "simplified_lstm_linear")},
  seconds=7,
  figure="analysis.paper.zero_or_one",
  tiny={**TINY, "forget_bias": "0,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
