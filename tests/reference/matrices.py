"""Cells whose state is a matrix or several vectors. A helper of a cell returns the outputs of all steps.

A state of keys and values is one matrix `[K, V]` per head here too, but every entry is updated by a sum of its own.
"""

import itertools

import numpy as np

from tests.reference.classic import gate, sigmoid


def affine(params, x):
  """Σ_i x_i W_ij + b_j for all columns j."""
  width = params.bias.shape[0]
  return np.array([params.bias[j] + sum(x[i] * params.input_kernel[i, j] for i in range(len(x))) for j in range(width)])


def split(a, *widths):
  """The consecutive parts of `a` with these widths."""
  assert sum(widths) == len(a)
  return [a[start:end] for start, end in itertools.pairwise(np.cumsum([0, *widths]))]


def normed(k):
  return k / np.sqrt(sum(k**2) + 1e-6)


def softplus(a):
  return np.log(1 + np.exp(a))


def by_head(size, heads, run):
  """Outputs of all heads side by side, where `run(slice of the head, number of the head)` returns those of one head."""
  width = size // heads
  return np.concatenate([run(slice(n * width, (n + 1) * width), n) for n in range(heads)], axis=-1)


def write_by_delta_rule(s, k, v, beta):
  """S_ij + β k_i (v_j - Σ_l k_l S_lj)."""
  return np.array(
    [
      [s[i, j] + beta * k[i] * (v[j] - sum(k[m] * s[m, j] for m in range(len(k)))) for j in range(len(v))]
      for i in range(len(k))
    ]
  )


def read(s, q):
  """Σ_i q_i S_ij."""
  return np.array([sum(q[i] * s[i, j] for i in range(len(q))) for j in range(s.shape[1])])


def delta_net(params, xs, heads=1, steps=1, reach=1.0, gated=False):
  gates = heads * (steps + gated)
  size = (params.bias.shape[0] - gates) // (1 + 2 * steps)

  def run(head, n):
    width = size // heads
    s, outputs = np.zeros((width, width)), []
    for x in xs:
      q, *rest, a_beta, a_alpha = split(affine(params, x), *[size] * (1 + 2 * steps), heads * steps, heads * gated)
      if gated:
        s = np.exp(-np.exp(params.log_rate[n]) * softplus(a_alpha[n])) * s
      for j in range(steps):
        beta = reach * sigmoid(a_beta[j * heads + n])
        s = write_by_delta_rule(s, normed(rest[j][head]), rest[steps + j][head], beta)
      outputs.append(read(s, normed(q[head])))
    return np.array(outputs)

  return by_head(size, heads, run)


def rwkv6(params, xs, heads=1):
  size = params.bonus.shape[0]

  def run(head, n):
    width = size // heads
    s, outputs = np.zeros((width, width)), []
    for x in xs:
      r, k, v, d = (part[head] for part in split(affine(params, x), *[size] * 4))
      u, w = params.bonus[head], np.exp(-np.exp(d))
      columns = range(width)
      outputs.append([sum(r[i] * (s[i, j] + u[i] * k[i] * v[j]) for i in columns) for j in columns])
      s = np.array([[w[i] * s[i, j] + k[i] * v[j] for j in columns] for i in columns])
    return np.array(outputs)

  return by_head(size, heads, run)


def rwkv7(params, xs, heads=1):
  """In the orientation of the paper: rows of the state are values, and it is multiplied from the right."""
  size = params.bonus.shape[0]

  def run(head, n):
    width = size // heads
    wkv, outputs = np.zeros((width, width)), []
    for x in xs:
      r, k, v, d, c = (part[head] for part in split(affine(params, x), *[size] * 5))
      w, a = np.exp(-np.exp(-0.5) * sigmoid(d)), sigmoid(c)
      removal, alpha, rho = params.removal[head], params.replacement[head], params.bonus[head]
      kappa = normed(k * removal)
      written = k * ((1 - alpha) * 1 + alpha * a)
      wkv = wkv @ (np.diag(w) - np.outer(kappa, a * kappa)) + np.outer(v, written)
      outputs.append(wkv @ r + (r @ (rho * written)) * v)
    return np.array(outputs)

  return by_head(size, heads, run)


def xlstm_gates(a_i, a_f, m, forget):
  """The stabilized gates i', f' and the new stabilizer."""
  log_f = np.log(sigmoid(a_f)) if forget == "sigmoid" else a_f
  new = max(log_f + m, a_i)
  return np.exp(a_i - new), np.exp(log_f + m - new), new


def slstm(params, xs, heads=1, forget="sigmoid"):
  size, width = params.bias.shape[0] // 4, params.bias.shape[0] // 4 // heads
  h, c, n, m = np.zeros((4, size))
  outputs = []
  for x in xs:
    a = affine(params, x)
    for column in range(4 * size):
      head = column % size // width
      a[column] += sum(h[head * width + i] * params.recurrent_kernel[i, column] for i in range(width))
    a_i, a_f, a_z, a_o = split(a, *[size] * 4)
    h = np.zeros(size)
    for j in range(size):
      i, f, m[j] = xlstm_gates(a_i[j], a_f[j], m[j], forget)
      c[j] = f * c[j] + i * np.tanh(a_z[j])
      n[j] = f * n[j] + i
      h[j] = sigmoid(a_o[j]) * c[j] / n[j]
    outputs.append(h)
  return np.array(outputs)


def mlstm(params, xs, heads=1, forget="sigmoid"):
  """Without stabilizer, which changes no output."""
  size = (params.bias.shape[0] - 2 * heads) // 4
  width = size // heads

  def run(head, number):
    c, n, outputs = np.zeros((width, width)), np.zeros(width), []
    for x in xs:
      q, k, v, a_o, a_i, a_f = split(affine(params, x), *[size] * 4, heads, heads)
      b_k = params.bias[size : 2 * size]
      q, k, v, o = q[head], ((k - b_k) / np.sqrt(width) + b_k)[head], v[head], sigmoid(a_o[head])
      i, f = np.exp(a_i[number]), sigmoid(a_f[number]) if forget == "sigmoid" else np.exp(a_f[number])
      c = f * c + i * np.outer(v, k)
      n = f * n + i * k
      outputs.append(o * (c @ q) / max(abs(n @ q), 1))
    return np.array(outputs)

  return by_head(size, heads, run)


def titans(params, xs, heads=1):
  size = (params.bias.shape[0] - 3 * heads) // 3

  def run(head, n):
    width = size // heads
    memory, momentum, outputs = np.zeros((width, width)), np.zeros((width, width)), []
    for x in xs:
      q, k, v, alpha, eta, theta = split(affine(params, x), *[size] * 3, *[heads] * 3)
      q, k, v = normed(q[head]), normed(k[head]), v[head]
      error = np.array([sum(memory[i, j] * k[i] for i in range(width)) - v[j] for j in range(width)])
      slope = np.array([[2 * error[j] * k[i] for j in range(width)] for i in range(width)])
      momentum = sigmoid(eta[n]) * momentum - sigmoid(theta[n]) * slope
      memory = (1 - sigmoid(alpha[n])) * memory + momentum
      outputs.append(read(memory, q))
    return np.array(outputs)

  return by_head(size, heads, run)


def ltc(params, xs, unfolds=6):
  size = len(params.level)
  h, outputs = np.zeros(size), []
  for x in xs:
    for _ in range(unfolds):
      f = np.array([sigmoid(gate(params, "f", "f", j, x, h)) for j in range(size)])
      h = (h + f * params.level / unfolds) / (1 + (softplus(params.rate) + f) / unfolds)
    outputs.append(h)
  return np.array(outputs)


def conductance_ltc(params, xs, unfolds=6):
  p, size = params, len(params.leak)
  h, outputs = np.zeros(size), []
  for x in xs:
    for _ in range(unfolds):
      new = np.zeros(size)
      for j in range(size):
        above = softplus(p.capacitance[j]) * unfolds * h[j] + softplus(p.leak[j]) * p.leak_reversal[j]
        below = softplus(p.capacitance[j]) * unfolds + softplus(p.leak[j])
        for i in range(size):
          opened = softplus(p.recurrent_kernel[i, j]) * sigmoid(p.slope[i, j] * (h[i] - p.threshold[i, j]))
          above, below = above + opened * p.reversal[i, j], below + opened
        for i in range(len(x)):
          opened = softplus(p.input_kernel[i, j]) * sigmoid(p.input_slope[i, j] * (x[i] - p.input_threshold[i, j]))
          above, below = above + opened * p.input_reversal[i, j], below + opened
        new[j] = above / below
      h = new
    outputs.append(h)
  return np.array(outputs)


def cfc(params, xs):
  size = params.recurrent_kernel.shape[0]
  h, outputs = np.zeros(size), []
  for x in xs:
    f, g, k = (np.array([gate(params, name, "fgk", j, x, h) for j in range(size)]) for name in "fgk")
    h = sigmoid(-f) * np.tanh(g) + (1 - sigmoid(-f)) * np.tanh(k)
    outputs.append(h)
  return np.array(outputs)


def cfc_backbone(params, xs):
  size = params.recurrent_kernel.shape[0]
  h, outputs = np.zeros(size), []
  for x in xs:
    z = np.array([1.7159 * np.tanh(0.666 * gate(params, "z", "z", j, x, h)) for j in range(size)])
    f, g, k = split(z @ params.head_kernel + params.head_bias, size, size, size)
    h = sigmoid(-f) * np.tanh(g) + (1 - sigmoid(-f)) * np.tanh(k)
    outputs.append(h)
  return np.array(outputs)


def exp_of(a):
  """The exponential of a matrix by its power series, after scaling."""
  total = term = np.eye(len(a))
  for n in range(1, 30):
    term = term @ (a / 256) / n
    total = total + term
  for _ in range(8):
    total = total @ total
  return total


def lmu(params, xs, order=8, window=16.0):
  rates = np.zeros((order + 1, order + 1))
  for i in range(order):
    for j in range(order):
      rates[i, j] = (2 * i + 1) / window * (-1 if i < j else (-1) ** (i - j + 1))
    rates[i, order] = (2 * i + 1) / window * (-1) ** i
  held = exp_of(rates)
  h, m, outputs = np.zeros(len(params.hidden_encoder)), np.zeros(order), []
  for x in xs:
    u = x @ params.input_encoder + h @ params.hidden_encoder + m @ params.memory_encoder
    m = np.array([sum(held[i, j] * m[j] for j in range(order)) + held[i, order] * u for i in range(order)])
    h = np.tanh(params.input_kernel.T @ x + params.recurrent_kernel.T @ h + params.memory_kernel.T @ m)
    outputs.append(h)
  return np.array(outputs)


def plrnn(params, xs):
  size = len(params.decay)
  z, outputs = np.zeros(size), []
  for x in xs:
    new = np.zeros(size)
    for j in range(size):
      seen = sum(max(z[i], 0) * params.recurrent_kernel[i, j] for i in range(size) if i != j)
      new[j] = params.decay[j] * z[j] + seen + params.bias[j] + x @ params.input_kernel[:, j]
    z = new
    outputs.append(z)
  return np.array(outputs)


def plrnn_shallow(params, xs):
  size, width = len(params.decay), len(params.inner_bias)
  z, outputs = np.zeros(size), []
  for x in xs:
    inner = [max(z @ params.recurrent_kernel[:, n] + params.inner_bias[n], 0) for n in range(width)]
    seen = np.array([sum(inner[n] * params.return_kernel[n, j] for n in range(width)) for j in range(size)])
    z = params.decay * z + seen + params.bias + x @ params.input_kernel
    outputs.append(z)
  return np.array(outputs)


CELLS = {
  "delta_net": delta_net,
  "gated_delta_net": lambda p, xs: delta_net(p, xs, gated=True),
  "delta_product": lambda p, xs: delta_net(p, xs, steps=2, reach=2.0),
  "rwkv6": rwkv6,
  "rwkv7": rwkv7,
  "slstm": slstm,
  "mlstm": mlstm,
  "titans": titans,
  "ltc": ltc,
  "ltc_conductance": conductance_ltc,
  "cfc": cfc,
  "cfc_backbone": cfc_backbone,
  "lmu": lmu,
  "plrnn": plrnn,
  "plrnn_shallow": plrnn_shallow,
}
