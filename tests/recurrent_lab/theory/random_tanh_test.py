"""The random tanh network against tabulated values, adaptive quadrature and a simulated network."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, optimize

import recurrent_lab
from recurrent_lab import theory
from recurrent_lab.theory.random_tanh import gaussian_mean


def gaussian_quad(f, variance):
  """E f(√variance z), by adaptive quadrature in float64."""
  density = lambda z: f(np.sqrt(variance) * z) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
  points = [0.0, 1 / np.sqrt(variance), 5 / np.sqrt(variance)]
  edges = sorted({p for p in points if p < 12} | {2.0, 12.0})
  pieces = [integrate.quad(density, a, b, epsabs=1e-13, epsrel=1e-12)[0] for a, b in itertools.pairwise(edges)]
  return 2 * sum(pieces)


def quad_variance(gain, input_variance):
  f = lambda v: gain**2 * gaussian_quad(lambda x: np.tanh(x) ** 2, v) + input_variance - v
  return optimize.brentq(f, max(input_variance, (1 - gain**-2) / 2) * 0.99, gain**2 + input_variance, xtol=1e-13)


@pytest.mark.parametrize(
  ("gain", "variance", "growth", "exponent"),
  [(1.5, 0.7934, 1.1393, 0.06522), (2.0, 2.1215, 1.3627, 0.15472), (3.0, 6.3054, 1.8599, 0.31025)],
)
def test_the_known_values_of_the_autonomous_network(gain, variance, growth, exponent):
  assert float(theory.mean_field_variance(gain)) == pytest.approx(variance, abs=6e-5)
  assert float(theory.jacobian_growth(gain)) == pytest.approx(growth, abs=6e-5)
  assert float(theory.largest_exponent(gain)) == pytest.approx(exponent, abs=6e-6)


@pytest.mark.parametrize(("gain", "mean"), [(2.0, -1.1490), (3.0, -2.2728)])
def test_the_known_mean_exponents(gain, mean):
  assert float(theory.mean_exponent(gain)) == pytest.approx(mean, abs=6e-5)


def test_the_known_critical_gains():
  known = [1.1934, 1.4093, 1.6862, 1.8556]
  np.testing.assert_allclose(theory.driven_critical_gain(jnp.asarray([0.01, 0.1, 0.5, 1.0])), known, atol=6e-5)


def test_a_random_point_against_quadrature(rng):
  gain, input_variance = rng.uniform(0.3, 6), rng.uniform(0.01, 3)
  variance = quad_variance(gain, input_variance)
  growth = gain**2 * gaussian_quad(lambda x: np.cosh(x) ** -4.0, variance)
  mean = np.log(gain) - gaussian_quad(lambda x: 2 * np.log(np.cosh(x)), variance) - 0.5
  np.testing.assert_allclose(theory.mean_field_variance(gain, input_variance), variance, rtol=3e-6)
  np.testing.assert_allclose(theory.jacobian_growth(gain, input_variance), growth, rtol=3e-6)
  np.testing.assert_allclose(theory.largest_exponent(gain, input_variance), np.log(growth) / 2, atol=3e-6)
  np.testing.assert_allclose(theory.mean_exponent(gain, input_variance), mean, rtol=3e-6, atol=3e-6)


def test_double_precision_is_double(rng):
  gain = rng.uniform(1.001, 6)
  with jax.enable_x64(True):
    np.testing.assert_allclose(theory.mean_field_variance(gain), quad_variance(gain, 0.0), rtol=1e-9)
    assert theory.largest_exponent(gain).dtype == jnp.float64


@pytest.mark.slow
def test_float32_agrees_with_float64_from_the_onset_to_deep_saturation():
  gains = np.asarray([1.0001, 1.01, 1.3, 10.0, 1e3, 1e6])
  with jax.enable_x64(True):
    variances, means = np.asarray(theory.mean_field_variance(gains)), np.asarray(theory.mean_exponent(gains))
  # At the onset the gain itself is only known to 6e-8 of 1, that is to 6e-4 of g - 1.
  deviations = np.abs(theory.mean_field_variance(np.float32(gains)) / variances - 1)
  assert np.all(deviations < [1e-3, 1e-5, 2e-6, 2e-6, 2e-6, 2e-6]), deviations
  np.testing.assert_allclose(theory.mean_exponent(np.float32(gains)), means, rtol=3e-6)


def test_gaussian_means_of_extreme_variance():
  # E sech⁴(√Δ z) → (4/3) / √(2πΔ), E |√Δ z| = √(2Δ/π), and everything is 0 or 1 at Δ = 0.
  huge = jnp.asarray(1e12)
  np.testing.assert_allclose(
    gaussian_mean(lambda x: 1 / jnp.cosh(jnp.minimum(x, 20.0)) ** 4, huge), 4 / 3 / np.sqrt(2e12 * np.pi), rtol=1e-5
  )
  np.testing.assert_allclose(gaussian_mean(jnp.abs, huge), np.sqrt(2e12 / np.pi), rtol=1e-4)
  np.testing.assert_allclose(gaussian_mean(lambda x: x**2, jnp.asarray(0.7)), 0.7, rtol=1e-6)
  assert float(gaussian_mean(jnp.tanh, jnp.asarray(0.0))) == 0


def test_a_quiet_network_is_silent_up_to_gain_one():
  np.testing.assert_array_equal(theory.mean_field_variance(jnp.asarray([0.0, 0.5, 1.0])), 0)
  np.testing.assert_allclose(theory.largest_exponent(jnp.asarray([0.5, 1.0])), [np.log(0.5), 0], atol=1e-7)
  np.testing.assert_allclose(theory.mean_exponent(0.5), np.log(0.5) - 0.5, rtol=1e-6)


def test_the_gain_is_critical_where_the_growth_is_one(rng):
  input_variance = jnp.asarray(np.exp(rng.uniform(-9, 5, size=5)), jnp.float32)
  gain = theory.driven_critical_gain(input_variance)
  np.testing.assert_allclose(theory.jacobian_growth(gain, input_variance), 1, atol=2e-5)
  assert float(theory.driven_critical_gain(0.0)) == 1


def test_a_weak_input_shifts_the_critical_gain_by_its_cube_root():
  shift = theory.driven_critical_gain(jnp.asarray([1e-12, 1e-9, 1e-6])) - 1
  np.testing.assert_allclose(shift, np.cbrt(0.75 * np.asarray([1e-12, 1e-9, 1e-6])), rtol=0.02)


def test_gradients_are_those_of_the_implicit_function(rng):
  gain, input_variance = rng.uniform(1.2, 3), rng.uniform(0.1, 1)
  got = jax.grad(theory.mean_field_variance, (0, 1))(gain, input_variance)
  step = 1e-4
  by_gain = (quad_variance(gain + step, input_variance) - quad_variance(gain - step, input_variance)) / (2 * step)
  by_input = (quad_variance(gain, input_variance + step) - quad_variance(gain, input_variance - step)) / (2 * step)
  np.testing.assert_allclose(got, [by_gain, by_input], rtol=1e-4)


@pytest.mark.slow
def test_transforms_and_broadcasting_change_nothing():
  gains = jnp.asarray([0.5, 1.5, 4.0])
  plain = theory.largest_exponent(gains, 0.3)
  np.testing.assert_array_equal(jax.jit(theory.largest_exponent)(gains, 0.3), plain)
  np.testing.assert_allclose(jax.vmap(lambda g: theory.largest_exponent(g, 0.3))(gains), plain, rtol=1e-6, atol=1e-7)
  assert theory.largest_exponent(gains[:, None], jnp.asarray([0.0, 1.0])).shape == (3, 2)


def test_the_share_of_exponents_of_a_silent_network(rng):
  gain, size = rng.uniform(0.3, 0.9), 400
  exponents = np.log(np.abs(np.linalg.eigvals(gain * rng.normal(size=(size, size)) / np.sqrt(size))))
  for s in (np.log(gain) - 1, np.log(gain) - 0.3):
    share = float(theory.zero_fixed_point_exponent_cdf(gain, s))
    assert np.mean(exponents <= s) == pytest.approx(share, abs=0.05)
  assert float(theory.zero_fixed_point_exponent_cdf(gain, 1.0)) == 1
  assert float(theory.zero_fixed_point_exponent_cdf(gain, -np.inf)) == 0


def test_what_cannot_be_answered_is_an_error_outside_of_jit_and_nan_inside():
  for bad in (-1.0, np.inf, np.nan):
    with pytest.raises(ValueError, match="gain is"):
      theory.mean_field_variance(bad)
    with pytest.raises(ValueError, match="input_variance is"):
      theory.mean_field_variance(1.0, bad)
    with pytest.raises(ValueError, match="input_variance is"):
      theory.driven_critical_gain(bad)
    assert np.isnan(jax.jit(theory.largest_exponent)(bad, 0.0))
    assert np.isnan(jax.jit(theory.mean_exponent)(1.0, bad))
  with pytest.raises(ValueError, match="did not converge"):
    theory.mean_field_variance(1e25)
  assert np.isnan(jax.jit(theory.mean_field_variance)(1e25))
  with pytest.raises(ValueError, match="did not converge"):
    theory.driven_critical_gain(1e37)
  with pytest.raises(ValueError, match="between 0 and 1"):
    theory.zero_fixed_point_exponent_cdf(1.5, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("gain", "scale"), [(2.0, 1.0), (3.0, 0.5)])
def test_a_simulated_network_grows_as_predicted(rng, gain, scale):
  k_params, k_x = jax.random.split(jax.random.key(rng.integers(2**31)))
  cell, size, steps = recurrent_lab.rnn(), 384, 300
  params = cell.init(k_params, 256, size, recurrent_gain=gain, input_gain=scale)
  xs = jax.random.normal(k_x, (steps, 256))
  states = recurrent_lab.trajectory(cell, params, xs[:100])
  last = jax.tree.map(lambda s: s[-1], states)
  log_norms = recurrent_lab.product_log_norms(cell, params, xs[100:], last, norm="frobenius")
  rate = float(recurrent_lab.growth_rate(log_norms).rate)
  assert rate == pytest.approx(float(theory.largest_exponent(gain, scale**2)), abs=0.03)
