"""Cells of Equinox, scanned over time and vmapped over the batch as its documentation shows. It has no plain RNN."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from benchmarks import problem
from benchmarks.peers.on_jax import Layer, prepare_layers
from benchmarks.worker import Prepared

CELLS = {"lstm": eqx.nn.LSTMCell, "gru": eqx.nn.GRUCell}


def make_layer(cell: str, shape: problem.Shape, p: problem.Problem) -> Layer:
  """Returns a layer with the weights of the problem."""
  one = CELLS[cell](shape.inputs, shape.hidden, key=jax.random.key(0))
  weights = [jnp.asarray(p.input_kernel.T), jnp.asarray(p.recurrent_kernel.T), jnp.asarray(p.bias)]
  where = lambda m: [m.weight_ih, m.weight_hh, m.bias]
  if cell == "gru":
    weights, where = [*weights, jnp.asarray(p.recurrent_bias)], lambda m: [m.weight_ih, m.weight_hh, m.bias, m.bias_n]
  params, static = eqx.partition(eqx.tree_at(where, one, weights), eqx.is_array)

  def forward(params: eqx.Module, xs: jax.Array) -> jax.Array:
    net, zeros = eqx.combine(params, static), jnp.zeros(shape.hidden)

    def step(state: Any, x: jax.Array) -> tuple[Any, jax.Array]:
      new = net(x, state)
      return new, new[0] if cell == "lstm" else new

    return jax.lax.scan(step, (zeros, zeros) if cell == "lstm" else zeros, xs)[1]

  apply = lambda params, xs: jax.vmap(forward, in_axes=(None, 1), out_axes=1)(params, xs)
  return Layer(apply, params, lambda tree: tree.weight_hh)


def make(cell: str, shape: tuple[int, ...]) -> Prepared:
  """Prepares value and gradient on the weights of the problem."""
  return prepare_layers(make_layer, cell, shape)
