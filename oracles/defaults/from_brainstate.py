"""brainstate: its recurrent cells. Its z is 1 - z of the lab, and its LSTM adds 1 to the forget gate at run time."""

import brainstate
import jax.numpy as jnp
import numpy as np

from oracles.defaults.arrays import opened, ordered, over_both
from oracles.defaults.statistics import Fields

PACKAGE = "brainstate"


def linear(module) -> tuple[np.ndarray, np.ndarray]:
  """Returns the matrix `[I + H, columns]` and the bias of a linear part."""
  return np.asarray(module.weight.value["weight"]), np.asarray(module.weight.value["bias"])


def lstm(seed: int, inputs: int, units: int) -> Fields:
  brainstate.random.seed(seed)
  cell = brainstate.nn.LSTMCell(inputs, units)
  kernel, bias = (ordered(part, "igfo", "ifgo") for part in linear(cell.W))
  cell.init_state()
  cell.c.value = jnp.ones(units)
  cell.update(jnp.zeros(inputs))
  return opened(over_both(kernel, bias, inputs), np.asarray(cell.c.value, np.float64))


def gru(seed: int, inputs: int, units: int) -> Fields:
  brainstate.random.seed(seed)
  cell = brainstate.nn.GRUCell(inputs, units)
  (gates, gate_bias), (candidate, bias) = linear(cell.Wrz), linear(cell.Wh)
  sign = np.repeat([1, -1, 1], units).astype(np.float32)
  kernel = sign * np.concatenate([gates, candidate], axis=1)
  return over_both(kernel, sign * np.concatenate([gate_bias, bias]), inputs)


def rnn(seed: int, inputs: int, units: int) -> Fields:
  brainstate.random.seed(seed)
  return over_both(*linear(brainstate.nn.ValinaRNNCell(inputs, units).W), inputs)


CLASSES = {
  "brainstate.nn.LSTMCell": lstm,
  "brainstate.nn.GRUCell": gru,
  "brainstate.nn.ValinaRNNCell": rnn,
}
