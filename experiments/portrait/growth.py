"""The growth rates of random nets alone: a small program, which all sweeps of one size share."""

from collections.abc import Mapping

import jax
from jaxtyping import Array

from experiments.portrait.measures import EXPONENT
from experiments.portrait.nets import Sample, cell_of, check_options, draw
from experiments.portrait.settings import SETTINGS
import recurrent_lab as rl
from sweepkit import Measure, Point, Quantity


def growth(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The growth rates of one net."""
  return growth_of(static, draw(static, key, values))


def growth_of(static: Point, sample: Sample) -> dict[str, Array]:
  """The growth rates of a net that is drawn."""
  cell = cell_of(static)
  params, xs, state, _ = sample
  log_norm = rl.product_log_norms(cell, params, xs, state, norm=tuple(rl.NORMS))  # [T, norm]
  spectrum = rl.lyapunov_spectrum(cell, params, xs, state, k=1, burn_in=xs.shape[0] // 4)
  return {
    "growth_rate": jax.vmap(rl.growth_rate, in_axes=1)(log_norm).rate,
    "largest_exponent": spectrum.exponents[0],
  }


GROWTH = Measure(
  run=growth,
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
