"""Nets of Flax: linen variables as msgpack files, and the state of an NNX module as an npz file."""

from pathlib import Path
from typing import Any

from flax import linen as nn
from flax import nnx, serialization
import jax
import jax.numpy as jnp
import numpy as np

from oracles.nets.net import INPUTS, Net, by_jax, redrawn


class Stacked(nn.Module):
  """Two LSTMs under a readout, with the names that Flax gives."""

  @nn.compact
  def __call__(self, xs: Any) -> Any:
    return nn.Dense(2)(nn.RNN(nn.OptimizedLSTMCell(5))(nn.RNN(nn.OptimizedLSTMCell(4))(xs)))


class Directions(nn.Module):
  """A layer of two directions under a readout, with the names of a setup."""

  def setup(self) -> None:
    self.both = nn.Bidirectional(nn.RNN(nn.GRUCell(4)), nn.RNN(nn.GRUCell(4)))
    self.head = nn.Dense(2)

  def __call__(self, xs: Any) -> Any:
    return self.head(self.both(xs))


class Simple(nn.Module):
  """Two simple recurrent layers."""

  def setup(self) -> None:
    self.layers = [nn.RNN(nn.SimpleCell(4)) for _ in range(2)]

  def __call__(self, xs: Any) -> Any:
    for layer in self.layers:
      xs = layer(xs)
    return xs


class InNnx(nnx.Module):
  """Two recurrent layers under a readout."""

  def __init__(self, rngs: nnx.Rngs):
    self.layers = nnx.List(
      [nnx.RNN(nnx.GRUCell(INPUTS, 4, rngs=rngs), rngs=rngs), nnx.RNN(nnx.GRUCell(4, 3, rngs=rngs), rngs=rngs)]
    )
    self.head = nnx.Linear(3, 2, rngs=rngs)

  def __call__(self, xs: Any) -> Any:
    # The cells run step by step, because the scan of nnx.RNN does not allow JAX's own gradient.
    for layer in self.layers:
      carry, found = jnp.zeros(layer.cell.hidden_features), []
      for x in xs:
        carry, output = layer.cell(carry, x)
        found.append(output)
      xs = jnp.stack(found)
    return self.head(xs)


def linen(file: str, module: nn.Module, **options: Any) -> Net:
  """Draws the variables of a linen module, and says how to save and run it."""
  rng = np.random.default_rng(0)
  like = module.init(jax.random.key(0), jnp.zeros((1, 2, INPUTS)))
  variables = jax.tree.map(lambda array: redrawn(array.shape, rng), like)

  def save(path: Path) -> None:
    path.write_bytes(serialization.to_bytes(variables))

  return Net(file, "flax", save, by_jax(lambda xs: module.apply(variables, xs[None])[0]), options)


def in_nnx(file: str) -> Net:
  """Draws the state of an NNX module, and says how to save and run it."""
  rng, module = np.random.default_rng(0), InNnx(nnx.Rngs(0))
  state = nnx.state(module, nnx.Param)
  drawn = jax.tree.map(lambda array: redrawn(array.shape, rng), nnx.to_pure_dict(state))
  nnx.replace_by_pure_dict(state, drawn)
  nnx.update(module, state)
  named = {
    jax.tree_util.keystr(path, simple=True, separator="/"): array
    for path, array in jax.tree_util.tree_flatten_with_path(drawn)[0]
  }
  return Net(file, "flax", lambda path: np.savez(path, **named), by_jax(module))


NETS = (
  # Cells are numbered in the order in which they are made, and in a nested call the outer one is made first.
  linen("linen_lstm.msgpack", Stacked(), layers=["params/OptimizedLSTMCell_1", "params/OptimizedLSTMCell_0"]),
  linen("linen_two_directions.msgpack", Directions()),
  linen("linen_simple.msgpack", Simple()),
  in_nnx("nnx_gru.npz"),
)
