"""A net of Haiku: its LSTM, whose forget gate is 1 more at run time, twice under a readout."""

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from oracles.nets.net import INPUTS, Net, by_jax, redrawn


def outputs(xs: Any) -> Any:
  """Returns the outputs of the net."""
  core = hk.DeepRNN([hk.LSTM(4), hk.LSTM(3), hk.Linear(2)])
  return hk.dynamic_unroll(core, xs, core.initial_state(None))[0]


NET = hk.without_apply_rng(hk.transform(outputs))


def net(file: str) -> Net:
  """Draws the params, and says how to save and run them."""
  rng = np.random.default_rng(0)
  params = jax.tree.map(lambda array: redrawn(array.shape, rng), NET.init(jax.random.key(0), jnp.zeros((2, INPUTS))))
  named = {f"{module}/{name}": array for module, arrays in params.items() for name, array in arrays.items()}
  return Net(file, "dm-haiku", lambda path: np.savez(path, **named), by_jax(lambda xs: NET.apply(params, xs)))


NETS = (net("haiku_lstm.npz"),)
