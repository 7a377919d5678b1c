"""A stack is a cell whose layers can be run one after the other, and every measurement takes it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests.nets import random_net


def layers(key):
  """An LSTM of 5 units below a GRU of 5 units."""
  keys = jax.random.split(key)
  lower, p_lower, xs = random_net("lstm", keys[0])
  upper, p_upper, _ = random_net("gru", keys[1], inputs=5)
  return (lower, p_lower), (upper, p_upper), xs


def test_a_stack_runs_its_layers_one_after_the_other(key):
  (lower, p_lower), (upper, p_upper), xs = layers(key)
  final, outputs = rl.unroll(rl.stack(lower, upper), (p_lower, p_upper), xs)
  final_lower, between = rl.unroll(lower, p_lower, xs)
  final_upper, expected = rl.unroll(upper, p_upper, between)
  np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), final, (final_lower, final_upper))


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_the_jacobian_is_block_triangular_with_the_layers_on_its_diagonal(key):
  (lower, p_lower), (upper, p_upper), xs = layers(key)
  jacobians = rl.state_jacobians(rl.stack(lower, upper), (p_lower, p_upper), xs)
  _, between = rl.unroll(lower, p_lower, xs)
  np.testing.assert_allclose(jacobians[:, :10, :10], rl.state_jacobians(lower, p_lower, xs), atol=1e-6)
  np.testing.assert_allclose(jacobians[:, 10:, 10:], rl.state_jacobians(upper, p_upper, between), atol=1e-6)
  assert np.all(jacobians[:, :10, 10:] == 0)
  assert np.any(jacobians[:, 10:, :10] != 0)


def test_a_stack_gets_every_measurement(key):
  cell = rl.stack(rl.get_cell("lstm"), rl.get_cell("gru"))
  params = cell.init(key, 3, 5, forget_bias=1.0)
  assert params[1].input_kernel.shape == (5, 15)
  xs = jax.random.normal(key, (9, 3))
  assert np.all(np.isfinite(rl.lyapunov_spectrum(cell, params, xs, k=3).exponents))
  assert np.isfinite(rl.adjoint_log_norms(lambda outputs: jnp.sum(outputs**2), cell, params, xs)).all()
  names = set(rl.activities(cell, params, xs))
  assert names == {
    *(f"{gate} 1" for gate in ("input", "forget", "candidate", "output", "cell")),
    "reset 2",
    "update 2",
    "candidate 2",
  }


def test_equal_stacks_are_one_object():
  assert rl.stack(rl.get_cell("gru"), rl.get_cell("gru")) is rl.stack(rl.gru(), rl.gru())
  with pytest.raises(ValueError, match="at least one cell"):
    rl.stack()
