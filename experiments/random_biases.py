"""At which gain does a net with random biases stop forgetting where it started, and does a reservoir forecast best there?

Claim (Fioratti et al., 2026): RNN, GRU and LSTM with random biases have a critical gain g_c(σ_b), and as a reservoir, whose
readout alone is fitted, a net forecasts a chaotic series best near it. Without input, measures how far apart two random starts
end. Then the net from rest reads a Mackey–Glass series, scaled to the standard deviation `input_scale`. A readout is fitted by
ridge regression to the series 18 units of time ahead, and its error is measured on another series.

    python -m experiments.random_biases
    python -m experiments.random_biases --cells=rnn --input_scale=0.1,1          does a strong input move the best gain?

Expect: half of the nets forget up to a gain within 10 % of `theory.biased_critical_gain`, except for the LSTM at σ_b = 2, whose
theory rests on units that are too rare for 128. The error is least at a gain within a quarter of the critical one.
"""

from collections.abc import Mapping
import sys

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import SETTINGS, cell_of, check_options, draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from recurrent_lab.tasks.chaos import mackey_glass
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.settings import Setting

NEAR = 1e-3  # root mean square distance of two outputs, below which the starts are forgotten
WASHOUT = 100  # samples at the start of a series that no readout sees
RIDGE = 1e-8  # weight of the squared readout, per sample
CELLS = ("rnn", "lstm", "gru")

OWN = {
  "samples": Setting(
    int,
    "1000",
    "samples of each series, one to fit the readout and one to test it",
    lambda v: v >= 2 * WASHOUT,
    f"a whole number of {2 * WASHOUT} or more",
    units="1",
  ),
  "input_scale": SETTINGS["input_scale"]._replace(help="standard deviation of the series that the reservoir reads"),
}


def forecast_error(cell: rl.Cell, params: object, key: Array, samples: int, scale: Array) -> Array:
  """The squared error of a reservoir's forecasts on a series that its readout has not seen, over the series' variance."""
  task = mackey_glass(samples, noise=0.0, warm_up=WASHOUT)

  def seen(key: Array) -> tuple[Array, Array]:
    batch = task.sample(key, 1)
    outputs = rl.unroll(cell, params, scale * batch.inputs[:, 0].astype(scale.dtype))[1][WASHOUT:]
    return jnp.append(outputs, jnp.ones_like(outputs[:, :1]), axis=1), batch.targets[WASHOUT:, 0, 0]

  (states, targets), (held_out, answers) = map(seen, jax.random.split(key))
  penalty = RIDGE * len(states) * jnp.eye(states.shape[1], dtype=states.dtype)
  readout = jnp.linalg.solve(states.T @ states + penalty, states.T @ targets)
  return jnp.mean((held_out @ readout - answers) ** 2)


def reservoir(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """Two starts of a net without input, as far apart as they end, and the error of its forecasts."""
  cell = cell_of(static)
  params, xs, state, key = draw(static, key, values)
  k_start, k_series = jax.random.split(key)
  other = jax.tree.map(lambda leaf: jax.random.normal(k_start, leaf.shape, leaf.dtype), state)
  both = jax.tree.map(lambda a, b: jnp.stack([a, b]), state, other)
  outputs = rl.unroll(cell, params, jnp.broadcast_to(xs[:, None], (len(xs), 2, xs.shape[1])), both)[1]
  distance = jnp.sqrt(jnp.mean((outputs[-1, 0] - outputs[-1, 1]) ** 2))
  scale = values["input_scale"].astype(xs.dtype)
  return {
    "distance": distance,
    "forgets": (distance < NEAR).astype(xs.dtype),
    "forecast_error": forecast_error(cell, params, k_series, int(static["samples"]), scale),
  }


def check(point: Point) -> None:
  """Raises a `ValueError` for settings that a cell has not, or for more than the one input that a series is."""
  check_options(point)
  if point["input_size"] != 1:
    raise ValueError(f"input_size is {point['input_size']}; a series is one input, so it must be 1.")


MEASURE = Measure(
  run=reservoir,
  settings={**SETTINGS, **OWN},
  check=check,
  dims=dict.fromkeys(("distance", "forgets", "forecast_error"), ()),
  headline={"forgets": "of the nets", "forecast_error": "of the variance"},
  quantities={
    "distance": Quantity("root mean square distance of the outputs of two starts after all steps", "1"),
    "forgets": Quantity(f"whether the outputs of two starts end less than {NEAR:g} apart", "1"),
    "forecast_error": Quantity("squared error of the forecasts over the variance of the series", "1"),
  },
)

EXPERIMENT = Experiment(
  "experiments.random_biases",
  __doc__,
  MEASURE,
  {
    "cells": ",".join(CELLS),
    "hidden_size": "128",
    "input_size": "1",
    "seq_len": "2000",
    "input": "zero",
    "input_scale": "0.1",
    "bias_scale": "0,0.5,1,2",
    "ws": "0.6:5:log:18",
  },
  allowed={"cells": CELLS, "input": ("zero",)},
  seeds=5,
  x64=True,
  seconds=300,
  figure="analysis.landmarks.random_biases",
  tiny={**TINY, "input_size": "1", "samples": "200", "ws": "0.5,1,4", "bias_scale": "0,1"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
