"""A cell of a user for tests: leaky units with a time constant of their own, and parameters in a plain dict."""

import jax
import jax.numpy as jnp

import recurrent_lab as rl

TANH = rl.ACTIVATIONS["tanh"]


def init(key, input_size, hidden_size, recurrent_gain=1.0, tau: float = 2.0):
  k_w, k_u = jax.random.split(key)
  return {
    "W": recurrent_gain * jax.random.normal(k_w, (hidden_size, hidden_size)) / hidden_size**0.5,
    "U": jax.random.normal(k_u, (input_size, hidden_size)) / input_size**0.5,
    "rate": 1 / jnp.asarray(tau),
  }


def initial_state(params, batch_shape=()):
  return jnp.zeros((*batch_shape, params["W"].shape[0]))


def affine(params, state, x):
  return x @ params["U"] + state @ params["W"]


def step(params, state, x):
  new = state + params["rate"] * (TANH.function(affine(params, state, x)) - state)
  return new, new


leaky = rl.Cell(init, initial_state, step, probe=lambda p, s, x: {"tanh": TANH.activity(affine(p, s, x))})
