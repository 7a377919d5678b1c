"""A cell of the lab within Flax NNX is the same function of the same arrays."""

from flax import nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import recurrent_lab as rl
from recurrent_lab.interop.nnx import CellModule

CELLS = {
  "lstm": rl.get_cell("lstm"),
  "gru": rl.get_cell("gru"),
  "stack": rl.stack(rl.get_cell("lstm"), rl.dropout(rl.get_cell("rnn"))),
  "learned": rl.learned_state(rl.get_cell("gru")),
}


def batch(key):
  """Inputs `[B, T, I]`."""
  return jax.random.normal(key, (2, 6, 3))


@pytest.mark.parametrize("name", CELLS)
def test_an_rnn_of_nnx_is_an_unroll(name, key):
  cell, xs = CELLS[name], batch(key)
  module = CellModule(cell, 3, 5, rngs=nnx.Rngs(0), bias_scale=0.5)
  nnx.update(module, jax.tree.map(lambda a: a + 0.1, nnx.state(module, nnx.Param)))  # a learned state away from 0
  carry, outputs = nnx.RNN(module, return_carry=True)(xs)
  state, expected = rl.unroll(cell, module.to_params(), jnp.swapaxes(xs, 0, 1))
  np.testing.assert_allclose(jnp.swapaxes(outputs, 0, 1), expected, atol=1e-6)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), carry, state)
  assert jax.tree.structure(carry) == jax.tree.structure(state)


def test_its_parameters_are_those_that_the_cell_draws():
  rngs = nnx.Rngs(3)
  expected = rl.get_cell("lstm").init(nnx.Rngs(3).params(), 3, 5, forget_bias=2.0)
  module = CellModule(rl.get_cell("lstm"), 3, 5, rngs=rngs, forget_bias=2.0)
  tree = nnx.to_pure_dict(nnx.state(module, nnx.Param))
  assert set(tree) == {"input_kernel", "recurrent_kernel", "bias"}
  for name, array in expected._asdict().items():
    np.testing.assert_array_equal(tree[name], array)


def test_a_bidirectional_net_of_nnx_is_that_of_the_lab(key):
  cell, xs = rl.get_cell("gru"), batch(key)
  ahead, back = (CellModule(cell, 3, size, rngs=nnx.Rngs(size)) for size in (5, 4))
  outputs = nnx.Bidirectional(nnx.RNN(ahead), nnx.RNN(back))(xs)
  params = rl.BidirectionalParams(ahead.to_params(), back.to_params())
  _, expected = rl.bidirectional_unroll(cell, cell, params, jnp.swapaxes(xs, 0, 1))
  np.testing.assert_allclose(jnp.swapaxes(outputs, 0, 1), expected, atol=1e-6)


def test_optax_trains_it(key):
  xs = batch(key)
  rnn = nnx.RNN(CellModule(rl.get_cell("lstm"), 3, 5, rngs=nnx.Rngs(0)))
  graph, params, rest = nnx.split(rnn, nnx.Param, ...)
  loss = lambda params: jnp.mean((nnx.merge(graph, params, rest)(xs) - 0.5) ** 2)
  optimiser = optax.adam(1e-2)

  @jax.jit
  def update(params, state):
    value, gradient = jax.value_and_grad(loss)(params)
    change, state = optimiser.update(gradient, state)
    return optax.apply_updates(params, change), state, value

  state, values = optimiser.init(params), []
  for _ in range(20):
    params, state, value = update(params, state)
    values.append(value)
  assert values[-1] < 0.9 * values[0]
  trained = nnx.merge(graph, params, rest).cell.to_params()
  assert np.all(np.isfinite(rl.product_log_norms(rl.get_cell("lstm"), trained, xs[0])))
