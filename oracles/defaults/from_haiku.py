"""Haiku: its recurrent cores. Its z is 1 - z of the lab, and its LSTM adds 1 to the forget gate at run time."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from oracles.defaults.arrays import opened, ordered, over_both
from oracles.defaults.statistics import Fields

PACKAGE = "dm-haiku"


def core(make):
  """Returns the transformed call of a core: `(x, state) -> (output, state)`."""
  return hk.without_apply_rng(hk.transform(lambda x, state: make()(x, state)))


def lstm(seed: int, inputs: int, units: int) -> Fields:
  call = core(lambda: hk.LSTM(units))
  x, start = jnp.zeros(inputs), hk.LSTMState(jnp.zeros(units), jnp.ones(units))
  params = call.init(jax.random.key(seed), x, start)
  (weights,) = params.values()
  kernel, bias = (ordered(np.asarray(weights[name]), "igfo", "ifgo") for name in ("w", "b"))
  _, state = call.apply(params, x, start)
  return opened(over_both(kernel, bias, inputs), np.asarray(state.cell, np.float64))


def gru(seed: int, inputs: int, units: int) -> Fields:
  call = core(lambda: hk.GRU(units))
  (weights,) = call.init(jax.random.key(seed), jnp.zeros(inputs), jnp.zeros(units)).values()
  own, recurrent, bias = (ordered(np.asarray(weights[name]), "zrn", "rzn") for name in ("w_i", "w_h", "b"))
  sign = np.repeat([1, -1, 1], units).astype(np.float32)
  return {"input_kernel": sign * own, "recurrent_kernel": sign * recurrent, "bias": sign * bias}


def rnn(seed: int, inputs: int, units: int) -> Fields:
  call = core(lambda: hk.VanillaRNN(units))
  params = call.init(jax.random.key(seed), jnp.zeros(inputs), jnp.zeros(units))
  own, recurrent = (params[f"vanilla_rnn/{name}"] for name in ("linear", "linear_1"))
  return {
    "input_kernel": np.asarray(own["w"]),
    "recurrent_kernel": np.asarray(recurrent["w"]),
    "bias": np.asarray(own["b"] + recurrent["b"]),
  }


CLASSES = {"haiku.LSTM": lstm, "haiku.GRU": gru, "haiku.VanillaRNN": rnn}
