"""How do heavy-tailed weights change the transition of a random net to chaos?

Claim (Xie, Mihalas & Kuśmierz, NeurIPS 2025): weights from a symmetric α-stable law with α < 2 move the transition with N and
make it slow, and the attractor has a lower Kaplan–Yorke dimension. Measures λ₁ of tanh nets without input, whether it is
positive, and for small nets the whole spectrum. The entries have scale g / N^{1/α}, so their characteristic function is
exp(-|g t|^α / N). For α = 2 they are Gaussian with standard deviation √2 g / √N.

    python -m experiments.heavy_tails
    python -m experiments.heavy_tails --hidden_size=1024 --alpha=1.2,1.8 --seeds=20

Expect: for α = 2 chaos above g = 1/√2 ≈ 0.71 at every N, in a band that narrows with N. For α < 2 the mean field has no quiet
phase. The gain at which half of the nets are chaotic falls slowly with N, faster for smaller α. There λ₁ rises more slowly with
g, because a few large weights saturate their units, and D_KY / N is lowest at α = 1.

Found: from N = 128 to 512 the gain at which half of the nets are chaotic falls from 1.17 to 0.55 for α = 1, and from 1 to 0.68
for α = 1.5. For α = 2 it also falls, from 1.14 to 0.91, since nets above 0.71 first have limit cycles with λ₁ = 0. At N = 64 and
α = 1 at most 3 of 10 nets are chaotic. The largest median D_KY / N there is 0.03, against 0.15 for α = 1.5 and 0.24 for α = 2.
"""

from collections.abc import Mapping
import sys

import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import EXPONENT, SETTINGS, STANDARD_ERROR, cell_of, check_options, draw, is_positive
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from recurrent_lab.initializers import symmetric_stable
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.settings import POSITIVE_INT, Setting

ALPHA = (lambda v: 0.5 <= v <= 2, "a number from 0.5 to 2")
OWN = {
  "alpha": Setting(float, "1,1.5,2", "stability index α of the weights; 2 is Gaussian", *ALPHA, True, units="1"),
  "full_up_to": Setting(
    int, "64", "largest net whose whole spectrum is computed, for its dimension", *POSITIVE_INT, units="1"
  ),
  "ws": SETTINGS["ws"]._replace(help="gain g: the weights have scale g / H^{1/α}"),
}


def heavy(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """λ₁ of a net with α-stable weights, and for a small net its dimension per unit."""
  cell = cell_of(static)
  params, xs, state, key = draw(static, key, values)
  size, dtype = params.recurrent_kernel.shape[0], params.bias.dtype
  alpha = values["alpha"].astype(dtype)
  kernel = values["ws"] * symmetric_stable(key, (size, size), alpha, dtype) * size ** (-1 / alpha)
  is_small = size <= int(static["full_up_to"])
  burn_in = xs.shape[0] // 4
  spectrum = rl.lyapunov_spectrum(
    cell, params._replace(recurrent_kernel=kernel), xs, state, k=None if is_small else 1, burn_in=burn_in
  )
  exponent, error = spectrum.exponents[0], spectrum.standard_error[0]
  dimension = rl.kaplan_yorke_dimension(spectrum.exponents) / size if is_small else jnp.full((), jnp.nan, dtype)
  return {
    "largest_exponent": exponent,
    "standard_error": error,
    "is_chaotic": is_positive(exponent, error, xs.shape[0] - burn_in).astype(dtype),
    "dimension_share": dimension,
  }


MEASURE = Measure(
  run=heavy,
  settings={**SETTINGS, **OWN},
  check=check_options,
  dims=dict.fromkeys(("largest_exponent", "standard_error", "is_chaotic", "dimension_share"), ()),
  may_be_nan=("dimension_share",),
  headline={"largest_exponent": "nats per step", "is_chaotic": "of the nets"},
  quantities={
    "largest_exponent": EXPONENT,
    "standard_error": STANDARD_ERROR,
    "is_chaotic": Quantity("whether λ₁ is positive by more than 5 standard errors", "1"),
    "dimension_share": Quantity("Kaplan–Yorke dimension divided by the number of units", "1"),
  },
)

EXPERIMENT = Experiment(
  "experiments.heavy_tails",
  __doc__,
  MEASURE,
  {
    "cells": "rnn",
    "hidden_size": "64,128,256,512",
    "input_size": "1",
    "seq_len": "600",
    "input": "zero",
    "ws": "0.3,0.4,0.5,0.6,0.7,0.8,1,1.5,3",
  },
  allowed={"cells": ("rnn",), "input": ("zero",), "recurrent_init": ("gaussian",)},
  seeds=10,
  x64=True,
  seconds=274,
  figure="analysis.landmarks.heavy_tails",
  tiny={**TINY, "hidden_size": "4,8", "full_up_to": "4", "ws": "0.5,2", "alpha": "1,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
