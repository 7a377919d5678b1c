"""Dense cells with gates. A helper of a cell returns the outputs of all steps."""

import numpy as np

from tests.reference.classic import sigmoid


def columns(params, x, letters, field="input_kernel"):
  """Σ_i x_i W_ij of every column j, by letter."""
  kernel = getattr(params, field)
  size = kernel.shape[1] // len(letters)
  product = [sum(x[i] * kernel[i, j] for i in range(len(x))) for j in range(kernel.shape[1])]
  return {k: np.array(product[n * size : (n + 1) * size]) for n, k in enumerate(letters)}


def biases(params, letters):
  return dict(zip(letters, np.split(params.bias, len(letters)), strict=True))


def run(params, xs, step):
  """Outputs of `step(x, h) -> (h, output)` from h = 0."""
  h, outputs = np.zeros(params.recurrent_kernel.shape[0]), []
  for x in xs:
    h, output = step(x, h)
    outputs.append(output)
  return np.array(outputs)


def ugrnn(params, xs):
  def step(x, h):
    w, u, b = columns(params, x, "cg"), columns(params, h, "cg", "recurrent_kernel"), biases(params, "cg")
    g = sigmoid(w["g"] + u["g"] + b["g"])
    new = g * h + (1 - g) * np.tanh(w["c"] + u["c"] + b["c"])
    return new, new

  return run(params, xs, step)


def li_gru(params, xs):
  def step(x, h):
    w, u, b = columns(params, x, "zc"), columns(params, h, "zc", "recurrent_kernel"), biases(params, "zc")
    z = sigmoid(w["z"] + u["z"] + b["z"])
    new = z * h + (1 - z) * np.maximum(w["c"] + u["c"] + b["c"], 0)
    return new, new

  return run(params, xs, step)


def star(params, xs):
  def step(x, h):
    w, u, b = columns(params, x, "zk"), columns(params, h, "k", "recurrent_kernel"), biases(params, "zk")
    k = sigmoid(w["k"] + u["k"] + b["k"])
    new = np.tanh((1 - k) * h + k * np.tanh(w["z"] + b["z"]))
    return new, new

  return run(params, xs, step)


def cfn(params, xs):
  def step(x, h):
    w, u, b = columns(params, x, "fic"), columns(params, h, "fi", "recurrent_kernel"), biases(params, "fic")
    f, i = sigmoid(w["f"] + u["f"] + b["f"]), sigmoid(w["i"] + u["i"] + b["i"])
    new = f * np.tanh(h) + i * np.tanh(w["c"] + b["c"])
    return new, new

  return run(params, xs, step)


def janet(params, xs, beta=1.0):
  def step(x, h):
    w, u, b = columns(params, x, "fc"), columns(params, h, "fc", "recurrent_kernel"), biases(params, "fc")
    s = w["f"] + u["f"] + b["f"]
    new = sigmoid(s) * h + (1 - sigmoid(s - beta)) * np.tanh(w["c"] + u["c"] + b["c"])
    return new, new

  return run(params, xs, step)


def ran(params, xs):
  def step(x, c):
    w, u, b = columns(params, x, "ifc"), columns(params, np.tanh(c), "if", "recurrent_kernel"), biases(params, "if")
    i, f = sigmoid(w["i"] + u["i"] + b["i"]), sigmoid(w["f"] + u["f"] + b["f"])
    new = i * w["c"] + f * c
    return new, np.tanh(new)

  return run(params, xs, step)


def minimal_rnn(params, xs):
  def step(x, h):
    b = biases(params, "zu")
    z = np.tanh(columns(params, x, "z")["z"] + b["z"])
    from_state, from_z = columns(params, h, "u", "recurrent_kernel")["u"], columns(params, z, "u", "latent_kernel")["u"]
    u = sigmoid(from_state + from_z + b["u"])
    new = u * h + (1 - u) * z
    return new, new

  return run(params, xs, step)


def intersection_rnn(params, xs):
  def step(x, h):
    x = columns(params, x, "x")["x"]
    w, u, b = (
      columns(params, x, "yhgk", "gate_kernel"),
      columns(params, h, "yhgk", "recurrent_kernel"),
      biases(params, "yhgk"),
    )
    a = {letter: w[letter] + u[letter] + b[letter] for letter in "yhgk"}
    g, k = sigmoid(a["g"]), sigmoid(a["k"])
    return k * h + (1 - k) * np.tanh(a["h"]), g * x + (1 - g) * np.maximum(a["y"], 0)

  return run(params, xs, step)


def mut(params, xs, number):
  seen = "rn" if number == 1 else "zrn"

  def step(x, h):
    w, b = columns(params, x, "zrn"), biases(params, "zrn")
    u = lambda state, letter: columns(params, state, seen, "recurrent_kernel")[letter]
    from_state = {1: lambda: 0, 2: lambda: u(h, "z"), 3: lambda: u(np.tanh(h), "z")}[number]()
    z, r = sigmoid(w["z"] + from_state + b["z"]), sigmoid(w["r"] + u(h, "r") + b["r"])
    n = np.tanh(u(r * h, "n") + (np.tanh(w["n"]) if number == 1 else w["n"]) + b["n"])
    new = z * n + (1 - z) * h
    return new, new

  return run(params, xs, step)


CELLS = {
  "janet": janet,
  "minimal_rnn": minimal_rnn,
  "ugrnn": ugrnn,
  "cfn": cfn,
  "ran": ran,
  "li_gru": li_gru,
  "star": star,
  "intersection_rnn": intersection_rnn,
  "mut1": lambda p, xs: mut(p, xs, 1),
  "mut2": lambda p, xs: mut(p, xs, 2),
  "mut3": lambda p, xs: mut(p, xs, 3),
}
