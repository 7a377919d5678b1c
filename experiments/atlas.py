"""The gradients of every recurrent cell: where do they go, and how far does the cell remember?

Claim: the growth rate of the Jacobian product and the length of its memory tell cells apart before any training, and they rank
cells differently, since a product may grow before it falls.
Measures, per cell and seed: ln ‖∏ J‖ by lag with its growth rate, the first lag at which it is below 1/e beside the memory length
-1/rate, all Lyapunov exponents and the slope of the adjoint. Also saturation by gate, the participation ratio of the outputs, and
the numbers of parameters and of state entries.

    python -m experiments.atlas
    python -m experiments.atlas --cells=lstm,mgu,min_gru --seq_len=400

Every cell is drawn as its authors recommend (`recommended`); `experiments.critical_gain` varies gains and biases.

Expect: gated cells at chrono biases remember longest, and orthogonal ones lose only what tanh' takes.
"""

from collections.abc import Mapping
import sys
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import (
  EXPONENT,
  GATE,
  LAG,
  SETTINGS,
  STATE_INDEX,
  Sample,
  cell_of,
  check_options,
  draw,
  gates,
  state_size,
)
from experiments.portrait.measures import log_adjoint_norms, saturations
from experiments.portrait.nets import OPTIONS
from experiments.portrait.settings import TINY, Net
import recurrent_lab as rl
from recurrent_lab.activations import Saturation
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.points import read


def check(point: Point) -> None:
  """Raises a `ValueError` for sizes that a cell cannot have, or for a setting that the recommended initialisation replaces."""
  check_options(point)
  for setting in OPTIONS:
    default = SETTINGS[setting].kind(SETTINGS[setting].default)
    if point[setting] != default:
      raise ValueError(
        f"{setting} is {point[setting]}, but the atlas draws cells as recommended; experiments.critical_gain varies it."
      )


def drawn(static: Point, key: Array, values: Mapping[str, Array]) -> Sample:
  """The net of a point at its recommended initialisation."""
  net, k_recommended = read(Net, static), jax.random.fold_in(key, 1)
  return draw(static, key, values, rl.recommended(cell_of(static), k_recommended, net.hidden_size, net.seq_len))


def first_below(log_norm: Array) -> Array:
  """The first lag at which a norm is below 1/e, by lag from 1 on; infinite if it never is."""
  is_below = log_norm < -1
  return jnp.where(jnp.any(is_below), 1.0 + jnp.argmax(is_below), jnp.inf)


def measure(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The numbers of one net."""
  cell, sample = cell_of(static), drawn(static, key, values)
  params, xs, state, _ = sample
  steps = xs.shape[0]
  log_norm = rl.product_log_norms(cell, params, xs, state, norm=tuple(rl.NORMS))  # [T, norm]
  growth = jax.vmap(rl.growth_rate, in_axes=1)(log_norm)
  log_adjoint = log_adjoint_norms(static, sample)
  spectrum = rl.lyapunov_spectrum(cell, params, xs, state, burn_in=steps // 4)
  _, outputs = rl.unroll(cell, params, xs, state)
  count = lambda tree: jnp.asarray(sum(leaf.size for leaf in jax.tree.leaves(tree)), xs.dtype)
  return {
    "log_norm": jnp.concatenate([jnp.zeros_like(log_norm[:1]), log_norm]).T,
    "growth_rate": growth.rate,
    "memory_length": rl.memory_length(growth.rate),
    "first_lag_below": jax.vmap(first_below, in_axes=1)(log_norm),
    "exponent": spectrum.exponents,
    "certified": spectrum.is_certified.astype(xs.dtype),
    "adjoint_growth_rate": rl.growth_rate(log_adjoint[:-1][::-1]).rate,
    "participation_ratio": rl.participation_ratio(outputs[steps // 4 :]),
    "parameters": count(params),
    "state_size": count(state),
    **saturations(static, sample),
  }


def coords(static: Point) -> dict[str, list[Any]]:
  """The labels of the axes."""
  return {
    "norm": list(rl.NORMS),
    "lag": list(range(read(Net, static).seq_len + 1)),
    "index": list(range(state_size(static))),
    "gate": gates(static),
  }


MEASURE = Measure(
  run=measure,
  settings=SETTINGS,
  check=check,
  dims={
    "log_norm": ("norm", "lag"),
    "growth_rate": ("norm",),
    "memory_length": ("norm",),
    "first_lag_below": ("norm",),
    "exponent": ("index",),
    "certified": (),
    "adjoint_growth_rate": (),
    "participation_ratio": (),
    "parameters": (),
    "state_size": (),
    **dict.fromkeys(Saturation._fields, ("gate",)),
  },
  coords=coords,
  may_be_infinite=("memory_length", "first_lag_below"),
  headline={"growth_rate": "nats per step, of the spectral norm", "first_lag_below": "steps"},
  quantities={
    "log_norm": Quantity("ln of the norm of the Jacobian product", "nats"),
    "growth_rate": Quantity("growth rate of the norm of the Jacobian product", "nats per step"),
    "memory_length": Quantity("memory length: steps in which the norm falls by the factor e", "steps"),
    "first_lag_below": Quantity("first lag at which the norm is below 1/e", "steps"),
    "exponent": EXPONENT._replace(long_name="Lyapunov exponents"),
    "certified": Quantity("whether the determinant certifies the spectrum", "1"),
    "adjoint_growth_rate": Quantity("growth rate of the norm of the adjoint", "nats per step"),
    "participation_ratio": Quantity("participation ratio of the outputs", "1"),
    "parameters": Quantity("number of parameters", "1"),
    "state_size": Quantity("number of entries of the state", "1"),
    "mean_value": Quantity("mean of the nonlinearity", "1"),
    "mean_slope": Quantity("mean slope of the nonlinearity", "1"),
    "mean_log_slope": Quantity("mean of ln of the slope of the nonlinearity", "nats"),
    "share_high": Quantity("share of absolute values above 0.95", "1"),
    "share_low": Quantity("share of absolute values below 0.05", "1"),
    "norm": Quantity("matrix norm"),
    "lag": LAG,
    "index": STATE_INDEX,
    "gate": GATE,
  },
)

EXPERIMENT = Experiment(
  "experiments.atlas",
  __doc__,
  MEASURE,
  {"cells": ",".join(rl.CELLS), "hidden_size": "16", "input_size": "8", "seq_len": "100"},
  seeds=8,
  seconds=300,
  tiny={**TINY, "cells": "rnn,lstm,min_gru"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
