"""Does the largest Lyapunov exponent predict how well a recurrent net runs in parallel over time?

Claim (Gonzalez et al., 2025): the iterations of Newton's method over a whole sequence stay few where λ₁ < 0, and come near T
where λ₁ > 0, for tanh nets. Measures the iterations of `newton_unroll` to an absolute tolerance of 1e-10 in float64, with whole
Jacobians and with their diagonals, beside λ₁ of the same net.

    python -m experiments.newton_iterations
    python -m experiments.newton_iterations --cells=rnn --hidden_size=100 --seq_len=1000 --seeds=20     the published net

Expect: below 20 iterations for λ₁ < -0.2 with any cell, and about T / 2 or more for λ₁ > 0.1. One curve of λ₁ describes all
cells to about a tenth of T. The diagonals alone need more iterations, least so where units see mostly themselves.
"""

from collections.abc import Mapping
import sys

import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import EXPONENT, SETTINGS, cell_of, check_options, draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Measure, Point, Quantity, main

TOLERANCE = 1e-10
METHODS = ("newton", "quasi")
CELLS = (
  *("rnn", "leaky_rnn", "antisymmetric_rnn", "cornn", "indrnn_tanh"),
  *("lstm", "gru", "mgu", "janet", "minimal_rnn", "ugrnn", "cfn", "lem"),
)


def count(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The iterations of one net with both methods, and its largest exponent."""
  cell = cell_of(static)
  params, xs, state, _ = draw(static, key, values)
  steps = xs.shape[0]
  _, outputs = rl.unroll(cell, params, xs, state)
  runs = [rl.newton_unroll(cell, params, xs, state, method=method, tolerance=TOLERANCE) for method in METHODS]
  iterations = jnp.stack([run.iterations for run in runs]).astype(xs.dtype)
  spectrum = rl.lyapunov_spectrum(cell, params, xs, state, k=1, burn_in=steps // 4)
  return {
    "iterations": iterations,
    "share": iterations / steps,
    "settled": jnp.stack([run.change <= TOLERANCE for run in runs]).astype(xs.dtype),
    "error": jnp.stack([jnp.max(jnp.abs(run.outputs - outputs)) for run in runs]),
    "largest_exponent": spectrum.exponents[0],
  }


MEASURE = Measure(
  run=count,
  settings=SETTINGS,
  check=check_options,
  dims={**dict.fromkeys(("iterations", "share", "settled", "error"), ("jacobians",)), "largest_exponent": ()},
  coords=lambda static: {"jacobians": ["whole", "diagonal"]},
  headline={"iterations": "of Newton's method", "largest_exponent": "nats per step"},
  quantities={
    "iterations": Quantity("iterations until no state changes by more than 1e-10", "1"),
    "share": Quantity("iterations divided by the number of steps", "1"),
    "settled": Quantity("whether the states settled", "1"),
    "error": Quantity("largest difference of an output from that of the sequential run", "1"),
    "largest_exponent": EXPONENT,
    "jacobians": Quantity("Jacobians of the linearised steps: whole, or their diagonals alone"),
  },
)

EXPERIMENT = Experiment(
  "experiments.newton_iterations",
  __doc__,
  MEASURE,
  {
    "cells": ",".join(CELLS),
    "hidden_size": "16",
    "input_size": "4",
    "seq_len": "256",
    "ws": "0.5,1,1.5,2,2.5,3,4,6",
  },
  seeds=5,
  x64=True,
  seconds=240,
  figure="analysis.landmarks.newton_iterations",
  tiny={**TINY, "cells": "rnn,gru", "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
