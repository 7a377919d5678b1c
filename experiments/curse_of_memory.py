"""Does a linear recurrent unit become more sensitive to its own weight as its memory grows, and what removes that?

Claim (Zucchet & Orvieto, 2024, sections 2 and 3): with the memory τ = 1 / (1 - |λ|) of h_t = λ h_{t-1} + γ x_t the gradient with
respect to λ diverges, although nothing explodes over time. The normalisation γ = √(1 - |λ|²) and the parameter ν of
|λ| = exp(-e^ν), as the LRU has them, remove it together. One unit sees white noise. The loss is half the squared distance of its
last output from a target that is white noise too. Gradients are exact, carried forward in time.

    python -m experiments.curse_of_memory
    python -m experiments.curse_of_memory --memory=10,100 --seeds=3                  a few seconds

    rnn_linear      one unit, λ is its recurrent kernel
    lru             one complex unit, λ = exp(-e^ν + i e^θ) at the angle e^θ of --angle; ν is log_decay, θ is log_angle
    plain, normalized      γ = 1, and γ = √(1 - |λ|²), a parameter of its own that does not move with λ

Expect: the variance of the state grows as τ / 2 when plain and is 1 when normalised. Squared sensitivities grow as τ³, τ² for λ
plain and normalised, as τ, τ⁰ for ν, and as τ³, τ² for θ: the curse stays in the angle. Squared gradients have one power of τ
more when plain, because the error grows too. All of them lie on the closed forms.
"""

from collections.abc import Mapping
import sys
from typing import Any, NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array

import recurrent_lab as rl
from recurrent_lab.cells import LRUParams, RNNParams
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.settings import POSITIVE, POSITIVE_INT, Setting, Settings, one_of

CELLS = ("rnn_linear", "lru")
PARAMETERS = {"rnn_linear": ("recurrent_kernel",), "lru": ("log_decay", "log_angle")}
SCALES = ("plain", "normalized")
LONG = 10  # memories in a sequence: what is left of its start is below 1e-6 of every moment

SETTINGS: Settings = {
  "cells": Setting(str, "rnn_linear,lru", "cells to compare", *one_of(CELLS), dimension="cell", table=rl.CELLS),
  "memory": Setting(
    int, "10,30,100", "1 / (1 - |λ|)", lambda v: v >= 2, "a whole number of 2 or more", units="steps", is_axis=True
  ),
  "angle": Setting(float, "0.3", "angle of the eigenvalue of the LRU", *POSITIVE, True, units="radians per step"),
  "sequences": Setting(int, "500", "sequences per seed", *POSITIVE_INT, units="1"),
}


class Drawn(NamedTuple):
  """Units at the end of many sequences, and how they move with a parameter. The last axis is that of the sequences."""

  squared_state: Array  # |h|²
  squared_sensitivity: Array  # |∂h/∂θ|²
  output: Array  # Re h
  output_sensitivity: Array  # Re ∂h/∂θ


def unit(cell: str, decay: Array, angle: Array, scale: Array) -> Any:
  """Returns the parameters of one unit with |λ| = decay and γ = scale, which reads x and puts out Re h."""
  one = jnp.ones((1, 1), decay.dtype)
  if cell == "rnn_linear":
    return RNNParams(input_kernel=scale * one, recurrent_kernel=decay * one, bias=0 * one[0])
  return LRUParams(
    input_kernel=jnp.concatenate([one, 0 * one], axis=1),
    log_decay=jnp.log(-jnp.log(decay)) * one[0],
    log_angle=jnp.log(angle) * one[0],
    log_scale=jnp.log(scale) * one[0],
    output_kernel=jnp.concatenate([one, 0 * one]),
  )


def ends(name: str, params: Any, parameters: tuple[str, ...], key: Array, steps: int, sequences: int) -> Drawn:
  """Runs white noise through units, and beside each its derivative by one of these parameters.

  Args:
    name: the cell.
    params: units of several scales, on the leading axis.
    parameters: of the unit.
    key: the random key of the noise, which all units share.
    steps: T.
    sequences: B.

  Returns:
    Arrays `[scales, parameters, B]`.
  """
  cell, dtype = rl.get_cell(name), params.input_kernel.dtype

  def run(params: Any) -> tuple[Any, Array]:
    def step(carry: tuple[Any, Array], t: Array) -> tuple[tuple[Any, Array], None]:
      # Drawn at the step, because all inputs together are too large.
      return cell.step(params, carry[0], jax.random.normal(jax.random.fold_in(key, t), (sequences, 1), dtype)), None

    start = cell.initial_state(params, (sequences,)), jnp.zeros((sequences, 1), dtype)
    return lax.scan(step, start, jnp.arange(steps))[0]

  def end(params: Any, moved: Any) -> Drawn:
    (state, output), (state_slope, output_slope) = jax.jvp(run, (params,), (moved,))
    square = lambda parts: sum(part[:, 0] ** 2 for part in jax.tree.leaves(parts))
    return Drawn(square(state), square(state_slope), output[:, 0], output_slope[:, 0])

  still = jax.tree.map(lambda leaf: jnp.zeros((len(parameters), *leaf.shape[1:]), dtype), params)
  moved = still._replace(**{one: getattr(still, one).at[i].set(1.0) for i, one in enumerate(parameters)})
  return jax.vmap(jax.vmap(end, in_axes=(None, 0)), in_axes=(0, None))(params, moved)


def moments(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The second moments of one unit over all sequences, with both scales and by each of its parameters."""
  cell, memory, sequences = str(static["cell"]), int(static["memory"]), int(static["sequences"])
  k_inputs, k_target = jax.random.split(key)
  angle = values["angle"]
  decay = jnp.asarray(1 - 1 / memory, angle.dtype)
  scales = jnp.stack([jnp.ones_like(decay), jnp.sqrt((1 - decay) * (1 + decay))])
  params = jax.vmap(lambda scale: unit(cell, decay, angle, scale))(scales)
  found = ends(cell, params, PARAMETERS[cell], k_inputs, LONG * memory, sequences)
  target = jax.random.normal(k_target, (sequences,), angle.dtype)
  return {
    "state_variance": jnp.mean(found.squared_state[:, 0], axis=-1),
    "squared_sensitivity": jnp.mean(found.squared_sensitivity, axis=-1),
    "squared_gradient": jnp.mean(((found.output - target) * found.output_sensitivity) ** 2, axis=-1),
  }


MEASURE = Measure(
  run=moments,
  settings=SETTINGS,
  dims={
    "squared_gradient": ("scale", "parameter"),
    "squared_sensitivity": ("scale", "parameter"),
    "state_variance": ("scale",),
  },
  coords=lambda static: {"scale": list(SCALES), "parameter": list(PARAMETERS[str(static["cell"])])},
  headline={"squared_gradient": "plain"},
  quantities={
    "squared_gradient": Quantity("mean square of the gradient of the loss by the parameter", "1"),
    "squared_sensitivity": Quantity("mean square of the derivative of the state by the parameter", "1"),
    "state_variance": Quantity("mean square of the state", "1"),
    "scale": Quantity("γ: 1, or such that the state has the variance of the input"),
    "parameter": Quantity("the parameter of the eigenvalue"),
  },
)

EXPERIMENT = Experiment(
  "experiments.curse_of_memory",
  __doc__,
  MEASURE,
  {"cells": "rnn_linear,lru", "memory": "10,30,100,300,1000,3000"},
  seeds=8,
  x64=True,
  seconds=60,
  figure="analysis.landmarks.curse_of_memory",
  tiny={"memory": "4,8", "sequences": "20"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
