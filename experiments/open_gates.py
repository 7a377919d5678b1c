"""How does the growth rate of every gated cell change as the gate that keeps its state opens?

Claim: the bias of the forget gate sets how long a cell remembers, whatever else the cell is made of.
Measures, per cell, forget bias and seed, at gain 1: the growth rate of both norms of the Jacobian product, and the largest
Lyapunov exponent.

    python -m experiments.open_gates
    python -m experiments.open_gates --cells=lstm,gru --forget_bias=0:8:17 --ws=2

All cells that have such a gate take part. The bias is added to that of the gate (LSTM f, GRU z), and the kernels are Gaussian.
The sizes and the number of points per cell are those of `critical_gain`, so that both run the same compiled programs.

Expect: rates that rise towards 0 with the bias, as ln σ(b_f) does; cells whose gate is not a plain σ do so in their own way.
"""

import dataclasses
import sys

from experiments.portrait import GROWTH, cell_of, check_options
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from recurrent_lab.options import shared_options
from sweepkit import Experiment, Point, main

# The LSTM of 1997 has no forget gate, so it ignores the bias.
WITH_GATE = tuple(
  name for name, cell in rl.CELLS.items() if cell.gated and "forget_bias" in cell.options and name != "lstm_1997"
)


def check(point: Point) -> None:
  """Raises a `ValueError` for a cell without a gate that keeps its state, and in the cases of `check_options`."""
  name, cell = str(point["cell"]), cell_of(point)
  if name not in WITH_GATE and (name in rl.CELLS or "forget_bias" not in shared_options(cell)):
    raise ValueError(
      f"Cell {name!r} is not allowed here; it must be one of {', '.join(WITH_GATE)}, or have a forget_bias."
    )
  check_options(point)


EXPERIMENT = Experiment(
  "experiments.open_gates",
  __doc__,
  dataclasses.replace(GROWTH, check=check),
  {
    "cells": ",".join(WITH_GATE),
    "forget_bias": "-2:5:8",
    "hidden_size": "32",
    "input_size": "8",
    "seq_len": "100",
  },
  seeds=4,
  seconds=60,
  figure="analysis.atlas.open_gates",
  tiny={**TINY, "cells": "lstm,min_gru", "forget_bias": "0,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
