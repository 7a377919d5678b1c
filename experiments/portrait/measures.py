"""The portrait of a random net: where its products of Jacobians go, and what its nonlinearities do.

Parameters, inputs and target are drawn from the point's key, the cell runs from its initial state, and the product of Jacobians
is followed from the last step back. Everything is a pure function of arrays, so that a block of points is one jitted, vmapped
call. Dimensions: lag 0 … T counts steps back from the last; `norm`, `gate`, `sv_lag` and `index` are labelled.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait.nets import Sample, cell_of, check_options, draw, gates, state_size
from experiments.portrait.settings import SETTINGS, Net
import recurrent_lab as rl
from recurrent_lab.activations import Saturation
from sweepkit import Measure, Point, Quantity
from sweepkit.points import read


def singular_value_lags(steps: int) -> list[int]:
  """A few lags: one step, a twentieth and a quarter of the sequence."""
  return sorted({1, max(1, steps // 20), max(1, steps // 4)})


def portrait(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The portrait of a random net."""
  return portrait_of(static, draw(static, key, values))


def log_adjoint_norms(static: Point, sample: Sample) -> Array:
  """Log norms `[T + 1]` of the adjoint of S_0 … S_T, for half the square of the last output's distance from a random target."""
  params, xs, state, key = sample
  _, output = jax.eval_shape(lambda params, state: cell_of(static).step(params, state, xs[0]), params, state)
  target = jax.random.normal(key, output.shape, xs.dtype)
  loss = lambda outputs: 0.5 * jnp.sum((target - outputs[-1]) ** 2)
  return rl.adjoint_log_norms(loss, cell_of(static), params, xs, state)


def saturations(static: Point, sample: Sample) -> dict[str, Array]:
  """The fields of `Saturation`, each `[gates]`, in the order of `gates`."""
  params, xs, state, _ = sample
  names = gates(static)
  if not names:
    return dict.fromkeys(Saturation._fields, jnp.zeros(0, xs.dtype))
  seen = rl.activities(cell_of(static), params, xs, state)
  found = [rl.saturation(seen[gate]) for gate in names]
  return Saturation(*(jnp.stack(field) for field in zip(*found, strict=True)))._asdict()


def portrait_of(static: Point, sample: Sample) -> dict[str, Array]:
  """Log norms of the product and of the adjoint by lag, singular values, growth, memory length and saturation."""
  cell = cell_of(static)
  params, xs, state, _ = sample
  steps = xs.shape[0]

  log_norm = rl.product_log_norms(cell, params, xs, state, norm=tuple(rl.NORMS))  # [T, norm]
  growth = jax.vmap(rl.growth_rate, in_axes=1)(log_norm)

  log_adjoint = log_adjoint_norms(static, sample)
  return {
    "log_norm": jnp.concatenate([jnp.zeros_like(log_norm[:1]), log_norm]).T,
    "log_adjoint_norm": log_adjoint[::-1],
    "log_singular_value": rl.product_log_singular_values(cell, params, xs, state, lags=singular_value_lags(steps)),
    "growth_rate": growth.rate,
    "growth_residual": growth.residual,
    "memory_length": rl.memory_length(growth.rate),
    "adjoint_growth_rate": rl.growth_rate(log_adjoint[:-1][::-1]).rate,
    "largest_exponent": rl.lyapunov_spectrum(cell, params, xs, state, k=1, burn_in=steps // 10).exponents[0],
    **saturations(static, sample),
  }


def portrait_coords(static: Point) -> dict[str, list[Any]]:
  steps = read(Net, static).seq_len
  return {
    "norm": list(rl.NORMS),
    "lag": list(range(steps + 1)),
    "sv_lag": singular_value_lags(steps),
    "index": list(range(state_size(static))),
    "gate": gates(static),
  }


STATE_INDEX = Quantity("number of the direction, largest first", "1")
EXPONENT = Quantity("largest Lyapunov exponent λ₁", "nats per step")
STANDARD_ERROR = Quantity("standard error of the exponent", "nats per step")
LAG = Quantity("lag: steps back from the last", "steps")
GATE = Quantity("nonlinearity of the cell")

PORTRAIT = Measure(
  run=portrait,
  settings=SETTINGS,
  dims={
    "log_norm": ("norm", "lag"),
    "log_adjoint_norm": ("lag",),
    "log_singular_value": ("sv_lag", "index"),
    "growth_rate": ("norm",),
    "growth_residual": ("norm",),
    "memory_length": ("norm",),
    "adjoint_growth_rate": (),
    "largest_exponent": (),
    **dict.fromkeys(Saturation._fields, ("gate",)),
  },
  coords=portrait_coords,
  check=check_options,
  may_be_infinite=("memory_length",),
  headline={
    "growth_rate": "nats per step, of the spectral norm",
    "memory_length": "steps",
    "largest_exponent": "nats per step",
  },
  quantities={
    "log_norm": Quantity("ln of the norm of the Jacobian product", "nats"),
    "log_adjoint_norm": Quantity("ln of the norm of the adjoint", "nats"),
    "log_singular_value": Quantity("ln of the singular values of the Jacobian product", "nats"),
    "growth_rate": Quantity("growth rate of the norm of the Jacobian product", "nats per step"),
    "growth_residual": Quantity("root mean square distance of ln of the norm from a line", "nats"),
    "memory_length": Quantity("memory length: steps in which the norm falls by the factor e", "steps"),
    "adjoint_growth_rate": Quantity("growth rate of the norm of the adjoint", "nats per step"),
    "largest_exponent": EXPONENT,
    "mean_value": Quantity("mean of the nonlinearity", "1"),
    "mean_slope": Quantity("mean slope of the nonlinearity", "1"),
    "mean_log_slope": Quantity("mean of ln of the slope of the nonlinearity", "nats"),
    "share_high": Quantity("share of absolute values above 0.95", "1"),
    "share_low": Quantity("share of absolute values below 0.05", "1"),
    "norm": Quantity("matrix norm"),
    "lag": LAG,
    "sv_lag": Quantity("lag of the singular values", "steps"),
    "index": STATE_INDEX,
    "gate": GATE,
  },
)


def largest(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The largest Lyapunov exponent alone, after a quarter of the steps, with its standard error: cheap at every size."""
  params, xs, state, _ = draw(static, key, values)
  spectrum = rl.lyapunov_spectrum(cell_of(static), params, xs, state, k=1, burn_in=xs.shape[0] // 4)
  return {"largest_exponent": spectrum.exponents[0], "standard_error": spectrum.standard_error[0]}


LARGEST = Measure(
  run=largest,
  settings=SETTINGS,
  check=check_options,
  dims={"largest_exponent": (), "standard_error": ()},
  headline={"largest_exponent": "nats per step"},
  quantities={"largest_exponent": EXPONENT, "standard_error": STANDARD_ERROR},
)
