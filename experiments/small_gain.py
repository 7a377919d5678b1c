"""Does the product go to 0 for every W_s between 0 and 1?

Claim (introductions): for 0 < W_s < 1 the product ∏ tanh'·W_s goes to 0. For one unit, W_s is the eigenvalue. For many units, it
is the standard deviation of √H times a weight. Close to 1, some draws have an eigenvalue beyond 1, and a linear net then grows.
Measures ln ‖∏ J‖ per step, how much of it is left at the end, and the spectral radius of W, of nets with tanh and without.

    python -m experiments.small_gain

Expect: with an input every tanh net shrinks; of linear nets of 64 units at W_s = 0.99 most grow.
"""

from collections.abc import Mapping
import sys

import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import SETTINGS, cell_of, draw
from experiments.portrait.radius import log_spectral_radius
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Measure, Point, Quantity, main


def growth(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The growth rate of a random net's product, over the second half of the lags, and the spectral radius of its kernel."""
  params, xs, state, _ = draw(static, key, values)
  log_norms = rl.product_log_norms(cell_of(static), params, xs, state)
  half = xs.shape[0] // 2
  return {
    "growth_rate": (log_norms[-1] - log_norms[-1 - half]) / half,
    "log_norm": log_norms[-1],
    "spectral_radius": jnp.exp(log_spectral_radius(params.recurrent_kernel)),
  }


EXPERIMENT = Experiment(
  "experiments.small_gain",
  __doc__,
  Measure(
    run=growth,
    settings=SETTINGS,
    dims={"growth_rate": (), "log_norm": (), "spectral_radius": ()},
    headline={"growth_rate": "nats per step, of the spectral norm", "spectral_radius": "largest |eigenvalue| of W"},
    quantities={
      "growth_rate": Quantity("growth rate of the spectral norm of the Jacobian product", "nats per step"),
      "log_norm": Quantity("ln of the spectral norm of the Jacobian product over all steps", "nats"),
      "spectral_radius": Quantity("spectral radius of the recurrent kernel", "1"),
    },
  ),
  {"cells": "rnn,rnn_linear", "ws": "0.5,0.9,0.95,0.99", "input": "zero,white"},
  allowed={"cells": ("rnn", "rnn_linear")},
  seeds=16,
  seconds=22,
  tiny={**TINY, "ws": "0.5,0.99"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
