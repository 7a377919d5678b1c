"""Haiku, Equinox and Flax: cells on JAX."""

from importlib import metadata

import equinox as eqx
from flax import linen, nnx
import haiku as hk
import jax
import jax.numpy as jnp

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, draw, record, scan

KEY = jax.random.key(0)


def flat(tree):
  return {"/".join(str(step.key) for step in path): array for path, array in jax.tree_util.tree_leaves_with_path(tree)}


def redrawn(rng, tree):
  return jax.tree.map(lambda array: jnp.asarray(draw(rng, array.shape)), tree)


def of_linen(name):
  def run(rng, xs):
    cell = getattr(linen, name)(HIDDEN)
    carry = cell.initialize_carry(KEY, xs.shape[1:])
    params = redrawn(rng, cell.init(KEY, carry, xs[0])["params"])
    return flat(params), scan(lambda s, x: cell.apply({"params": params}, s, x), carry, xs)

  return run


def of_nnx(name):
  def run(rng, xs):
    cell = getattr(nnx, name)(INPUTS, HIDDEN, rngs=nnx.Rngs(0))
    state = nnx.state(cell, nnx.Param)
    params = redrawn(rng, nnx.to_pure_dict(state))
    nnx.replace_by_pure_dict(state, params)
    nnx.update(cell, state)
    return flat(params), scan(cell, cell.initialize_carry(xs.shape[1:], nnx.Rngs(0)), xs)

  return run


def of_haiku(name):
  def run(rng, xs):
    make = lambda: getattr(hk, name)(HIDDEN)
    call = hk.without_apply_rng(hk.transform(lambda x, s: make()(x, s)))
    state = hk.without_apply_rng(hk.transform(lambda: make().initial_state(BATCH))).apply({})
    params = redrawn(rng, call.init(KEY, xs[0], state))
    modules = {key.partition("/")[2]: arrays for key, arrays in params.items()}
    weights = modules if name == "VanillaRNN" else next(iter(modules.values()))
    return flat(weights), scan(lambda s, x: call.apply(params, x, s)[::-1], state, xs)

  return run


def of_equinox(name, states):
  def run(rng, xs):
    cell = redrawn(rng, getattr(eqx.nn, name)(INPUTS, HIDDEN, key=KEY))
    names = [key for key in ("weight_ih", "weight_hh", "bias", "bias_n") if hasattr(cell, key)]

    def step(state, x):
      new = jax.vmap(cell)(jnp.asarray(x), state)
      return new, new[0] if states == 2 else new

    zeros = jnp.zeros((BATCH, HIDDEN))
    return {key: getattr(cell, key) for key in names}, scan(step, (zeros, zeros) if states == 2 else zeros, xs)

  return run


if __name__ == "__main__":
  cells = ("LSTMCell", "OptimizedLSTMCell", "GRUCell", "SimpleCell")
  record("flax", metadata.version("flax"), {f"flax.linen.{name}": of_linen(name) for name in cells})
  record("flax", metadata.version("flax"), {f"flax.nnx.{name}": of_nnx(name) for name in cells})
  record(
    "dm-haiku",
    metadata.version("dm-haiku"),
    {f"haiku.{name}": of_haiku(name) for name in ("VanillaRNN", "LSTM", "GRU")},
  )
  record(
    "equinox",
    metadata.version("equinox"),
    {"equinox.nn.LSTMCell": of_equinox("LSTMCell", 2), "equinox.nn.GRUCell": of_equinox("GRUCell", 1)},
  )
