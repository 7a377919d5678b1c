"""Cells of other libraries with random weights, run step by step: what their own code makes of these weights."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

from flax import linen as nn
from flax import nnx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

INPUTS, HIDDEN, STEPS, BATCH = 3, 5, 7, 2


def draw(rng, shape):
  return rng.normal(0.1, 0.6, shape).astype(np.float32)


def redraw(rng, tree):
  """Redraws every array of a tree, so that no weight has a default such as 0."""
  return jax.tree.map(lambda a: draw(rng, np.shape(a)), tree)


def scan(step, state, xs):
  """The outputs of a `(state, x) -> (state, output)`."""
  outputs = []
  for x in xs:
    state, output = step(state, x)
    outputs.append(output)
  return np.stack([np.asarray(o) for o in outputs])


def flax_linen(name, rng, xs):
  cell = getattr(nn, name)(HIDDEN)
  carry = cell.initialize_carry(jax.random.key(0), xs.shape[1:])
  params = redraw(rng, cell.init(jax.random.key(0), carry, xs[0])["params"])
  return params, scan(lambda s, x: cell.apply({"params": params}, s, x), carry, xs)


def flax_nnx(name, rng, xs):
  cell = getattr(nnx, name)(INPUTS, HIDDEN, rngs=nnx.Rngs(0))
  params = redraw(rng, nnx.to_pure_dict(nnx.state(cell, nnx.Param)))
  state = nnx.state(cell, nnx.Param)
  nnx.replace_by_pure_dict(state, params)
  nnx.update(cell, state)
  return params, scan(cell, cell.initialize_carry(xs.shape[1:], nnx.Rngs(0)), xs)


def torch_nn(name, rng, xs, layers=1, **options):
  torch = pytest.importorskip("torch", reason="torch is not installed")
  module = getattr(torch.nn, name)(INPUTS, HIDDEN, layers, **options)
  params = {key: draw(rng, tuple(array.shape)) for key, array in module.state_dict().items()}
  module.load_state_dict({key: torch.from_numpy(array) for key, array in params.items()})
  with torch.no_grad():
    return params, module(torch.from_numpy(np.array(xs)))[0].numpy()


def haiku(name, rng, xs):
  hk = pytest.importorskip("haiku", reason="Haiku is not installed")
  make = lambda: getattr(hk, name)(HIDDEN)
  call = hk.without_apply_rng(hk.transform(lambda x, s: make()(x, s)))
  state = hk.without_apply_rng(hk.transform(lambda: make().initial_state(BATCH))).apply({})
  params = redraw(rng, call.init(jax.random.key(0), xs[0], state))
  outputs = scan(lambda s, x: call.apply(params, x, s)[::-1], state, xs)
  modules = {key.partition("/")[2]: arrays for key, arrays in params.items()}
  return modules if name == "VanillaRNN" else next(iter(modules.values())), outputs


def keras_layers(name, rng, xs):
  keras = pytest.importorskip("keras", reason="Keras is not installed")
  name, _, option = name.partition("(")
  cell = getattr(keras.layers, name)(HIDDEN, **({"reset_after": False} if option else {}))
  cell.build((BATCH, INPUTS))
  params = {variable.name: draw(rng, variable.shape) for variable in cell.weights}
  cell.set_weights([params[variable.name] for variable in cell.weights])
  step = lambda s, x: cell(jnp.asarray(x), s)[::-1]
  return params, scan(step, cell.get_initial_state(BATCH), xs)


def equinox_nn(name, rng, xs):
  eqx = pytest.importorskip("equinox", reason="Equinox is not installed")
  cell = redraw(rng, getattr(eqx.nn, name)(INPUTS, HIDDEN, key=jax.random.key(0)))
  zeros = jnp.zeros((BATCH, HIDDEN))
  new = lambda s, x: jax.vmap(cell)(x, s)
  if name == "LSTMCell":
    outputs = scan(lambda s, x: (s := new(s, x), s[0]), (zeros, zeros), xs)
  else:
    outputs = scan(lambda s, x: (s := new(s, x), s), zeros, xs)
  names = ("weight_ih", "weight_hh", "bias", "bias_n")
  return {key: np.asarray(getattr(cell, key)) for key in names if hasattr(cell, key)}, outputs


RUNS = {
  "flax.linen": flax_linen,
  "flax.nnx": flax_nnx,
  "torch.nn": torch_nn,
  "haiku": haiku,
  "keras.layers": keras_layers,
  "equinox.nn": equinox_nn,
}


def run(kind, rng, xs):
  """`(weights, outputs [T, B, H])` of the cell with that full name, whose weights are drawn."""
  library = next(name for name in RUNS if kind.startswith(f"{name}."))
  return RUNS[library](kind.removeprefix(f"{library}."), rng, xs)
