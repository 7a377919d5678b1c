"""Linear bounds against singular values of random matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gammaln

import recurrent_lab
from recurrent_lab import theory


def test_powers_of_a_gaussian_matrix_reach_the_edge(rng):
  size = 400
  w = rng.normal(size=(size, size)) / np.sqrt(size)
  for steps in (1, 2, 3, 5):
    largest = np.linalg.svd(np.linalg.matrix_power(w, steps), compute_uv=False)[0]
    assert largest == pytest.approx(float(theory.transient_growth(steps)), rel=0.1)


def test_the_edge_is_that_of_the_fuss_catalan_numbers():
  # A moment E x^k grows as edge^k k^{-3/2}; Richardson removes the power.
  for steps in (1, 4, 9):
    log_moment = lambda k, t=steps: gammaln((t + 1) * k + 1) - gammaln(k + 1) - gammaln(t * k + 1) - np.log(t * k + 1)
    k = 1e6
    edge = log_moment(k + 1) - log_moment(k) + 1.5 / k
    assert 2 * float(theory.log_transient_growth(steps)) == pytest.approx(edge, rel=1e-6)


def test_the_transient_in_closed_form():
  assert float(theory.transient_growth(1)) == pytest.approx(2)
  assert float(theory.transient_growth(100)) == pytest.approx(np.sqrt(np.e * 100.5), rel=1e-4)
  # Accurate where (T + 1)^{T + 1} overflows, and to rounding where its logarithms cancel.
  assert float(theory.log_transient_growth(1e6)) == pytest.approx((1 + np.log(1e6)) / 2, rel=1e-6)
  assert theory.log_transient_growth(jnp.arange(1, 4)).shape == (3,)


def test_the_linear_rnn_shows_the_transient(rng):
  # At lag 6 one net of this size strays by 0.04, and all of them lie 0.03 too low.
  cell, nets = recurrent_lab.rnn("identity"), []
  for key in jax.random.split(jax.random.key(rng.integers(2**31)), 6):
    params = cell.init(key, 1, 400, recurrent_gain=0.9)
    nets.append(recurrent_lab.product_log_norms(cell, params, jnp.zeros((6, 1))))
  lags = jnp.arange(1, 7)
  log_norms = jnp.mean(jnp.stack(nets), axis=0)
  np.testing.assert_allclose(log_norms - lags * np.log(0.9), theory.log_transient_growth(lags), atol=0.12)


def test_no_product_grows_faster_than_the_bound(rng):
  cell = recurrent_lab.rnn("sigmoid")
  params = cell.init(jax.random.key(rng.integers(2**31)), 3, 16, recurrent_gain=rng.uniform(0.5, 4))
  xs = jnp.asarray(rng.normal(size=(20, 3)), jnp.float32)
  log_norms = recurrent_lab.product_log_norms(cell, params, xs)
  bound = theory.pascanu_bounds(jnp.linalg.norm(params.recurrent_kernel, 2), 0.25)
  assert np.all(log_norms <= bound * np.arange(1, 21) + 1e-4)
  assert float(theory.pascanu_bounds(4.0, 0.25)) == pytest.approx(0)
  assert float(theory.pascanu_bounds(0.0)) == -np.inf


def test_indrnn_weights_at_the_bound_reach_it():
  bound = theory.indrnn_bound(10.0, jnp.asarray([1, 100]))
  np.testing.assert_allclose(bound ** jnp.asarray([1, 100]), 10, rtol=1e-4)


def test_bad_values_are_named():
  with pytest.raises(ValueError, match="steps is 0; it must be 1 or more"):
    theory.transient_growth(0)
  with pytest.raises(ValueError, match="kernel_norm is -1"):
    theory.pascanu_bounds(-1.0)
  with pytest.raises(ValueError, match="max_slope is -1"):
    theory.pascanu_bounds(1.0, -1.0)
  with pytest.raises(ValueError, match="gamma is 0"):
    theory.indrnn_bound(0, 10)
  assert np.isnan(jax.jit(theory.transient_growth)(0))
