"""LSTM, GRU and RNN of ONNX as loops over sequences and steps in NumPy float64, written from the operators' text (opset 22).

Only one sequence, one direction and one step are ever computed at a time, and nothing is shared with the library.
"""

import numpy as np

# Name -> (function of a, alpha, beta; the number of parameters; their defaults in the text of the operators of the same names).
ACTIVATIONS = {
  "Relu": (lambda a, _, __: np.maximum(a, 0), 0, ()),
  "Tanh": (lambda a, _, __: np.tanh(a), 0, ()),
  "Sigmoid": (lambda a, _, __: 1 / (1 + np.exp(-a)), 0, ()),
  "Affine": (lambda a, alpha, beta: alpha * a + beta, 2, (1.0, 0.0)),
  "LeakyRelu": (lambda a, alpha, _: np.where(a >= 0, a, alpha * a), 1, (0.01,)),
  "ThresholdedRelu": (lambda a, alpha, _: np.where(a >= alpha, a, 0), 1, (1.0,)),
  "ScaledTanh": (lambda a, alpha, beta: alpha * np.tanh(beta * a), 2, ()),
  "HardSigmoid": (lambda a, alpha, beta: np.minimum(np.maximum(alpha * a + beta, 0), 1), 2, (0.2, 0.5)),
  "Elu": (lambda a, alpha, _: np.where(a >= 0, a, alpha * (np.exp(np.minimum(a, 0)) - 1)), 1, (1.0,)),
  "Softsign": (lambda a, _, __: a / (1 + np.abs(a)), 0, ()),
  "Softplus": (lambda a, _, __: np.log(1 + np.exp(a)), 0, ()),
}
DEFAULTS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
GATES = {"LSTM": "iofc", "GRU": "zrh", "RNN": "i"}


def functions(names, alphas, betas):
  """The activations of all directions. Alphas and betas are taken in order by those that have one."""
  alphas, betas = list(alphas), list(betas)
  found = []
  for name in names:
    function, count, defaults = ACTIVATIONS[name]
    alpha = (alphas.pop(0) if alphas else defaults[0]) if count > 0 else None
    beta = (betas.pop(0) if betas else defaults[1]) if count > 1 else None
    found.append(lambda a, function=function, alpha=alpha, beta=beta: function(a, alpha, beta))
  return found


def run(op, xs, w, r, *, b=None, lengths=None, h0=None, c0=None, p=None, direction="forward", **attributes):
  """Runs the operator on inputs [T, B, I]. Returns Y [T, D, B, H], Y_h [D, B, H] and Y_c [D, B, H] (zeros without cells)."""
  xs, w, r = (np.asarray(a, np.float64) for a in (xs, w, r))
  (steps, batch, _), directions, hidden = xs.shape, w.shape[0], r.shape[-1]
  count = len(GATES[op])
  b = np.zeros((directions, 2 * count * hidden)) if b is None else np.asarray(b, np.float64)
  p = np.zeros((directions, 3 * hidden)) if p is None else np.asarray(p, np.float64)
  lengths = [steps] * batch if lengths is None else lengths
  zeros = np.zeros((directions, batch, hidden))
  h_first, c_first = (zeros if s is None else np.asarray(s, np.float64) for s in (h0, c0))
  names = attributes.pop("activations", DEFAULTS[op] * directions)
  phis = functions(names, attributes.pop("activation_alpha", ()), attributes.pop("activation_beta", ()))
  limit = attributes.pop("clip", np.inf)
  step = {"LSTM": lstm_step, "GRU": gru_step, "RNN": rnn_step}[op]
  y, y_h, y_c = np.zeros((steps, directions, batch, hidden)), h_first.copy(), c_first.copy()
  for d in range(directions):
    backwards = direction == "reverse" or d == 1
    phi = phis[d * len(DEFAULTS[op]) : (d + 1) * len(DEFAULTS[op])]
    w_b, r_b = np.split(b[d], 2)
    letters = lambda a: dict(zip(GATES[op], np.split(a, count), strict=True))
    parts = letters(w[d]), letters(r[d]), letters(w_b), letters(r_b), dict(zip("iof", np.split(p[d], 3), strict=True))
    for n in range(batch):
      order = range(lengths[n])
      for t in reversed(order) if backwards else order:
        state = step(xs[t, n], y_h[d, n], y_c[d, n], parts, phi, lambda a: np.clip(a, -limit, limit), attributes)
        y_h[d, n], y_c[d, n] = state
        y[t, d, n] = state[0]
  return y, y_h, y_c


def run_case(case, arrays):
  """Runs a case of `oracles.onnx.by_hand` on its arrays."""
  named = {"b": "B", "lengths": "sequence_lens", "h0": "initial_h", "c0": "initial_c", "p": "P"}
  given = {short: arrays[name] for short, name in named.items() if name in arrays}
  return run(case.op, arrays["X"], arrays["W"], arrays["R"], **given, **case.attributes)


def lstm_step(x, h, c, parts, phi, clip, attributes):
  w, r, w_b, r_b, p = parts
  f, g, out = phi
  a = lambda k: w[k] @ x + r[k] @ h + w_b[k] + r_b[k]
  i_t = f(clip(a("i") + p["i"] * c))
  f_t = 1 - i_t if attributes.get("input_forget") else f(clip(a("f") + p["f"] * c))
  c_t = f_t * c + i_t * g(clip(a("c")))
  o_t = f(clip(a("o") + p["o"] * c_t))
  return o_t * out(c_t), c_t


def gru_step(x, h, c, parts, phi, clip, attributes):
  w, r, w_b, r_b, _ = parts
  f, g = phi
  z_t = f(clip(w["z"] @ x + r["z"] @ h + w_b["z"] + r_b["z"]))
  r_t = f(clip(w["r"] @ x + r["r"] @ h + w_b["r"] + r_b["r"]))
  if attributes.get("linear_before_reset"):
    a = w["h"] @ x + r_t * (r["h"] @ h + r_b["h"]) + w_b["h"]
  else:
    a = w["h"] @ x + r["h"] @ (r_t * h) + r_b["h"] + w_b["h"]
  return (1 - z_t) * g(clip(a)) + z_t * h, c


def rnn_step(x, h, c, parts, phi, clip, attributes):
  w, r, w_b, r_b, _ = parts
  return phi[0](clip(w["i"] @ x + r["i"] @ h + w_b["i"] + r_b["i"])), c
