"""tinygrad: its LSTM cell."""

from importlib import metadata

import numpy as np
from tinygrad import Tensor, nn

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, draw, record, scan


def lstm(rng, xs):
  cell = nn.LSTMCell(INPUTS, HIDDEN)
  arrays = {name: draw(rng, tensor.shape) for name, tensor in nn.state.get_state_dict(cell).items()}
  nn.state.load_state_dict(cell, {name: Tensor(array) for name, array in arrays.items()}, verbose=False)
  zeros = Tensor(np.zeros((BATCH, HIDDEN), np.float32))

  def step(state, x):
    h, c = cell(Tensor(x), state)
    return (h, c), h.numpy()

  return arrays, scan(step, (zeros, zeros), xs)


if __name__ == "__main__":
  record("tinygrad", metadata.version("tinygrad"), {"tinygrad.nn.LSTMCell": lstm})
