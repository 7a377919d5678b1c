"""Statements about gradients that are either exact or not: the BPTT sum, the readout, clipping, order, peepholes.

Measures, per cell, W_s and seed, by how much each identity of the introductions is missed; `analysis.claims` judges them.

    python -m experiments.identities

Expect: the sum over lags misses the gradient by rounding only; the readout has no term beyond lag 0; at W_s = 4 clipping acts.
"""

from collections.abc import Mapping
import sys
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import SETTINGS, cell_of, draw
from experiments.portrait.settings import TINY, Net
import recurrent_lab as rl
from recurrent_lab import training
from recurrent_lab.scaled import norm
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.points import read

CLIP = 1.0  # the largest norm that clipping leaves


def identities(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  cell = cell_of(static)
  params, xs, state, key = draw(static, key, values)
  size = read(Net, static).hidden_size
  k_readout, k_target = jax.random.split(key)
  target = jax.random.normal(k_target, (xs.shape[0], size), xs.dtype)
  # L = ½ Σ_t (Y_t - O_t)² through a readout, term by term and all at once.
  net = rl.with_readout(cell, size)
  both = rl.WithReadoutParams(params, rl.init_readout(k_readout, size, size, xs.dtype))
  loss = lambda outputs: 0.5 * jnp.sum((target - outputs) ** 2)
  gradient = jax.grad(lambda p: loss(rl.unroll(net, p, xs, state)[1]))(both)
  summands = rl.gradient_by_lag(loss, net, both, xs, state)
  missed = jax.tree.map(lambda by_lag, whole: jnp.sum(by_lag, axis=0) - whole, summands, gradient)

  # L_T alone: which steps does the readout's gradient come from?
  last = rl.gradient_by_lag(
    lambda outputs: 0.5 * jnp.sum((target[-1] - outputs[-1]) ** 2), net, both, xs, state
  ).readout

  clipped, _ = training.clipping("global_norm", CLIP).update(gradient, None)
  _, outputs = rl.unroll(cell, params, xs, state)
  _, reversed_outputs = rl.unroll(cell, params, xs[::-1], state)
  slopes = [jnp.exp(a.log_slope) for name, a in rl.activities(cell, params, xs, state).items() if name in TANHS]

  def growth(params: Any) -> tuple[Array, Array]:
    """The Jacobian of every step, and the growth rate of their product."""
    rate = rl.growth_rate(rl.product_log_norms(cell, params, xs, state)).rate
    return rl.state_jacobians(cell, params, xs, state), rate

  # Both nets of a cell with peepholes in one call, and one net of another cell, since products take most of the compilation.
  if hasattr(params, "peephole"):
    blind = params._replace(peephole=jnp.zeros_like(params.peephole))
    both_nets = jax.tree.map(lambda *nets: jnp.stack(nets), params, blind)
    (jacobians, blind_jacobians), (rate, blind_rate) = jax.vmap(growth)(both_nets)
  else:
    jacobians, rate = blind_jacobians, blind_rate = growth(params)
  return {
    "gradient_error": norm(missed) / norm(gradient),
    "readout_beyond_lag_zero": norm(jax.tree.map(lambda g: g[:-1], last)) / norm(last),
    "gradient_norm": norm(gradient),
    "clipped_norm": norm(clipped),
    "order_difference": norm(outputs[-1] - reversed_outputs[-1]) / norm(outputs[-1]),
    "largest_slope": jnp.max(jnp.stack(slopes)),
    "share_of_slopes_below_one": jnp.mean((jnp.stack(slopes) < 1).astype(xs.dtype)),
    "peephole_share": norm(jacobians - blind_jacobians) / norm(jacobians),
    "growth_rate": rate,
    "blind_growth_rate": blind_rate,
  }


TANHS = ("state", "cell", "candidate")
NAMES = (
  "gradient_error",
  "readout_beyond_lag_zero",
  "gradient_norm",
  "clipped_norm",
  "order_difference",
  "largest_slope",
  "share_of_slopes_below_one",
  "peephole_share",
  "growth_rate",
  "blind_growth_rate",
)

MEASURE = Measure(
  run=identities,
  settings=SETTINGS,
  dims=dict.fromkeys(NAMES, ()),
  headline={
    "gradient_error": "of the norm: the BPTT sum against the gradient",
    "peephole_share": "of the norm of J",
    "growth_rate": "nats per step",
  },
  quantities={
    "gradient_error": Quantity("distance of the BPTT sum from the gradient, over the gradient's norm", "1"),
    "readout_beyond_lag_zero": Quantity("share of the readout's gradient from before the last step", "1"),
    "gradient_norm": Quantity("norm of the gradient", "1"),
    "clipped_norm": Quantity("norm of the clipped gradient", "1"),
    "order_difference": Quantity("change of the last output when the inputs are reversed, over its norm", "1"),
    "largest_slope": Quantity("largest slope of a tanh", "1"),
    "share_of_slopes_below_one": Quantity("share of the slopes of tanh below 1", "1"),
    "peephole_share": Quantity("share of the Jacobian that goes through the peepholes", "1"),
    "growth_rate": Quantity("growth rate of the norm of the Jacobian product", "nats per step"),
    "blind_growth_rate": Quantity("growth rate without the path through the peepholes", "nats per step"),
  },
)

EXPERIMENT = Experiment(
  "experiments.identities",
  __doc__,
  MEASURE,
  {"cells": "rnn,lstm,gru,peephole_lstm", "ws": "1,4", "hidden_size": "32", "seq_len": "100"},
  allowed={"cells": ("rnn", "lstm", "gru", "peephole_lstm", "lstm_sigmoid_input", "lstm_1997", "indrnn_tanh")},
  seconds=40,
  tiny={**TINY, "cells": "rnn,peephole_lstm", "ws": "1,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
