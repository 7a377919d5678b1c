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
