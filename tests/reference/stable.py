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


def lem(params, xs, time_step=1.0):
  size = params.recurrent_kernel.shape[0]
  y, z = np.zeros(size), np.zeros(size)
  outputs = []
  for x in xs:
    a = lambda name, seen, x=x: np.array([gate(params, name, "12zy", j, x, seen) for j in range(size)])
    first, second = time_step * sigmoid(a("1", y)), time_step * sigmoid(a("2", y))
    z = (1 - first) * z + first * np.tanh(a("z", y))
    y = (1 - second) * y + second * np.tanh(a("y", z))
    outputs.append(y)
  return np.array(outputs)


def cornn(params, xs, time_step=0.042, stiffness=2.7, damping=4.7, implicit=False):
  size = params.bias.shape[0]
  y, z = np.zeros(size), np.zeros(size)
  outputs = []
  for x in xs:
    pull = np.zeros(size)
    for j in range(size):
      a = gate(params, "y", "y", j, x, y) + sum(z[i] * params.velocity_kernel[i, j] for i in range(size))
      pull[j] = np.tanh(a) - stiffness * y[j]
    if implicit:
      z = (z + time_step * pull) / (1 + time_step * damping)
    else:
      z = z + time_step * (pull - damping * z)
    y = y + time_step * z
    outputs.append(y)
  return np.array(outputs)


def orthogonal_rnn(params, xs, cayley=False):
  """The map acts on the eigenvalues i θ of W - Wᵀ."""
  angles, vectors = np.linalg.eigh(-1j * (params.recurrent_kernel - params.recurrent_kernel.T))
  values = (1 + 0.5j * angles) / (1 - 0.5j * angles) if cayley else np.exp(1j * angles)
  kernel = np.real(vectors @ np.diag(values) @ vectors.conj().T)
  h = np.zeros(len(kernel))
  outputs = []
  for x in xs:
    h = np.tanh(x @ params.input_kernel + h @ kernel + params.bias)
    outputs.append(h)
  return np.array(outputs)


def unicornn(params, xs, time_step=0.1, stiffness=1.0):
  size = params.bias.shape[0]
  y, z = np.zeros(size), np.zeros(size)
  outputs = []
  for x in xs:
    y = y.copy()
    for j in range(size):
      own_step = time_step * sigmoid(params.time_scale[j])
      a = gate(params, "y", "y", j, x, None) + params.recurrent_kernel[j] * y[j]
      z[j] -= own_step * (np.tanh(a) + stiffness * y[j])
      y[j] += own_step * z[j]
    outputs.append(y)
  return np.array(outputs)


def lipschitz_rnn(params, xs, rate=0.1, beta=0.75, gamma=0.001):
  mix = lambda k: (1 - beta) * (k + k.T) + beta * (k - k.T) - gamma * np.eye(len(k))
  linear, recurrent = mix(params.linear_kernel), mix(params.recurrent_kernel)
  h = np.zeros(len(linear))
  outputs = []
  for x in xs:
    h = h + rate * (h @ linear + np.tanh(h @ recurrent + x @ params.input_kernel + params.bias))
    outputs.append(h)
  return np.array(outputs)


def unitary_rnn(params, xs):
  """The product of the seven matrices, each of them written out."""
  size = params.bias.shape[0]
  first, second, third = (np.diag(np.exp(1j * row)) for row in params.phases)
  fourier = np.exp(-2j * np.pi * np.outer(np.arange(size), np.arange(size)) / size) / np.sqrt(size)
  normals = [v / np.linalg.norm(v) for v in params.reflection_real + 1j * params.reflection_imag]
  reflections = [np.eye(size) - 2 * np.outer(v, v.conj()) for v in normals]
  permutation = np.eye(size)[np.random.default_rng(0).permutation(size)]
  inner = second @ permutation @ reflections[0] @ fourier @ first
  kernel = third @ reflections[1] @ fourier.conj().T @ inner
  h = np.zeros(size, complex)
  outputs = []
  for x in xs:
    real, imag = np.split(x @ params.input_kernel, 2)
    z = kernel @ h + real + 1j * imag
    h = np.maximum(np.abs(z) + params.bias, 0) * np.exp(1j * np.angle(z))
    outputs.append(h.real)
  return np.array(outputs)


CELLS = {
  "leaky_rnn": leaky_rnn,
  "antisymmetric_rnn": antisymmetric_rnn,
  "gated_antisymmetric_rnn": antisymmetric_rnn,
  "lem": lem,
  "cornn": cornn,
  "cornn_implicit": lambda p, xs: cornn(p, xs, implicit=True),
  "orthogonal_rnn": orthogonal_rnn,
  "orthogonal_rnn_cayley": lambda p, xs: orthogonal_rnn(p, xs, cayley=True),
  "unicornn": unicornn,
  "lipschitz_rnn": lipschitz_rnn,
  "unitary_rnn": unitary_rnn,
}
