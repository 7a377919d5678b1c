"""How does the growth rate of every gated cell change as the gate that keeps its state opens?

Claim: the bias of the forget gate sets how long a cell remembers, whatever else the cell is made of.
Measures, per cell, forget bias and seed: the growth rate of both norms of the Jacobian product, at gain 1.

    python -m experiments.open_gates
    python -m experiments.open_gates --cells=lstm,min_gru --forget_bias=0:8:17 --ws=2

All cells that have such a gate take part. The bias is added to that of the gate (LSTM f, GRU z), and the kernels are Gaussian.

Expect: rates that rise towards 0 with the bias, as ln σ(b_f) does; cells whose gate is not a plain σ do so in their own way.
"""

from collections.abc import Mapping
import sys

import jax
from jaxtyping import Array

from experiments.portrait import SETTINGS, cell_of, check_options, draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Measure, Point, Quantity, main

# The LSTM of 1997 has no forget gate, so it ignores the bias.
WITH_GATE = tuple(
  name for name, cell in rl.CELLS.items() if cell.gated and "forget_bias" in cell.options and name != "lstm_1997"
)


def measure(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The growth rates of one net."""
  params, xs, state, _ = draw(static, key, values)
  log_norm = rl.product_log_norms(cell_of(static), params, xs, state, norm=tuple(rl.NORMS))  # [T, norm]
  return {"growth_rate": jax.vmap(rl.growth_rate, in_axes=1)(log_norm).rate}


MEASURE = Measure(
  run=measure,
  settings=SETTINGS,
  check=check_options,
  dims={"growth_rate": ("norm",)},
  coords=lambda static: {"norm": list(rl.NORMS)},
  headline={"growth_rate": "nats per step, of the spectral norm"},
  quantities={
    "growth_rate": Quantity("growth rate of the norm of the Jacobian product", "nats per step"),
    "norm": Quantity("matrix norm"),
  },
)

EXPERIMENT = Experiment(
  "experiments.open_gates",
  __doc__,
  MEASURE,
  {
    "cells": ",".join(WITH_GATE),
    "forget_bias": "-2:6:9",
    "hidden_size": "32",
    "input_size": "8",
    "seq_len": "100",
  },
  allowed={"cells": WITH_GATE},
  seeds=4,
  seconds=120,
  figure="analysis.atlas.open_gates",
  tiny={**TINY, "cells": "lstm,min_gru", "forget_bias": "0,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
