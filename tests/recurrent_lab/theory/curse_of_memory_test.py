"""The linear unit against sums of its impulse response and a simulation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from recurrent_lab import theory


def test_the_variances_are_those_of_the_impulse_response(rng):
  decay = rng.uniform(-0.95, 0.95)
  k = np.arange(2000.0)
  np.testing.assert_allclose(theory.state_variance(decay), np.sum(decay ** (2 * k)), rtol=1e-5)
  sensitivity = np.sum((k[1:] * decay ** k[:-1]) ** 2)
  np.testing.assert_allclose(theory.sensitivity_variance(decay), sensitivity, rtol=1e-5)


def test_a_complex_decay_counts_by_its_modulus(rng):
  decay = 0.9 * np.exp(1j * rng.uniform(0, 6))
  np.testing.assert_allclose(theory.state_variance(decay), theory.state_variance(0.9), rtol=1e-5)
  np.testing.assert_allclose(theory.sensitivity_variance(decay), theory.sensitivity_variance(0.9), rtol=1e-5)


def test_a_simulated_unit_and_its_derivative(rng):
  decay = rng.uniform(0.2, 0.8)
  xs = jnp.asarray(rng.normal(size=(100, 20_000)), jnp.float32)

  def last(decay):
    return jax.lax.fori_loop(0, 100, lambda t, h: decay * h + xs[t], jnp.zeros(20_000))

  h, sensitivity = jax.jvp(last, (jnp.float32(decay),), (jnp.float32(1.0),))
  np.testing.assert_allclose(jnp.mean(h**2), theory.state_variance(decay), rtol=0.1)
  np.testing.assert_allclose(jnp.mean(sensitivity**2), theory.sensitivity_variance(decay), rtol=0.1)


@pytest.mark.parametrize(("angle", "slope"), [(0.0, 1.0), (0.0, -0.4), (0.3, 0.7), (1.9, 0.5j), (np.pi, -1.0)])
def test_the_squared_gradient_is_the_mean_over_gaussians_of_the_same_covariance(angle, slope, rng):
  """The covariance of Re h and its derivative comes from sums of real impulse responses, the fourth moment from drawn pairs."""
  decay, scale, deviation = 0.8 * np.exp(1j * angle), 0.6, 1.5
  k = np.arange(400.0)
  responses = np.stack([(scale * decay**k).real, (scale * slope * k * decay ** np.maximum(k - 1, 0)).real])
  drawn = np.linalg.cholesky(responses @ responses.T + 1e-12 * np.eye(2)) @ rng.normal(size=(2, 400_000))
  squares = ((drawn[0] - deviation * rng.normal(size=drawn.shape[1])) * drawn[1]) ** 2
  found = theory.squared_gradient(decay, slope, scale, deviation**2)
  assert abs(squares.mean() - found) < 6 * squares.std() / np.sqrt(squares.size)
  assert squares.std() / np.sqrt(squares.size) < 0.01 * found


def test_normalization_and_the_exponential_parameter_together_remove_the_curse():
  """The limits at |λ| → 1: 1/2 for the squared sensitivity; with the error and the correlation 2 · 1/2 + 2 (1/2)² = 3/2."""
  decay = 1 - 10.0 ** -np.arange(1, 5)
  scale, slope = np.sqrt((1 - decay) * (1 + decay)), decay * np.log(decay)
  sensitivity = np.float64(theory.sensitivity_variance(decay)) * scale**2 * slope**2
  np.testing.assert_allclose(sensitivity[-1], 0.5, rtol=1e-3)
  np.testing.assert_allclose(theory.squared_gradient(decay, slope, scale)[-1], 1.5, rtol=1e-3)
  for bad_slope, bad_scale in ((1.0, scale), (slope, 1.0)):
    rising = np.float64(theory.squared_gradient(decay, bad_slope, bad_scale))
    np.testing.assert_allclose(rising[-1] / rising[-2], 100, rtol=0.1)  # as the square of the memory


def test_next_to_one_the_last_digits_count():
  gap = np.float64(1) - np.float64(np.float32(1 - 1e-5))
  np.testing.assert_allclose(theory.state_variance(np.float32(1 - 1e-5)), 1 / (gap * (2 - gap)), rtol=1e-5)


def test_a_unit_that_never_forgets_has_no_stationary_state():
  for function in (theory.state_variance, theory.sensitivity_variance):
    for bad in (1.0, -1.0, 1.5, np.nan):
      with pytest.raises(ValueError, match=r"decay is .* modulus below 1"):
        function(bad)
    assert np.isnan(jax.jit(function)(1.0))
    assert np.array_equal(np.isnan(jax.vmap(function)(jnp.asarray([0.5, 2.0]))), [False, True])
