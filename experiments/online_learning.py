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
from typing import Any, NamedTuple

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

ESTIMATORS = (*METHODS[1:], METHODS[0])  # a summary shows the first, and RTRL is exact
DRAWS = 32  # random estimates per net; the other methods need one


def last_loss(output: Array, target: tuple[Array, Array]) -> Array:
  """Half the squared distance from the target at the last step, 0 before."""
  wanted, is_last = target
  return is_last * 0.5 * jnp.sum((output - wanted) ** 2)


def cosine(a: Array, b: Array) -> Array:
  """The cosine of two vectors; 0 if one of them is 0."""
  sizes = norm(a) * norm(b)
  return jnp.vdot(a, b) / jnp.where(sizes > 0, sizes, 1)


class Sums(NamedTuple):
  """Sums over estimates, of the gradient of each lag and in the last row of all lags together."""

  estimate: Array  # [T + 1, p]
  squared_error: Array  # [T + 1], relative to the squared gradient
  cosine: Array  # [T + 1]


def statistics(sums: Sums, exact: Array, draws: int) -> dict[str, Array]:
  """Bias, standard deviation and cosine of estimates of the gradients `[T + 1, p]`, and the share of them that the mean keeps."""
  size, mean = jax.vmap(norm)(exact), sums.estimate / draws
  bias = jax.vmap(norm)(mean - exact) / size
  return {
    "kept": jnp.sum(mean / size[:, None] * exact / size[:, None], axis=-1),
    "relative_bias": bias,
    "relative_deviation": jnp.sqrt(jnp.maximum(sums.squared_error / draws - bias**2, 0)),
    "cosine": sums.cosine / draws,
  }


def online(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  cell = cell_of(static)
  params, xs, state, key = draw(static, key, values)
  k_target, k_draws = jax.random.split(key)
  steps = xs.shape[0]
  output = rl.unroll(cell, params, xs, state)[1][-1]
  target = jax.random.normal(k_target, output.shape, xs.dtype)
  targets = jnp.broadcast_to(target, (steps, *target.shape)), (jnp.arange(steps) == steps - 1).astype(xs.dtype)

  def by_lag(summands: Any) -> Array:
    """The gradients by lag, and their sum in the last row, `[T + 1, p]`."""
    rows = jax.vmap(lambda one: ravel_pytree(one)[0])(summands)[::-1]
    return jnp.concatenate([rows, rows.sum(0, keepdims=True)])

  whole = lambda outputs: 0.5 * jnp.sum((outputs[-1] - target) ** 2)
  exact = by_lag(rl.gradient_by_lag(whole, cell, params, xs, state))
  size = jax.vmap(norm)(exact)

  def add(method: str, sums: Sums, key: Array) -> tuple[Sums, None]:
    summands = online_gradient_by_lag(last_loss, cell, params, xs, targets, state, method=method, key=key)
    estimate = by_lag(summands)
    error = (jax.vmap(norm)(estimate - exact) / size) ** 2
    return Sums(*map(jnp.add, sums, (estimate, error, jax.vmap(cosine)(estimate, exact)))), None

  found: list[dict[str, Array]] = []
  for method in ESTIMATORS:
    keys = jax.random.split(k_draws, DRAWS if method == "uoro" else 1)
    none = Sums(jnp.zeros_like(exact), jnp.zeros_like(size), jnp.zeros_like(size))
    found.append(statistics(lax.scan(partial(add, method), none, keys)[0], exact, len(keys)))
  stacked = {name: jnp.stack([one[name] for one in found]) for name in SAID}
  whole_gradient = {f"whole_{name}": rows[:, -1] for name, rows in stacked.items()}
  return {
    "log_gradient": jnp.log(size[:-1]),
    **{name: rows[:, :-1] for name, rows in stacked.items()},
    **whole_gradient,
  }


SAID = {
  "kept": "share of the gradient that the mean of the draws keeps: its projection on the gradient",
  "relative_bias": "distance of the mean of the draws from the gradient, relative to the gradient",
  "relative_deviation": "standard deviation of an estimate, relative to the gradient",
  "cosine": "mean cosine of an estimate and the gradient",
}


def check(point: Point) -> None:
  """Raises a `ValueError` for a cell that is not split into halves, and in the cases of `check_options`."""
  if cell_of(point).halves is None:
    split = ", ".join(name for name, cell in rl.CELLS.items() if cell.halves is not None)
    raise ValueError(f"Cell {point['cell']!r} is not allowed here; it must be one of {split}, or declare its halves.")
  check_options(point)


MEASURE = Measure(
  run=online,
  settings=SETTINGS,
  check=check,
  dims={
    "log_gradient": ("lag",),
    **dict.fromkeys(SAID, ("estimator", "lag")),
    **{f"whole_{name}": ("estimator",) for name in SAID},
  },
  coords=lambda static: {"estimator": list(ESTIMATORS), "lag": list(range(int(static["seq_len"])))},
  headline={"whole_cosine": "of SnAp-1 and the gradient of all lags"},
  quantities={
    "log_gradient": Quantity("ln of the norm of the gradient", "nats"),
    **{name: Quantity(f"{said}, at a lag", "1") for name, said in SAID.items()},
    **{f"whole_{name}": Quantity(f"{said}, of all lags together", "1") for name, said in SAID.items()},
    "estimator": Quantity("how the influence is carried"),
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
  seeds=12,
  x64=True,
  seconds=60,
  figure="analysis.landmarks.online_learning",
  tiny={**TINY, "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
