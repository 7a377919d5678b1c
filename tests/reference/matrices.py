"""Cells whose state is a matrix or several vectors. A helper of a cell returns the outputs of all steps.

A state of keys and values is one matrix `[K, V]` per head here too, but every entry is updated by a sum of its own.
"""

import itertools

import numpy as np

from tests.reference.classic import sigmoid


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


CELLS = {
  "delta_net": delta_net,
  "gated_delta_net": lambda p, xs: delta_net(p, xs, gated=True),
  "delta_product": lambda p, xs: delta_net(p, xs, steps=2, reach=2.0),
  "rwkv6": rwkv6,
  "rwkv7": rwkv7,
}
