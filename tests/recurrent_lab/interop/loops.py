"""The recurrent modules of torch as plain loops in NumPy, by the equations of its documentation, and state dicts for them."""

import itertools

import numpy as np

BLOCKS = {"LSTM": 4, "GRU": 3, "RNN": 1}
INPUTS, HIDDEN = 3, 4


def sigmoid(a):
  return 1 / (1 + np.exp(-a))


def drawn(kind, rng, *, layers=1, ways=1, biases=True, projection=0, prefix="", dtype=np.float64):
  """A random state dict of a module."""
  rows, width = BLOCKS[kind] * HIDDEN, projection or HIDDEN
  arrays = {}
  for layer, way in itertools.product(range(layers), ("", "_reverse")[:ways]):
    shapes = {"weight_ih": (rows, width * ways if layer else INPUTS), "weight_hh": (rows, width)}
    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if biases else {}
    shapes |= {"weight_hr": (projection, HIDDEN)} if projection else {}
    arrays |= {
      f"{prefix}{name}_l{layer}{way}": rng.normal(0.1, 0.5, shape).astype(dtype) for name, shape in shapes.items()
    }
  return arrays


def one_way(kind, arrays, end, xs):
  """The outputs of one layer in one direction."""
  get = lambda name: arrays.get(f"{name}{end}", 0.0)
  h, c, found = np.zeros(np.shape(get("weight_hh"))[1]), np.zeros(HIDDEN), []
  for x in xs:
    a, b = get("weight_ih") @ x + get("bias_ih"), get("weight_hh") @ h + get("bias_hh")
    if kind == "RNN":
      h = np.tanh(a + b)
    elif kind == "GRU":
      (a_r, a_z, a_n), (b_r, b_z, b_n) = np.split(a, 3), np.split(b, 3)
      r, z = sigmoid(a_r + b_r), sigmoid(a_z + b_z)
      h = (1 - z) * np.tanh(a_n + r * b_n) + z * h
    else:
      i, f, g, o = np.split(a + b, 4)
      c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
      h = sigmoid(o) * np.tanh(c)
      h = get("weight_hr") @ h if f"weight_hr{end}" in arrays else h
    found.append(h)
  return np.stack(found)


def outputs(kind, arrays, xs, layers=1, ways=1):
  """The outputs `[T, width]` of a module on `xs [T, I]`."""
  for layer in range(layers):
    both = [one_way(kind, arrays, f"_l{layer}", xs)]
    if ways == 2:
      both.append(one_way(kind, arrays, f"_l{layer}_reverse", xs[::-1])[::-1])
    xs = np.concatenate(both, axis=-1)
  return xs
