"""How much of the gradient do RTRL, SnAp-1, e-prop and UORO keep, at which lag, and how noisy is it?

These methods compute gradients forward in time, by carrying the influence of the parameters on the state. RTRL is exact. SnAp-1
and e-prop cut paths between units, and UORO replaces the influence by a random matrix of rank one (`training.online`). All are
compared with backpropagation, summand by summand: the loss is half the squared distance of the last output from a random target,
and the gradient of lag l is the contribution of step T - l.

    python -m experiments.online_learning

Expect: RTRL without error. SnAp-1 whole at lag 0; in an RNN about H^{-l} of lag l, because J keeps one of H terms per step, at
every gain. In LSTM and GRU the gates carry each unit to itself, so more is kept, and less as the gain grows. The carry of e-prop
alone near SnAp-1 in LSTM and GRU, and nothing beyond lag 0 in an RNN. UORO without bias; its noise is above the gradient at every
lag, and grows relative to the gradient as that vanishes.
"""

from collections.abc import Mapping
from functools import partial
import sys

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import LAG, SETTINGS, cell_of, check_options, draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from recurrent_lab.scaled import norm
from recurrent_lab.training import online_gradient_by_lag
from recurrent_lab.training.online import METHODS
from sweepkit import Experiment, Measure, Point, Quantity, main

DRAWS = 200  # random estimates per net


def last_loss(output: Array, target: tuple[Array, Array]) -> Array:
  """Half the squared distance from the target at the last step, 0 before."""
  wanted, is_last = target
  return is_last * 0.5 * jnp.sum((output - wanted) ** 2)


def cosine(a: Array, b: Array) -> Array:
  """The cosine of two vectors; 0 if one of them is 0."""
  sizes = norm(a) * norm(b)
  return jnp.vdot(a, b) / jnp.where(sizes > 0, sizes, 1)


def compare(estimates: Array, exact: Array) -> dict[str, Array]:
  """Bias, standard deviation and cosine of estimates [draw, p] of one gradient [p], and the share of it that they keep."""
  size, mean = norm(exact), estimates.mean(0)
  unit = exact / size
  return {
    "kept": mean @ unit / size,
    "relative_bias": norm(mean - exact) / size,
    "relative_deviation": jnp.sqrt(jnp.mean(jax.vmap(norm)(estimates - mean) ** 2)) / size,
    "cosine": jnp.mean(jax.vmap(partial(cosine, exact))(estimates)),
  }


def online(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  cell = cell_of(static)
  params, xs, state, key = draw(static, key, values)
  k_target, k_draws = jax.random.split(key)
  steps = xs.shape[0]
  output = rl.unroll(cell, params, xs, state)[1][-1]
  target = jax.random.normal(k_target, output.shape, xs.dtype)
  targets = jnp.broadcast_to(target, (steps, *target.shape)), (jnp.arange(steps) == steps - 1).astype(xs.dtype)

  def by_lag(summands: object) -> Array:
    """Summands [step, p] in the order of their lags."""
    return jax.vmap(lambda one: ravel_pytree(one)[0])(summands)[::-1]

  def estimate(method: str, key: Array) -> Array:
    return by_lag(online_gradient_by_lag(last_loss, cell, params, xs, targets, state, method=method, key=key))

  whole = lambda outputs: 0.5 * jnp.sum((outputs[-1] - target) ** 2)
  exact = by_lag(rl.gradient_by_lag(whole, cell, params, xs, state))
  found: dict[str, list[Array]] = {}
  for method in METHODS:
    keys = jax.random.split(k_draws, DRAWS if method == "uoro" else 1)
    estimates = lax.map(partial(estimate, method), keys)
    lags = jax.vmap(compare, in_axes=(1, 0))(estimates, exact)
    total = compare(estimates.sum(1), exact.sum(0))
    for name, value in (lags | {f"whole_{name}": value for name, value in total.items()}).items():
      found.setdefault(name, []).append(value)
  return {"log_gradient": jnp.log(jax.vmap(norm)(exact))} | {name: jnp.stack(rows) for name, rows in found.items()}


SAID = {
  "kept": "share of the gradient that the mean estimate keeps: its projection on the gradient",
  "relative_bias": "distance of the mean estimate from the gradient, relative to the gradient",
  "relative_deviation": "standard deviation of an estimate, relative to the gradient",
  "cosine": "mean cosine of an estimate and the gradient",
}

MEASURE = Measure(
  run=online,
  settings=SETTINGS,
  check=check_options,
  dims={
    "log_gradient": ("lag",),
    **dict.fromkeys(SAID, ("method", "lag")),
    **{f"whole_{name}": ("method",) for name in SAID},
  },
  coords=lambda static: {"method": list(METHODS), "lag": list(range(int(static["seq_len"])))},
  headline={"whole_cosine": "of the gradient of all lags"},
  quantities={
    "log_gradient": Quantity("ln of the norm of the gradient", "nats"),
    **{name: Quantity(f"{said}, at a lag", "1") for name, said in SAID.items()},
    **{f"whole_{name}": Quantity(f"{said}, of all lags together", "1") for name, said in SAID.items()},
    "method": Quantity("how the influence is carried"),
    "lag": LAG,
  },
)

EXPERIMENT = Experiment(
  "experiments.online_learning",
  __doc__,
  MEASURE,
  {
    "cells": "rnn,lstm,gru",
    "hidden_size": "8",
    "input_size": "4",
    "seq_len": "30",
    "ws": "0.5,1,1.5,2,3",
  },
  allowed={"cells": tuple(name for name, cell in rl.CELLS.items() if cell.halves is not None)},
  seeds=5,
  x64=True,
  seconds=60,
  figure="analysis.landmarks.online_learning",
  tiny={**TINY, "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
