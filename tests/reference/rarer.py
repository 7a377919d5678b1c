"""Rarer dense cells. A helper of a cell returns the outputs of all steps."""

import numpy as np

from tests.reference.classic import sigmoid
from tests.reference.gated import biases, columns, run


def fast_rnn(params, xs):
  def step(x, h):
    a = columns(params, x, "h")["h"] + columns(params, h, "h", "recurrent_kernel")["h"]
    new = sigmoid(params.candidate_weight) * np.tanh(a + params.bias) + sigmoid(params.state_weight) * h
    return new, new

  return run(params, xs, step)


def fast_grnn(params, xs):
  zeta, nu = sigmoid(params.gate_weight), sigmoid(params.candidate_weight)

  def step(x, h):
    a, b = columns(params, x, "h")["h"] + columns(params, h, "h", "recurrent_kernel")["h"], biases(params, "zh")
    z = sigmoid(a + b["z"])
    new = np.array([(zeta * (1 - z[j]) + nu) * np.tanh(a[j] + b["h"][j]) + z[j] * h[j] for j in range(len(h))])
    return new, new

  return run(params, xs, step)


def bistable(params, xs, seen):
  """`seen(h)` is what the gates a and c see of the state."""
  h, outputs = np.zeros(params.bias.shape[0] // 3), []
  for x in xs:
    w, b = columns(params, x, "ach"), biases(params, "ach")
    u_a, u_c = seen(h)
    a, c = 1 + np.tanh(w["a"] + u_a + b["a"]), sigmoid(w["c"] + u_c + b["c"])
    h = c * h + (1 - c) * np.tanh(w["h"] + a * h + b["h"])
    outputs.append(h)
  return np.array(outputs)


def brc(params, xs):
  u_a, u_c = np.split(params.recurrent_kernel, 2)
  return bistable(params, xs, lambda h: (u_a * h, u_c * h))


def nbrc(params, xs):
  return bistable(params, xs, lambda h: columns(params, h, "ac", "recurrent_kernel").values())


def multiplicative_lstm(params, xs):
  size = params.recurrent_kernel.shape[0]
  h, c, outputs = np.zeros(size), np.zeros(size), []
  for x in xs:
    w, b = columns(params, x, "mifgo"), biases(params, "ifgo")
    m = w["m"] * columns(params, h, "m", "recurrent_kernel")["m"]
    u = columns(params, m, "ifgo", "multiplicative_kernel")
    a = {k: w[k] + u[k] + b[k] for k in "ifgo"}
    c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["g"])
    h = sigmoid(a["o"]) * np.tanh(c)
    outputs.append(h)
  return np.array(outputs)


def recurrent_highway(params, xs, depth=3):
  letters = "".join(f"{n}" for n in range(2 * depth))  # n and z of each layer

  def step(x, h):
    w, b = columns(params, x, "nz"), biases(params, letters)
    for layer in range(depth):
      u = columns(params, h, letters, "recurrent_kernel")
      n, z = (u[k] + b[k] for k in letters[2 * layer : 2 * layer + 2])
      if layer == 0:
        n, z = n + w["n"], z + w["z"]
      h = sigmoid(z) * np.tanh(n) + (1 - sigmoid(z)) * h
    return h, h

  return run(params, xs, step)


def scrn(params, xs, feedback="hidden", alpha=0.95):
  s = np.zeros(params.recurrent_kernel.shape[0])
  fed_back, outputs = s, []
  for x in xs:
    w, b = columns(params, x, "sh"), biases(params, "hy")
    s = (1 - alpha) * w["s"] + alpha * s
    v = columns(params, s, "hy", "context_kernel")
    h = sigmoid(w["h"] + v["h"] + columns(params, fed_back, "h", "recurrent_kernel")["h"] + b["h"])
    y = np.tanh(columns(params, h, "y", "output_kernel")["y"] + v["y"] + b["y"])
    fed_back = h if feedback == "hidden" else y
    outputs.append(y)
  return np.array(outputs)


def nas(params, xs):
  letters, size = "01234567", params.recurrent_kernel.shape[0]
  h, c, outputs = np.zeros(size), np.zeros(size), []
  for x in xs:
    w, u, b = columns(params, x, letters), columns(params, h, letters, "recurrent_kernel"), biases(params, letters)
    a = [w[k] + u[k] + b[k] for k in letters]
    relu = lambda v: np.maximum(v, 0)
    p, q = np.tanh(sigmoid(a[0]) * relu(a[1])), np.tanh(sigmoid(a[2]) + relu(a[3]))
    r, s = np.tanh(np.tanh(a[4]) * sigmoid(a[5])), sigmoid(np.tanh(a[6]) + sigmoid(a[7]))
    c = np.tanh(p + c) * q
    h = np.tanh(c * np.tanh(r + s))
    outputs.append(h)
  return np.array(outputs)


def clockwork_rnn(params, xs, periods=(1, 2, 4, 8)):
  size = params.bias.shape[0]
  group = [j * len(periods) // size for j in range(size)]
  h, outputs = np.zeros(size), []
  for t, x in enumerate(xs):
    new = h.copy()
    for j in range(size):
      if t % periods[group[j]] == 0:
        slower = sum(h[i] * params.recurrent_kernel[i, j] for i in range(size) if group[i] >= group[j])
        new[j] = np.tanh(x @ params.input_kernel[:, j] + slower + params.bias[j])
    h = new
    outputs.append(h)
  return np.array(outputs)


CELLS = {
  "fast_rnn": fast_rnn,
  "fast_grnn": fast_grnn,
  "brc": brc,
  "nbrc": nbrc,
  "multiplicative_lstm": multiplicative_lstm,
  "recurrent_highway": recurrent_highway,
  "scrn": scrn,
  "scrn_output": lambda p, xs: scrn(p, xs, "output"),
  "nas": nas,
  "clockwork_rnn": clockwork_rnn,
}
