"""`flax.nnx.RNN` with the cell that Flax recommends for speed, split into graph and state, as `jax.jit` requires."""

from flax import nnx
import jax.numpy as jnp

from benchmarks import problem
from benchmarks.peers.on_jax import Layer, prepare_layers
from benchmarks.worker import Prepared

CELLS = {"rnn": nnx.SimpleCell, "lstm": nnx.OptimizedLSTMCell, "gru": nnx.GRUCell}


def make_layer(cell: str, shape: problem.Shape, p: problem.Problem) -> Layer:
  """Returns a layer with the weights of the problem."""
  one = CELLS[cell](shape.inputs, shape.hidden, rngs=nnx.Rngs(0))
  one.dense_i.kernel.value = jnp.asarray(p.input_kernel)
  one.dense_h.kernel.value = jnp.asarray(p.recurrent_kernel)
  (one.dense_h if cell == "lstm" else one.dense_i).bias.value = jnp.asarray(p.bias)
  graph, params = nnx.split(nnx.RNN(one, time_major=True, rngs=False), nnx.Param)
  zeros = jnp.zeros((shape.batch, shape.hidden))

  def apply(params: nnx.State, xs: jnp.ndarray) -> jnp.ndarray:
    return nnx.merge(graph, params)(xs, initial_carry=(zeros, zeros) if cell == "lstm" else zeros)

  return Layer(apply, params, lambda tree: tree["cell"]["dense_h"]["kernel"])


def make(cell: str, shape: tuple[int, ...]) -> Prepared:
  """Prepares value and gradient on the weights of the problem."""
  return prepare_layers(make_layer, cell, shape)
