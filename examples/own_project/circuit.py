"""A circuit of exciting and inhibiting units that leak. It is a cell of your own, and its settings are axes of a sweep.

    r' = r + (φ(r D |V| + x U) - r) / τ,    D = diag(0.5, …, 0.5, -2 g, …, -2 g)

A step takes the sizes of V alone, so that all weights that a unit sends keep one sign (Dale's law). Four fifths of the units
excite. Excitation and inhibition balance at g = 1.

    python -m experiments.critical_gain --cells=circuit:leaky_ei --ws=1.5 --tau=2:10:5 --inhibition=0:1.6:9
"""

from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

import recurrent_lab as rl

PHI = rl.ACTIVATIONS["softplus"].function
EXCITING = 0.8  # share of the units

# What the sweep should know of a setting beside its default; an argument without an annotation takes every number.
Time = Annotated[float, rl.Option("time constant", "steps", lambda tau: tau >= 1, "1 or more")]
Inhibition = Annotated[float, rl.Option("inhibition beside excitation", "1", lambda g: g >= 0, "0 or more")]


class Params(NamedTuple):
  V: Array  # [H, H], what each unit sends
  U: Array  # [I, H]
  tau: Array
  inhibition: Array


def init(
  key: Array,
  input_size: int,
  hidden_size: int,
  recurrent_gain: Any = 1.0,
  tau: Time = 5.0,
  inhibition: Inhibition = 1.0,
) -> Params:
  k_v, k_u = jax.random.split(key)
  v = recurrent_gain * jax.random.normal(k_v, (hidden_size, hidden_size)) / hidden_size**0.5
  u = jax.random.normal(k_u, (input_size, hidden_size)) / input_size**0.5
  return Params(v, u, jnp.asarray(tau), jnp.asarray(inhibition))


def initial_state(params: Params, batch_shape: tuple[int, ...] = ()) -> Array:
  return jnp.zeros((*batch_shape, params.V.shape[0]))


def weights(params: Params) -> Array:
  """Returns the recurrent weights `[H, H]`. Every row has one sign."""
  units = params.V.shape[0]
  d = jnp.where(jnp.arange(units) < round(EXCITING * units), 0.5, -2 * jnp.abs(params.inhibition))
  return d[:, None] * jnp.abs(params.V)


def step(params: Params, r: Array, x: Array) -> tuple[Array, Array]:
  new = r + (PHI(r @ weights(params) + x @ params.U) - r) / params.tau
  return new, new


leaky_ei = rl.Cell(init, initial_state, step)
