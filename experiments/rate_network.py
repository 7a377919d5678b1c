"""What does the whole Lyapunov spectrum of a large random net look like, and does its shape depend on the size?

Claims: chaos begins at g = 1 (Sompolinsky et al., 1988). λ_i against i/N has a limit, and dimension and entropy rate grow with N
(Engelken et al., 2023). For x ← (1-δ)x + δ g W tanh(x) this limit is known for every leak δ (Clark, 2026), and at δ = 1 and
g = 3 it gives λ₁ = 0.3096, a positive share of 0.1526, an entropy rate of 0.02511 N and a dimension of 0.2872 N.
Measures all exponents of h = (1-δ)h + δ tanh(g W h), which are those of x, without inputs, and how the states fill their space.

    python -m experiments.rate_network
    python -m experiments.rate_network --hidden_size=1024 --ws=3 --leak=1 --seeds=1
    python -m experiments.rate_network --hidden_size=256 --ws=1.2,1.5,2,3,4,6,10,20 --leak=1        from the onset far into chaos

Expect: theory of the positive share, entropy rate, dimension and mean within 3 % from 256 units on, at g = 3. λ₁ below theory by
some per cent, as its edge is soft. Dimension and entropy rate that rise from the onset and fall far from it.
Found: all of that at δ = 1, with an entropy rate 3.5 % below theory at 256 units and 2.4 % at 512. At δ = 0.5 and 512 units λ₁ is
still 7 % below theory and the entropy rate 5 %, and the other numbers lie within 1 %.
"""

from collections.abc import Mapping
import dataclasses
import sys

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import EXPONENT, SETTINGS, STANDARD_ERROR, STATE_INDEX
import recurrent_lab as rl
from recurrent_lab.cells.dense import leaky_rnn
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.points import read
from sweepkit.settings import POSITIVE_INT, Setting, Settings

SMALLEST, SHORTEST = 64, 80
CELL = "leaky_rnn"

GAIN_AND_LEAK: Settings = {
  "cells": SETTINGS["cells"],
  "ws": SETTINGS["ws"]._replace(help="gain g: entries of W have standard deviation g / √N"),
  "leak": Setting(
    float, "1", "leak δ", lambda v: 0 < v <= 1, "a number above 0 and at most 1", units="1", is_axis=True
  ),
}


@dataclasses.dataclass(frozen=True)
class RateNet:
  """The settings of a net that determine its compiled program."""

  leak: float
  hidden_size: int
  duration: int
  x64: bool

  @property
  def steps(self) -> int:
    """The length of a run in steps."""
    return round(self.duration / self.leak)


def spectrum(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """All exponents of a net after a quarter of its steps, and what follows from them, per unit."""
  net = read(RateNet, static)
  units, steps, cell = net.hidden_size, net.steps, leaky_rnn(net.leak)
  dtype = jnp.float64 if net.x64 else jnp.float32
  k_params, k_state = jax.random.split(key)
  params = cell.init(k_params, 1, units, recurrent_gain=values["ws"], dtype=dtype)
  state, xs = jax.random.normal(k_state, (units,), dtype), jnp.zeros((steps, 1), dtype)
  burn_in = steps // 4
  found = rl.lyapunov_spectrum(cell, params, xs, state, burn_in=burn_in)
  _, outputs = rl.unroll(cell, params, xs, state)
  return {
    "exponent": found.exponents,
    "largest_exponent": found.exponents[0],
    "standard_error": found.standard_error[0],
    "mean_exponent": jnp.mean(found.exponents),
    "positive_share": rl.positive_share(found.exponents),
    "entropy_rate": rl.entropy_rate(found.exponents) / units,
    "dimension": rl.kaplan_yorke_dimension(found.exponents) / units,
    "participation_ratio": rl.participation_ratio(outputs[burn_in:]) / units,
    "residual": found.residual,
  }


def check(point: Point) -> None:
  """Raises a `ValueError` for a net or a run too small for the statistics of large ones."""
  net = read(RateNet, point)
  if net.hidden_size < SMALLEST:
    raise ValueError(f"hidden_size is {net.hidden_size}; the theory of large nets needs {SMALLEST} units or more.")
  if net.duration < SHORTEST:
    raise ValueError(f"duration is {net.duration}; it must be {SHORTEST} or more, of which a quarter does not count.")


UNIT_QUANTITIES = {
  "mean_exponent": Quantity("mean of all exponents", "nats per step"),
  "positive_share": Quantity("share of the exponents above 0", "1"),
  "entropy_rate": Quantity("sum of the exponents above 0, divided by N", "nats per step"),
  "dimension": Quantity("Kaplan–Yorke dimension divided by N", "1"),
}

MEASURE = Measure(
  run=spectrum,
  settings={
    **GAIN_AND_LEAK,
    "hidden_size": SETTINGS["hidden_size"]._replace(is_axis=True),
    "duration": Setting(int, "400", "length of a run in units of 1/δ", *POSITIVE_INT, units="1"),
  },
  check=check,
  dims={
    "exponent": ("index",),
    **dict.fromkeys(("largest_exponent", "standard_error", *UNIT_QUANTITIES, "participation_ratio", "residual"), ()),
  },
  coords=lambda static: {"index": list(range(read(RateNet, static).hidden_size))},
  headline={"largest_exponent": "nats per step", "dimension": "of Kaplan and Yorke, divided by N"},
  quantities={
    "exponent": Quantity("Lyapunov exponents", "nats per step"),
    "largest_exponent": EXPONENT,
    "standard_error": STANDARD_ERROR,
    **UNIT_QUANTITIES,
    "participation_ratio": Quantity("participation ratio of the states divided by N", "1"),
    "residual": Quantity(
      "distance of the sum of the exponents from the determinant's rate, per direction", "nats per step"
    ),
    "index": STATE_INDEX,
  },
)

EXPERIMENT = Experiment(
  "experiments.rate_network",
  __doc__,
  MEASURE,
  {"cells": CELL, "hidden_size": "64,128,256,512", "ws": "3", "leak": "1,0.5"},
  allowed={"cells": (CELL,)},
  seeds=3,
  x64=True,
  seconds=388,
  figure="analysis.landmarks.rate_network",
  drawn_along=("ws",),
  tiny={"hidden_size": "64", "duration": "80", "ws": "2,3", "leak": "1"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
