"""Cells that are made to keep gradients stable. A helper of a cell returns the outputs of all steps."""

import numpy as np

from tests.reference.classic import gate, sigmoid


def leaky_rnn(params, xs, rate=0.2):
  h = np.zeros(params.bias.shape[0])
  outputs = []
  for x in xs:
    h = np.array([(1 - rate) * h[j] + rate * np.tanh(gate(params, "h", "h", j, x, h)) for j in range(len(h))])
    outputs.append(h)
  return np.array(outputs)


def antisymmetric_rnn(params, xs, rate=0.1, diffusion=0.01):
  kernel = params.recurrent_kernel
  size = kernel.shape[0]
  gated = params.bias.shape[0] > size
  h = np.zeros(size)
  outputs = []
  for x in xs:
    new = np.zeros(size)
    for j in range(size):
      a = -diffusion * h[j] + sum(h[i] * (kernel[i, j] - kernel[j, i]) for i in range(size))
      if gated:
        z = sigmoid(a + gate(params, "z", "zh", j, x, None))
        new[j] = h[j] + rate * z * np.tanh(a + gate(params, "h", "zh", j, x, None))
      else:
        new[j] = h[j] + rate * np.tanh(a + gate(params, "h", "h", j, x, None))
    h = new
    outputs.append(h)
  return np.array(outputs)


CELLS = {
  "leaky_rnn": leaky_rnn,
  "antisymmetric_rnn": antisymmetric_rnn,
  "gated_antisymmetric_rnn": antisymmetric_rnn,
}
