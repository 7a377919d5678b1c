"""Weights that keep their sign, and noise in the state."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl

UNITS = 20


def test_units_keep_their_sign(key):
  """Whatever is added to the parameters, as by training. At the start, excitation and inhibition balance."""
  cell = rl.dale(rl.cells.leaky_rnn(0.2))
  params = cell.init(key, 3, UNITS, recurrent_gain=1.5)
  xs = jax.random.normal(jax.random.key(1), (6, 3))

  def weights(params):
    """∂h_t/∂h_{t-1} = (1 - α) I + α W diag(φ'), transposed, so that rows are what a unit sends."""
    jacobian = rl.state_jacobians(cell, params, xs)[0].T
    slope = jnp.exp(rl.activities(cell, params, xs)["state"].log_slope[0])
    return (jacobian - 0.8 * jnp.eye(UNITS)) / (0.2 * slope)

  drawn = weights(params)
  assert np.all(drawn[:16] >= -1e-6)
  assert np.all(drawn[16:] <= 1e-6)
  size = np.abs(np.asarray(params.cell.recurrent_kernel))
  np.testing.assert_allclose(np.abs(drawn), size, atol=1e-5)
  moved = jax.tree.map(lambda a: a + jax.random.normal(jax.random.key(2), a.shape), params)
  np.testing.assert_array_equal(
    np.sign(weights(moved)), np.broadcast_to(np.where(np.arange(UNITS) < 16, 1, -1)[:, None], (UNITS, UNITS))
  )


def test_drawn_weights_balance(key):
  """Means over a column are 0, and the variance is g² / H."""
  units, gain = 400, 1.5
  params = rl.dale(rl.rnn()).init(key, 1, units, recurrent_gain=gain)
  signs = np.where(np.arange(units) < 320, 1, -1)
  w = signs[:, None] * np.abs(np.asarray(params.cell.recurrent_kernel, np.float64))
  same = rl.dale(rl.rnn()).init(key, 1, units, recurrent_gain=gain, recurrent_init="excitatory_inhibitory")
  jax.tree.map(np.testing.assert_array_equal, same, params)
  deviation = gain / units**0.5
  assert abs(w.mean()) < 5 * deviation / units
  np.testing.assert_allclose((w**2).mean(), deviation**2, rtol=0.05)


def test_noise_is_added_to_the_state_and_to_nothing_else(key):
  cell, plain = rl.noisy(rl.lstm()), rl.lstm()
  inputs, units = 2, 3
  params = cell.init(key, inputs + 2 * units, units, noise_scale=0.5)
  xs = jax.random.normal(jax.random.key(1), (7, 4, inputs))
  driven = rl.with_noise(jax.random.key(2), cell, params, xs)
  assert driven.shape == (7, 4, inputs + 2 * units)
  noise = np.asarray(driven[..., inputs:])
  assert abs(noise.std() - 1) < 5 / np.sqrt(2 * noise.size)
  state = plain.initial_state(params.inner, (4,))
  outputs = []
  for x, xi in zip(xs, noise, strict=True):
    state, _ = plain.step(params.inner, state, x)
    state = rl.LSTMState(state.hidden + 0.5 * xi[:, :units], state.cell + 0.5 * xi[:, units:])
    outputs.append(state.hidden)
  final, found = rl.unroll(cell, params, driven)
  np.testing.assert_allclose(found, np.stack(outputs), rtol=1e-5, atol=1e-6)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), final, state)
  quiet = params._replace(noise_scale=jnp.zeros(()))
  np.testing.assert_allclose(
    rl.unroll(cell, quiet, driven)[1], rl.unroll(plain, params.inner, xs)[1], rtol=1e-5, atol=1e-6
  )


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda key: rl.dale(rl.rnn(), 0.0), "excitatory is 0.0; it must be above 0 and at most 1."),
    (lambda key: rl.dale(rl.get_cell("indrnn")).init(key, 1, 4), "no recurrent_kernel"),
    (
      lambda key: rl.noisy(rl.rnn()).init(key, 4, 4),
      "input_size is 4; a state of 4 entries takes as many channels of noise",
    ),
    (lambda key: inspect.unwrap(rl.with_noise)(0, rl.noisy(rl.rnn()), None, None), "key is 0; a random key is what"),
  ],
)
def test_what_has_no_sign_or_no_room_for_noise_is_refused(call, message, key):
  with pytest.raises(ValueError, match=message):
    call(key)
