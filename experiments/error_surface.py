"""The error of one recurrent unit over (w, b): a plain, a cliff, and what gradient descent does at it.

Claim (Pascanu et al., 2013, section 2.2 and figure 6): where the state bifurcates the error has a steep wall, at which a plain
gradient step flies off and a clipped one does not. S_t = σ(w S_{t-1} + b), S_0 = 1/2, and L = (S_T - 0.7)² after 50 steps.

    python -m experiments.error_surface

Measures L and its gradient at every (w, b), and the descent that starts there, with and without clipping at norm 1/2.
"""

from collections.abc import Mapping
import sys

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array
import optax

from experiments.portrait import SETTINGS, cell_of, draw
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from recurrent_lab import training
from recurrent_lab.scaled import norm
from sweepkit import Experiment, Measure, Point, Quantity, main

TARGET, START = 0.7, 0.5
RATE, CLIP, UPDATES = 0.5, 0.5, 100


def surface(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  cell = cell_of(static)
  params, xs, state, _ = draw(static, key, values)

  def error(at: Array) -> Array:
    """L at (w, b)."""
    placed = params._replace(
      recurrent_kernel=jnp.broadcast_to(at[0], params.recurrent_kernel.shape),
      bias=jnp.broadcast_to(at[1], params.bias.shape),
    )
    _, outputs = rl.unroll(cell, placed, xs, jnp.full_like(state, START))
    return (outputs[-1, 0] - TARGET) ** 2

  def descend(clip: optax.GradientTransformation) -> Array:
    def update(at: Array, _: None) -> tuple[Array, Array]:
      gradient, _ = clip.update(jax.grad(error)(at), clip.init(at))
      return at - RATE * gradient, at

    return lax.scan(update, jnp.stack([values["ws"], values["bias"]]), None, length=UPDATES)[1]

  here = jnp.stack([values["ws"], values["bias"]])
  value, gradient = jax.value_and_grad(error)(here)
  paths = [descend(training.clipping("none")), descend(training.clipping("global_norm", CLIP))]
  return {"error": value, "gradient_norm": norm(gradient), "path": jnp.stack(paths)}


MEASURE = Measure(
  run=surface,
  settings=SETTINGS,
  dims={"error": (), "gradient_norm": (), "path": ("clipping", "update", "coordinate")},
  coords=lambda static: {
    "clipping": ["none", "global_norm"],
    "update": list(range(UPDATES)),
    "coordinate": ["ws", "bias"],
  },
  headline={"error": "(S_T - 0.7)²", "gradient_norm": "of that"},
  quantities={
    "error": Quantity("error (S_T - 0.7)²", "1"),
    "gradient_norm": Quantity("norm of the gradient of the error by (w, b)", "1"),
    "path": Quantity("descent from here", "1"),
    "clipping": Quantity("how the gradient is clipped"),
    "update": Quantity("updates of the descent", "updates"),
    "coordinate": Quantity("parameter of the unit"),
  },
)

EXPERIMENT = Experiment(
  "experiments.error_surface",
  __doc__,
  MEASURE,
  {
    "cells": "rnn_sigmoid",
    "hidden_size": "1",
    "input_size": "1",
    "recurrent_init": "identity",
    "input": "zero",
    "ws": "3.5:6.5:31",
    "bias": "-3.55:-1.45:43",  # with -w/2 for every w, where S_0 is a fixed point, and the cliff
    "seq_len": "50",
  },
  allowed={"cells": ("rnn", "rnn_sigmoid")},
  seeds=1,
  x64=True,
  seconds=9,
  figure="analysis.learning.error_surface",
  tiny={**TINY, "hidden_size": "1", "ws": "4,6", "bias": "-3,-2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
