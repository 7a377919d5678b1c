"""A cell of the lab within Flax Linen is the same function of the same arrays."""

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import recurrent_lab as rl
from recurrent_lab.interop import linen, to_named

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
def test_an_rnn_of_linen_is_an_unroll(name, key):
  cell, xs = CELLS[name], batch(key)
  module = linen.CellModule(cell, 5, {"bias_scale": 0.5})
  rnn = nn.RNN(module, return_carry=True)
  tree = jax.tree.map(lambda a: a + 0.1, rnn.init(key, xs)["params"]["cell"])  # a learned state away from 0
  params = linen.to_params(module, tree)
  carry, outputs = rnn.apply({"params": {"cell": tree}}, xs)
  state, expected = rl.unroll(cell, params, jnp.swapaxes(xs, 0, 1))
  np.testing.assert_allclose(jnp.swapaxes(outputs, 0, 1), expected, atol=1e-6)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), carry, state)
  assert jax.tree.structure(carry) == jax.tree.structure(state)
  for name, array in to_named(params).items():
    assert array is tree[name]


def test_its_parameters_are_those_that_the_cell_draws(key):
  module = linen.CellModule(rl.get_cell("lstm"), 5, {"forget_bias": 2.0, "recurrent_init": "orthogonal"})
  tree = module.init(key, module.initialize_carry(None, (3,)), jnp.ones(3))["params"]
  assert set(tree) == {"input_kernel", "recurrent_kernel", "bias"}
  np.testing.assert_array_equal(tree["bias"], np.repeat([0.0, 2.0, 0.0, 0.0], 5))
  block = tree["recurrent_kernel"][:, :5]
  np.testing.assert_allclose(block.T @ block, np.eye(5), atol=1e-5)
  spectrum = rl.lyapunov_spectrum(rl.get_cell("lstm"), rl.LSTMParams(**tree), batch(key)[0])
  assert np.all(np.isfinite(spectrum.exponents))


def test_a_bidirectional_net_of_linen_is_that_of_the_lab(key):
  cell, xs = rl.get_cell("gru"), batch(key)
  net = nn.Bidirectional(nn.RNN(linen.CellModule(cell, 5)), nn.RNN(linen.CellModule(cell, 4)))
  variables = net.init(key, xs)
  cells = (variables["params"]["forward_rnn"]["cell"], variables["params"]["backward_rnn"]["cell"])
  params = rl.BidirectionalParams(*(rl.GRUParams(**tree) for tree in cells))
  _, expected = rl.bidirectional_unroll(cell, cell, params, jnp.swapaxes(xs, 0, 1))
  np.testing.assert_allclose(jnp.swapaxes(net.apply(variables, xs), 0, 1), expected, atol=1e-6)


def test_a_plain_loop_of_optax_trains_both_alike(key):
  cell, xs = rl.get_cell("lstm"), batch(key)
  module = linen.CellModule(cell, 5)
  rnn, optimiser = nn.RNN(module), optax.adam(1e-2)

  def train(loss, params):
    @jax.jit
    def update(params, state):
      value, gradient = jax.value_and_grad(loss)(params)
      change, state = optimiser.update(gradient, state)
      return optax.apply_updates(params, change), state, value

    state, values = optimiser.init(params), []
    for _ in range(20):
      params, state, value = update(params, state)
      values.append(value)
    return params, values

  tree = rnn.init(key, xs)["params"]
  pure = linen.to_params(module, tree["cell"])
  far = lambda outputs: jnp.mean((outputs - 0.5) ** 2)
  tree, values = train(lambda params: far(rnn.apply({"params": params}, xs)), tree)
  pure, expected = train(lambda params: far(rl.unroll(cell, params, jnp.swapaxes(xs, 0, 1))[1]), pure)
  assert values[-1] < 0.9 * values[0]
  np.testing.assert_allclose(values, expected, rtol=1e-4)
  for name, array in to_named(pure).items():
    np.testing.assert_allclose(tree["cell"][name], array, atol=1e-3)


def test_a_tree_of_another_module_is_refused(key):
  with pytest.raises(ValueError, match="The array recurrent_bias is missing"):
    linen.to_params(linen.CellModule(rl.get_cell("gru"), 5), rl.get_cell("lstm").init(key, 3, 5)._asdict())
