"""How does the growth rate of a cell change when its time constants are stretched?

Claim: a cell whose time constants are parameters remembers as long as they say (Gu et al., 2022, and Orvieto et al., 2023, choose
the range of steps or radii for the length of the task).
Measures, per cell, timescale and seed, at gain 1: the growth rate of both norms of the Jacobian product, and the largest
Lyapunov exponent.

    python -m experiments.timescales
    python -m experiments.timescales --cells=s6,mamba2 --timescale=0.25:4:8 --seq_len=400

All cells that have a timescale take part. It divides the time steps, decays or leaks of the initial net, and the kernels are
Gaussian. A leak or a period that is an argument of the cell's factory, as in `leaky_rnn(rate=…)` or `lmu(window=…)`, is not a
parameter, so those cells have none.

Expect: rates that fall as 1 / timescale in cells that are linear in their state. A liquid network has a second leak, its
synapses, which remains. The gate of a CfC mixes two candidates, so its timescale does not make it remember.
Found: mostly so. At 128, rates of S4D, S5, S6, RWKV-6, RG-LRU and FastRNN are 1/93 to 1/144 of those at 1, and that of RWKV-7
is 1/18, because its keys still erase. The liquid network stops at -0.16 nats per step, and the CfC stays near -0.8. Oscillators
(LinOSS, UnICORNN) become slower than the sequence is long, and their products grow by up to 0.012 nats per step.
"""

from collections.abc import Mapping
import dataclasses
import sys

from jaxtyping import Array

from experiments.portrait import GROWTH, SETTINGS
from experiments.portrait.growth import growth_of
from experiments.portrait.nets import draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Point, Setting, main
from sweepkit.settings import POSITIVE

WITH_TIMESCALE = tuple(name for name, cell in rl.CELLS.items() if "timescale" in cell.options)


def measure(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The growth rates of one net."""
  return growth_of(static, draw(static, key, values, {"timescale": values["timescale"]}))


MEASURE = dataclasses.replace(
  GROWTH,
  run=measure,
  settings={
    **SETTINGS,
    "timescale": Setting(
      float, "1", "factor by which time is stretched in the initial net", *POSITIVE, True, units="1", is_axis=True
    ),
  },
)

EXPERIMENT = Experiment(
  "experiments.timescales",
  __doc__,
  MEASURE,
  {
    "cells": ",".join(WITH_TIMESCALE),
    "timescale": "1,2,4,8,16,32,64,128",
    "hidden_size": "32",
    "input_size": "8",
    "seq_len": "100",
  },
  allowed={"cells": WITH_TIMESCALE},
  seeds=4,
  seconds=60,
  tiny={**TINY, "cells": "lru,fast_rnn", "timescale": "1,4"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
