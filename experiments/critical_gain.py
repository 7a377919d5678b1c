"""At which gain, or at which forget bias, does the Jacobian product of a cell neither vanish nor explode?

Claim: each cell has a critical gain, at which its growth rate crosses 0, and gates move it.
Measures, per cell, gain, forget bias and seed: the growth rate of both norms of the product, and the largest Lyapunov exponent.

    python -m experiments.critical_gain
    python -m experiments.critical_gain --cells=lstm,min_gru --ws=1 --forget_bias=-2:6:9

Expect: the tanh RNN crosses 0 near W_s = 1.86 at input scale 1, and linear nets at W_s = 1.
"""

from collections.abc import Mapping
import sys

import jax
from jaxtyping import Array

from experiments.portrait import EXPONENT, SETTINGS, cell_of, check_options, draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Measure, Point, Quantity, main

WITH_GAIN = tuple(name for name, cell in rl.CELLS.items() if "recurrent_gain" in cell.options)


def measure(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The growth rates of one net."""
  cell = cell_of(static)
  params, xs, state, _ = draw(static, key, values)
  log_norm = rl.product_log_norms(cell, params, xs, state, norm=tuple(rl.NORMS))  # [T, norm]
  spectrum = rl.lyapunov_spectrum(cell, params, xs, state, k=1, burn_in=xs.shape[0] // 4)
  return {
    "growth_rate": jax.vmap(rl.growth_rate, in_axes=1)(log_norm).rate,
    "largest_exponent": spectrum.exponents[0],
  }


MEASURE = Measure(
  run=measure,
  settings=SETTINGS,
  check=check_options,
  dims={"growth_rate": ("norm",), "largest_exponent": ()},
  coords=lambda static: {"norm": list(rl.NORMS)},
  headline={"growth_rate": "nats per step, of the spectral norm", "largest_exponent": "nats per step"},
  quantities={
    "growth_rate": Quantity("growth rate of the norm of the Jacobian product", "nats per step"),
    "largest_exponent": EXPONENT,
    "norm": Quantity("matrix norm"),
  },
)

EXPERIMENT = Experiment(
  "experiments.critical_gain",
  __doc__,
  MEASURE,
  {"cells": ",".join(WITH_GAIN), "ws": "0.5:4:8", "hidden_size": "32", "input_size": "8", "seq_len": "100"},
  seeds=4,
  seconds=300,
  tiny={**TINY, "cells": "rnn,mgu", "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
