"""The families that the lab began with.

Kernels come as the library stores them, `(in, out)` with the gates side by side; here every gate is one scalar sum a unit.
"""

import math

import numpy as np


def sigmoid(a):
  return 1 / (1 + np.exp(-a))


ACTIVATIONS = {
  "tanh": np.tanh,
  "relu": lambda a: max(a, 0.0),
  "sigmoid": sigmoid,
  "leaky_relu": lambda a: a if a > 0 else 0.01 * a,
  "softsign": lambda a: a / (1 + abs(a)),
  "hard_tanh": lambda a: min(max(a, -1.0), 1.0),
  "identity": lambda a: a,
  "softplus": lambda a: math.log(1 + math.exp(a)),
  "elu": lambda a: a if a > 0 else math.exp(a) - 1,
  "gelu": lambda a: a * (1 + math.erf(a / math.sqrt(2))) / 2,
  "power_law": lambda a: max(a, 0.0) ** 2,
}


def gate(params, name, order, j, x, h):
  """Σ_i x_i W_ij + Σ_i h_i U_ij + b_j of the gate `name` among `order`."""
  size = params.bias.shape[0] // len(order)
  column = order.index(name) * size + j
  total = params.bias[column]
  for i in range(len(x)):
    total += x[i] * params.input_kernel[i, column]
  if h is not None:
    for i in range(len(h)):
      total += h[i] * params.recurrent_kernel[i, column]
  return total


def rnn(params, xs, activation="tanh"):
  f = ACTIVATIONS[activation]
  s = np.zeros(params.bias.shape[0])
  outputs = []
  for x in xs:
    s = np.array([f(gate(params, "s", "s", j, x, s)) for j in range(len(s))])
    outputs.append(s)
  return np.array(outputs)


def lstm(params, xs, input_node="tanh", forget="gate", peepholes=False):
  order = {"gate": "ifgo", "none": "igo", "coupled": "fgo"}[forget]
  seeing = [k for k in order if k != "g"]
  size = params.recurrent_kernel.shape[0]
  h, c = np.zeros(size), np.zeros(size)
  outputs = []
  for x in xs:
    new_h, new_c = np.zeros(size), np.zeros(size)
    for j in range(size):
      a = {k: gate(params, k, order, j, x, h) for k in order}
      peephole = {k: params.peephole[seeing.index(k), j] if peepholes else 0.0 for k in seeing}
      f = sigmoid(a["f"] + peephole["f"] * c[j]) if "f" in order else 1.0
      i = sigmoid(a["i"] + peephole["i"] * c[j]) if "i" in order else 1.0 - f
      g = ACTIVATIONS[input_node](a["g"])
      new_c[j] = f * c[j] + i * g
      new_h[j] = sigmoid(a["o"] + peephole["o"] * new_c[j]) * np.tanh(new_c[j])
    h, c = new_h, new_c
    outputs.append(h)
  return np.array(outputs)


def gru(params, xs, reset="after"):
  size = params.recurrent_kernel.shape[0]
  h = np.zeros(size)
  outputs = []
  for x in xs:
    r = np.array([sigmoid(gate(params, "r", "rzn", j, x, h)) for j in range(size)])
    z = np.array([sigmoid(gate(params, "z", "rzn", j, x, h)) for j in range(size)])
    n = np.zeros(size)
    for j in range(size):
      column = 2 * size + j
      outer = params.bias[column] + sum(x[i] * params.input_kernel[i, column] for i in range(len(x)))
      if reset == "after":
        inner = params.recurrent_bias[j] + sum(h[i] * params.recurrent_kernel[i, column] for i in range(size))
        n[j] = np.tanh(outer + r[j] * inner)
      else:
        n[j] = np.tanh(outer + sum(r[i] * h[i] * params.recurrent_kernel[i, column] for i in range(size)))
    h = (1 - z) * n + z * h
    outputs.append(h)
  return np.array(outputs)


def simplified_lstm(params, xs, activation="tanh"):
  f = ACTIVATIONS[activation]
  s = np.zeros(params.bias.shape[0] // 3)
  outputs = []
  for x in xs:
    i, forget, new = (np.array([gate(params, k, "ifg", j, x, None) for j in range(len(s))]) for k in "ifg")
    s = np.array([f(sigmoid(forget[j]) * s[j] + sigmoid(i[j]) * new[j]) for j in range(len(s))])
    outputs.append(s)
  return np.array(outputs)


def indrnn(params, xs, activation="relu"):
  f = ACTIVATIONS[activation]
  h = np.zeros(params.bias.shape[0])
  outputs = []
  for x in xs:
    h = np.array([f(gate(params, "h", "h", j, x, None) + params.recurrent_kernel[j] * h[j]) for j in range(len(h))])
    outputs.append(h)
  return np.array(outputs)


def hopfield(params, xs, rate=0.1):
  u = np.zeros(params.bias.shape[0])
  outputs = []
  for x in xs:
    v = np.tanh(u)
    u = np.array([(1 - rate) * u[j] + rate * gate(params, "u", "u", j, x, v) for j in range(len(u))])
    outputs.append(u)
  return np.array(outputs)


# One reference for every name in `CELLS`.
CELLS = {
  "rnn": rnn,
  "rnn_relu": lambda p, xs: rnn(p, xs, "relu"),
  "rnn_linear": lambda p, xs: rnn(p, xs, "identity"),
  "rnn_sigmoid": lambda p, xs: rnn(p, xs, "sigmoid"),
  "rnn_leaky_relu": lambda p, xs: rnn(p, xs, "leaky_relu"),
  "rnn_softsign": lambda p, xs: rnn(p, xs, "softsign"),
  "rnn_hard_tanh": lambda p, xs: rnn(p, xs, "hard_tanh"),
  "lstm": lstm,
  "lstm_sigmoid_input": lambda p, xs: lstm(p, xs, input_node="sigmoid"),
  "lstm_1997": lambda p, xs: lstm(p, xs, forget="none"),
  "lstm_coupled": lambda p, xs: lstm(p, xs, forget="coupled"),
  "peephole_lstm": lambda p, xs: lstm(p, xs, peepholes=True),
  "peephole_lstm_coupled": lambda p, xs: lstm(p, xs, forget="coupled", peepholes=True),
  "gru": gru,
  "gru_reset_before": lambda p, xs: gru(p, xs, reset="before"),
  "simplified_lstm": simplified_lstm,
  "simplified_lstm_linear": lambda p, xs: simplified_lstm(p, xs, "identity"),
  "indrnn": indrnn,
  "indrnn_tanh": lambda p, xs: indrnn(p, xs, "tanh"),
  "hopfield": hopfield,
}
