"""Cells whose units do not see each other, and matrices that decay by rows. A helper of a cell returns the outputs of all steps.

Complex numbers are NumPy's here, and a state of keys and values is a list of outer products that decay with their age.
"""

import numpy as np

from tests.reference.classic import gate, sigmoid


def softplus(a):
  return np.log(1 + np.exp(a))


def positive(a):
  return np.where(a >= 0, a + 0.5, sigmoid(a))


def gates(params, order, x):
  """The pre-activations by name, each `[H]`."""
  size = params.bias.shape[0] // len(order)
  return {name: np.array([gate(params, name, order, j, x, None) for j in range(size)]) for name in order}


def min_gru(params, xs):
  h, outputs = 0.0, []
  for x in xs:
    a = gates(params, "zh", x)
    z = sigmoid(a["z"])
    h = (1 - z) * h + z * positive(a["h"])
    outputs.append(h)
  return np.array(outputs)


def min_lstm(params, xs):
  h, outputs = 0.0, []
  for x in xs:
    a = gates(params, "fih", x)
    f, i = sigmoid(a["f"]), sigmoid(a["i"])
    h = f / (f + i) * h + i / (f + i) * positive(a["h"])
    outputs.append(h)
  return np.array(outputs)


def qrnn(params, xs, pooling="fo"):
  c, outputs = 0.0, []
  for x in xs:
    a = gates(params, "z" + {"f": "f", "fo": "fo", "ifo": "foi"}[pooling], x)
    z, f = np.tanh(a["z"]), sigmoid(a["f"])
    i = sigmoid(a["i"]) if "i" in a else 1 - f
    c = f * c + i * z
    outputs.append(sigmoid(a["o"]) * c if "o" in a else c)
  return np.array(outputs)


def sru(params, xs):
  size = params.bias.shape[0] // 2
  v_f, v_r, b_f, b_r = (*params.recurrent_kernel.reshape(2, size), *params.bias.reshape(2, size))
  c, outputs = np.zeros(size), []
  for x in xs:
    candidate, x_f, x_r, highway = (x @ params.input_kernel).reshape(4, size)
    f, r = sigmoid(x_f + v_f * c + b_f), sigmoid(x_r + v_r * c + b_r)
    c = f * c + (1 - f) * candidate
    outputs.append(r * c + (1 - r) * highway)
  return np.array(outputs)


def as_complex(columns):
  """Complex numbers from columns of real parts, then imaginary parts."""
  real, imag = np.split(columns, 2, axis=-1)
  return real + 1j * imag


def lru(params, xs):
  eigenvalue = np.exp(-np.exp(params.log_decay) + 1j * np.exp(params.log_angle))
  b, c = as_complex(params.input_kernel), as_complex(params.output_kernel.T * np.repeat([1, -1], len(eigenvalue)))
  z, outputs = 0, []
  for x in xs:
    z = eigenvalue * z + np.exp(params.log_scale) * (x @ b)
    outputs.append((c @ z).real)
  return np.array(outputs)


def rg_lru(params, xs):
  size = len(params.decay)
  h, outputs = 0.0, []
  for x in xs:
    u = x @ params.input_kernel
    r, i = sigmoid(u @ params.gate_kernel + params.bias).reshape(2, size)
    a = np.exp(-softplus(params.decay)) ** (8 * r)
    h = a * h + np.sqrt(1 - a**2) * i * u
    outputs.append(h)
  return np.array(outputs)


def s4d(params, xs):
  """By the convolution of the inputs with the impulse responses, as in the paper."""
  step = np.exp(params.log_step)[:, None]
  eigenvalue = -np.exp(params.log_decay) + 1j * params.frequency
  written = (params.output_real + 1j * params.output_imag) * (np.exp(step * eigenvalue) - 1) / eigenvalue
  kernels = [2 * (written * np.exp(step * eigenvalue * age)).sum(1).real for age in range(len(xs))]
  us = xs @ params.input_kernel
  return np.array([sum(kernels[t - s] * us[s] for s in range(t + 1)) for t in range(len(xs))])


def s5(params, xs):
  step, eigenvalue = np.exp(params.log_step), -np.exp(params.log_decay) + 1j * params.frequency
  b, c = as_complex(params.input_kernel), as_complex(params.output_kernel.T * np.repeat([1, -1], len(step)))
  z, outputs = 0, []
  for x in xs:
    z = np.exp(step * eigenvalue) * z + (np.exp(step * eigenvalue) - 1) / eigenvalue * (x @ b)
    outputs.append(2 * (c @ z).real)
  return np.array(outputs)


def lin_oss(params, xs, implicit=True):
  """Solves the equations of every oscillator for (z_t, y_t)."""
  steps, stiffness = sigmoid(params.step_logit), np.maximum(params.stiffness, 0)
  z, y = np.zeros(len(steps)), np.zeros(len(steps))
  outputs = []
  for x in xs:
    u = x @ params.input_kernel
    for j, (d, a) in enumerate(zip(steps, stiffness, strict=True)):
      known = z[j] + d * u[j] - (0 if implicit else d * a * y[j])
      z[j], y[j] = np.linalg.solve([[1, d * a if implicit else 0], [-d, 1]], [known, y[j]])
    outputs.append(y @ params.output_kernel)
  return np.array(outputs)


def hgrn(params, xs, floor=0.0):
  h, outputs = 0, []
  for x in xs:
    a = gates(params, "frigj", x)
    f, opened = floor + (1 - floor) * sigmoid(a["f"]), sigmoid(np.concatenate([a["g"], a["j"]]))
    c = a["r"] * sigmoid(a["r"]) + 1j * a["i"] * sigmoid(a["i"])
    h = f * np.exp(1j * params.angle) * h + (1 - f) * c
    outputs.append((opened * np.concatenate([h.real, h.imag])) @ params.output_kernel)
  return np.array(outputs)


def hgrn_real(params, xs, floor=0.0):
  h, outputs = 0.0, []
  for x in xs:
    a = gates(params, "fcg", x)
    f = floor + (1 - floor) * sigmoid(a["f"])
    h = f * h + (1 - f) * a["c"] * sigmoid(a["c"])
    outputs.append(sigmoid(a["g"]) * h)
  return np.array(outputs)


def s6(params, xs, negative_eigenvalues=False):
  (size, states), rank = params.log_decay.shape, params.step_kernel.shape[0]
  state, outputs = np.zeros((size, states)), []
  for x in xs:
    u = x @ params.input_kernel
    low, b, c = np.split(u @ params.selection_kernel, [rank, rank + states])
    delta = softplus(low @ params.step_kernel + params.bias)
    for h in range(size):
      kept = np.exp(-delta[h] * np.exp(params.log_decay[h]))
      state[h] = (2 * kept - 1 if negative_eigenvalues else kept) * state[h] + delta[h] * b * u[h]
    outputs.append([sum(state[h] * c) for h in range(size)])
  return np.array(outputs)


def attend(qs, ks, vs, decays):
  """Σ_s (q_t ⊗ Π_{s < r ≤ t} decay_r) · k_s v_s, the attention that the recurrence computes. Decays are `[K]` or numbers."""
  outputs = []
  for t, q in enumerate(qs):
    total = 0.0
    for s in range(t + 1):
      kept = np.ones_like(q)
      for decay in decays[s + 1 : t + 1]:
        kept = kept * decay
      total = total + (q * kept) @ ks[s] * vs[s]
    outputs.append(total)
  return np.array(outputs)


def by_head(heads, run, *sequences):
  """Outputs of all heads side by side, where `run(number of the head, its part of each sequence)` returns those of one."""
  parts = zip(*(np.split(sequence, heads, axis=-1) for sequence in sequences), strict=True)
  return np.concatenate([run(n, *part) for n, part in enumerate(parts)], axis=-1)


def mapped(params, xs):
  return np.split(xs @ params.input_kernel + params.bias, 3, axis=-1)


def mamba2(params, xs, heads=1):
  size = (len(params.bias) - heads) // (heads + 2)
  edges = [heads * size, (heads + 1) * size, (heads + 2) * size]
  vs, bs, cs, a = np.split(xs @ params.input_kernel + params.bias, edges, axis=-1)
  run = lambda n, vs, steps: attend(cs, bs, steps * vs, np.exp(-steps * np.exp(params.log_decay[n])))
  return by_head(heads, run, vs, softplus(a))


def turn(rows, position):
  """Rows `[K]` as complex numbers, turned by `position` times the angles of RetNet."""
  size = len(rows)
  turned = (rows[::2] + 1j * rows[1::2]) * np.exp(1j * position * 10000.0 ** (-np.arange(0, size, 2) / size))
  return np.stack([turned.real, turned.imag], axis=-1).ravel()


def retnet(params, xs, heads=1, rotary=False):
  """By position: keys and queries are turned before they meet."""

  def run(n, qs, ks, vs):
    if rotary:
      qs, ks = (np.array([turn(row, t) for t, row in enumerate(rows)]) for rows in (qs, ks))
    return attend(qs / np.sqrt(qs.shape[1]), ks, vs, [1 - 1 / 2 ** (5 + n)] * len(xs))

  return by_head(heads, run, *mapped(params, xs))


def linear_attention(params, xs, heads=1):
  def run(n, qs, ks, vs):
    del n
    qs, ks = (np.where(a > 0, a + 1, np.exp(a)) for a in (qs, ks))
    ones = [1.0] * len(xs)
    return attend(qs, ks, vs, ones) / attend(qs, ks, np.ones_like(vs), ones)

  return by_head(heads, run, *mapped(params, xs))


def gla(params, xs, heads=1):
  size = params.gate_kernel.shape[1]
  q, k, v, b = np.split(params.bias, 4)
  qs, ks, vs, low = np.split(xs @ params.input_kernel, [size, 2 * size, 3 * size], axis=-1)
  run = lambda n, qs, ks, vs, decays: attend(qs / np.sqrt(qs.shape[1]), ks, vs, decays)
  return by_head(heads, run, qs + q, ks + k, vs + v, sigmoid(low @ params.gate_kernel + b) ** (1 / 16))


def hgrn2(params, xs, heads=1, floor=0.0):
  qs, a, vs = mapped(params, xs)
  run = lambda n, qs, kept, vs: attend(qs, 1 - kept, vs, kept)
  return by_head(heads, run, sigmoid(qs), floor + (1 - floor) * sigmoid(a), vs)


CELLS = {
  "min_gru": min_gru,
  "min_lstm": min_lstm,
  "qrnn": qrnn,
  "qrnn_f": lambda p, xs: qrnn(p, xs, "f"),
  "qrnn_ifo": lambda p, xs: qrnn(p, xs, "ifo"),
  "sru": sru,
  "lru": lru,
  "rg_lru": rg_lru,
  "s4d": s4d,
  "s5": s5,
  "lin_oss": lin_oss,
  "lin_oss_mixed": lambda p, xs: lin_oss(p, xs, implicit=False),
  "hgrn": hgrn,
  "hgrn_real": hgrn_real,
  "s6": s6,
  "mamba2": mamba2,
  "retnet": retnet,
  "retnet_rotary": lambda p, xs: retnet(p, xs, rotary=True),
  "linear_attention": linear_attention,
  "gla": gla,
  "hgrn2": hgrn2,
}
