"""The whole Lyapunov spectrum against W_s: how many directions grow, how fast, and how many dimensions stay alive.

Claim (Sompolinsky et al., 1988; Engelken et al., 2023): with W_s the largest exponent crosses 0 into chaos, while most
directions still contract. Measures all exponents of the joint state with their determinant certificate, the Kaplan-Yorke
dimension, the entropy rate and the participation ratio of the states.

    python -m experiments.lyapunov
    python -m experiments.lyapunov --input=zero --ws=2,3     autonomous chaos

In float64, since above W_s = 3 a single Jacobian of the RNN spreads its directions further than float32 resolves.
Expect: for the RNN λ₁ = ½ ln χ of the mean field, and a certificate far below the mean exponent.
"""

from collections.abc import Mapping
import sys

from jaxtyping import Array

from experiments.portrait import SETTINGS, STANDARD_ERROR, STATE_INDEX, cell_of, check_options, draw, state_size
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Measure, Point, Quantity, main


def spectrum(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """All n exponents after a quarter of the steps, and what follows from them."""
  cell = cell_of(static)
  params, xs, state, _ = draw(static, key, values)
  burn_in = xs.shape[0] // 4
  result = rl.lyapunov_spectrum(cell, params, xs, state, burn_in=burn_in)
  _, outputs = rl.unroll(cell, params, xs, state)
  return {
    "exponent": result.exponents,
    "standard_error": result.standard_error,
    "interval": result.interval,
    "log_det_rate": result.log_det_rate,
    "residual": result.residual,
    "certified": result.is_certified.astype(result.residual.dtype),
    "kaplan_yorke_dimension": rl.kaplan_yorke_dimension(result.exponents),
    "entropy_rate": rl.entropy_rate(result.exponents),
    "positive_share": rl.positive_share(result.exponents),
    "participation_ratio": rl.participation_ratio(outputs[burn_in:]),
  }


SCALARS = (
  "interval",
  "log_det_rate",
  "residual",
  "certified",
  "kaplan_yorke_dimension",
  "entropy_rate",
  "positive_share",
  "participation_ratio",
)

MEASURE = Measure(
  run=spectrum,
  settings=SETTINGS,
  check=check_options,
  dims={"exponent": ("index",), "standard_error": ("index",), **dict.fromkeys(SCALARS, ())},
  coords=lambda static: {"index": list(range(state_size(static)))},
  headline={
    "exponent": "nats per step, of the largest",
    "kaplan_yorke_dimension": "of the state's",
    "residual": "nats per step, of the determinant",
  },
  quantities={
    "exponent": Quantity("Lyapunov exponents", "nats per step"),
    "standard_error": STANDARD_ERROR,
    "interval": Quantity("re-orthonormalization interval", "steps"),
    "log_det_rate": Quantity(
      "mean of ln of the absolute determinant of the Jacobian over a sample of steps", "nats per step"
    ),
    "residual": Quantity(
      "distance of the sum of the exponents from the determinant's rate, per direction", "nats per step"
    ),
    "certified": Quantity("whether the residual certifies the spectrum; 0 where a direction is lost", "1"),
    "kaplan_yorke_dimension": Quantity("Kaplan–Yorke dimension", "1"),
    "entropy_rate": Quantity("sum of the exponents above 0", "nats per step"),
    "positive_share": Quantity("share of the exponents above 0", "1"),
    "participation_ratio": Quantity("participation ratio of the outputs", "1"),
    "index": STATE_INDEX,
  },
)

EXPERIMENT = Experiment(
  "experiments.lyapunov",
  __doc__,
  MEASURE,
  {"ws": "0.5:6:12", "seq_len": "300"},
  seeds=4,
  x64=True,
  seconds=63,
  figure="analysis.paper.lyapunov",
  tiny={**TINY, "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
