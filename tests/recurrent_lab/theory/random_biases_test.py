"""Critical gains of nets with random biases, against closed forms, sampling, and the Jacobians of nets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import theory
from recurrent_lab.theory import random_biases


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_without_biases_it_is_that_of_the_silent_state(name):
  np.testing.assert_allclose(theory.biased_critical_gain(name, 0.0), theory.critical_gain(name), rtol=1e-6)


@pytest.mark.parametrize("bias_scale", [0.3, 1.0, 2.0])
def test_frozen_biases_of_a_tanh_net_act_as_white_input(bias_scale):
  found = theory.biased_critical_gain("rnn", bias_scale)
  np.testing.assert_allclose(found, theory.driven_critical_gain(bias_scale**2), rtol=1e-5)


def effective(name, cell, params, state):
  """The kernel of a small deviation of h that neither grows nor falls: the other parts of the state follow it at once."""
  jacobian = np.asarray(rl.state_jacobians(cell, params, jnp.zeros((1, 1)), state)[0])
  units = params.recurrent_kernel.shape[0]
  if name == "gru":  # J = diag(z) + (1 - z) M
    a = state @ params.recurrent_kernel[:, units : 2 * units] + params.bias[units : 2 * units]
    z = np.asarray(jax.nn.sigmoid(a))
    return (jacobian - np.diag(z)) / (1 - z)[:, None]
  if name == "lstm":
    (h_h, h_c), (c_h, c_c) = ((block[:, :units], block[:, units:]) for block in (jacobian[:units], jacobian[units:]))
    return h_h + h_c @ np.linalg.solve(np.eye(units) - c_c, c_h)
  return jacobian


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_the_growth_is_that_of_a_net_at_its_fixed_point(name):
  """Its rows are independent and Gaussian, so its squared Frobenius norm per unit is χ, at the deviation that the net has."""
  units, bias_scale, gain = 400, 0.5, 1.2
  cell = rl.get_cell(name)
  with jax.enable_x64(True):
    options = {"recurrent_gain": gain, "bias_scale": bias_scale, "dtype": jnp.float64}
    params = cell.init(jax.random.key(0), 1, units, **options)
    state, outputs = rl.unroll(cell, params, jnp.zeros((300, 1)))
    assert np.max(np.abs(outputs[-1] - outputs[-2])) < 1e-9
    growth = np.sum(effective(name, cell, params, state) ** 2) / units
    square = float(np.mean(np.asarray(outputs[-1]) ** 2))
  moments = random_biases._CELLS[name](float(np.hypot(gain * np.sqrt(square), bias_scale)), bias_scale)
  np.testing.assert_allclose(growth, gain**2 * moments.growth, rtol=0.1)
  np.testing.assert_allclose(square, moments.square, rtol=0.15)


@pytest.mark.parametrize(("name", "deviation"), [("gru", 1.0), ("lstm", 1.0)])
def test_moments_are_those_of_sampled_biases(name, deviation, rng):
  """The square of h alone, from its definition."""
  z = rng.normal(size=(4, 1_000_000)) * deviation
  sigmoid = lambda a: 1 / (1 + np.exp(-a))
  if name == "gru":
    h = np.tanh(0.7 * z[0] / deviation + sigmoid(z[1]) * z[2])
  else:
    h = sigmoid(z[0]) * np.tanh(sigmoid(z[1]) * np.tanh(z[2]) / (1 - sigmoid(z[3])))
  found = random_biases._CELLS[name](deviation, 0.7)
  np.testing.assert_allclose(found.square, np.mean(h**2), rtol=5e-3)


@pytest.mark.parametrize(
  ("name", "bias_scale", "message"), [("rnn", 3.0, "bias_scale is 3.0; it must lie"), ("mgu", 1.0, "Cell")]
)
def test_what_the_theory_does_not_cover_is_refused(name, bias_scale, message):
  with pytest.raises(ValueError, match=message):
    theory.biased_critical_gain(name, bias_scale)
