"""Block-triangular Jacobians and directions that die, against closed forms and 200-digit products."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import recurrent_lab as rl

STEPS = 100


def exact_log_singular_values(jacobians):
  """ln σ_i in 200-digit arithmetic, -inf below 190 digits."""
  with mpmath.workdps(200):
    product = mpmath.eye(jacobians.shape[1])
    for jacobian in np.asarray(jacobians, np.float64):
      product = mpmath.matrix(jacobian.tolist()) * product
    values = sorted(mpmath.svd_r(product, compute_uv=False), reverse=True)
    floor = values[0] * mpmath.mpf(10) ** -190
    return np.array([float(mpmath.log(v)) if v > floor else -np.inf for v in values])


@pytest.mark.parametrize("weights", [(0.5, 2.0), (2.0, 0.5)])
def test_two_linear_units_in_a_stack(weights):
  """Determinant 1 at every step: the singular values are e^{±a}."""
  cell = rl.stack(rl.rnn("identity"), rl.rnn("identity"))
  params = tuple(
    layer._replace(recurrent_kernel=jnp.full((1, 1), w))
    for layer, w in zip(cell.init(jax.random.key(0), 1, 1), weights, strict=True)
  )
  xs = jnp.zeros((STEPS, 1))
  values, spectrum = rl.product_log_singular_values(cell, params, xs), rl.lyapunov_spectrum(cell, params, xs)
  expected = exact_log_singular_values(rl.state_jacobians(cell, params, xs))
  np.testing.assert_allclose(values, expected, atol=1e-3 * np.ptp(expected))
  np.testing.assert_allclose(spectrum.exponents, expected / STEPS, atol=1e-3 * np.ptp(expected) / STEPS)
  assert spectrum.is_certified


def test_units_that_die_at_different_steps():
  """Two units are silent at one step each: both are lost, and nothing else is."""
  cell = rl.indrnn("relu")
  params = cell.init(jax.random.key(0), 4, 4)._replace(
    input_kernel=jnp.eye(4), recurrent_kernel=jnp.array([0.9, 0.8, 0.7, 0.2]), bias=jnp.zeros(4)
  )
  xs = jnp.ones((20, 4)).at[3, 0].set(-100).at[12, 1].set(-100)
  expected = np.log([0.7, 0.2])
  values = rl.product_log_singular_values(cell, params, xs, lags=(5, 20))
  np.testing.assert_allclose(values[0], 5 * np.log([0.9, 0.8, 0.7, 0.2]), rtol=1e-3)
  np.testing.assert_allclose(values[1], [*20 * expected, -np.inf, -np.inf], rtol=1e-3)
  for k in (4, 3):
    spectrum = rl.lyapunov_spectrum(cell, params, xs, k=k)
    np.testing.assert_array_equal(np.isneginf(spectrum.exponents), [False, False, True, True][:k])
    assert not spectrum.is_certified
  # The transient of the start is O(1/T): less than a nat over all 20 steps.
  np.testing.assert_allclose(rl.lyapunov_spectrum(cell, params, xs).exponents[:2], expected, atol=1 / 20)


def test_three_of_six_units_are_dead():
  cell = rl.rnn("relu")
  params = cell.init(jax.random.key(0), 1, 6, recurrent_init="orthogonal")
  params = params._replace(
    bias=jnp.array([-1e3] * 3 + [1e3] * 3), recurrent_kernel=jnp.abs(params.recurrent_kernel) / 4
  )
  exponents = rl.lyapunov_spectrum(cell, params, jnp.zeros((60, 1)), k=4).exponents
  np.testing.assert_array_equal(np.isneginf(exponents), [False] * 3 + [True])
