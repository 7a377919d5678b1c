"""Cells with a dense recurrence on a vector. A helper of a cell returns the outputs of all steps."""

import numpy as np

from tests.reference.classic import gate, sigmoid


def mgu(params, xs):
  size = params.recurrent_kernel.shape[0]
  h = np.zeros(size)
  outputs = []
  for x in xs:
    f = np.array([sigmoid(gate(params, "f", "fn", j, x, h)) for j in range(size)])
    n = np.array([np.tanh(gate(params, "n", "fn", j, x, f * h)) for j in range(size)])
    h = (1 - f) * h + f * n
    outputs.append(h)
  return np.array(outputs)


CELLS = {"mgu": mgu}
