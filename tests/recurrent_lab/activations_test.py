"""Slopes that survive saturation, against 50-digit arithmetic."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.activations import Activity


def exact_log_sech2(a):
  with mpmath.workdps(50):
    return float(-2 * mpmath.log(mpmath.cosh(mpmath.mpf(float(a)))))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_sech2_is_exact_to_ten_thousand(dtype, rng):
  with jax.enable_x64(dtype == np.float64):
    sizes = np.concatenate([10 ** rng.uniform(-6, 4, 300), [1e-15, 0.999999, 1.0, 1.000001, 9.0, 50.0, 88.0, 1e4]])
    a = (rng.choice([-1, 1], sizes.shape) * sizes).astype(dtype)
    expected = np.array([exact_log_sech2(v) for v in a])
    np.testing.assert_allclose(rl.log_sech2(jnp.asarray(a)), expected, rtol=8 * np.finfo(dtype).eps)
    assert rl.log_sech2(jnp.zeros((), dtype)) == 0


def test_log_sech2_differentiates_to_minus_two_tanh(rng):
  a = jnp.asarray(rng.normal(0, 3, 100), jnp.float32)
  np.testing.assert_allclose(jax.vmap(jax.grad(rl.log_sech2))(a), -2 * np.tanh(a), rtol=1e-5, atol=1e-6)
  for extreme in (0.0, 1e4, -1e4):
    assert jax.grad(rl.log_sech2)(jnp.float32(extreme)) == pytest.approx(-2 * np.sign(extreme))


@pytest.mark.parametrize("name", list(rl.ACTIVATIONS))
@pytest.mark.usefixtures("x64")
def test_log_slope_is_the_log_of_the_derivative(name, rng):
  activation = rl.ACTIVATIONS[name]
  a = jnp.asarray(rng.normal(0, 2, 200))
  slope = jax.vmap(jax.grad(activation.function))(a)
  np.testing.assert_allclose(jnp.exp(activation.log_slope(a)), jnp.abs(slope), rtol=1e-9, atol=1e-15)


def test_log_sigmoid_slope_survives_saturation():
  np.testing.assert_allclose(
    rl.activations.log_sigmoid_slope(jnp.float32([-1e4, 0, 1e4])), [-1e4, -2 * np.log(2), -1e4], rtol=1e-6
  )


def test_saturation_counts_what_it_says():
  value = jnp.array([[0.0, 0.96, -0.99, 0.5], [0.04, -0.04, 1.0, 0.2]])
  log_slope = jnp.log(jnp.array([[1.0, 0.1, 0.1, 0.5], [1.0, 1.0, 0.1, 0.9]]))
  seen = rl.saturation(Activity(value, log_slope))
  np.testing.assert_allclose(seen.mean_value, np.mean(value), rtol=1e-6)
  np.testing.assert_allclose(seen.mean_slope, 4.7 / 8, rtol=1e-6)
  np.testing.assert_allclose(seen.mean_log_slope, np.mean(log_slope), rtol=1e-6)
  assert seen.share_high == 3 / 8
  assert seen.share_low == 3 / 8


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_derivatives_survive_saturation(name):
  """Autodiff's own slope is exactly 0 in float32 at |a| = 20; that of the lab's cells is right to rounding."""
  a = jnp.float32([-40, -20, -9, 0.3, 9, 20, 40])
  activation = rl.ACTIVATIONS[name]
  slope = jax.vmap(jax.grad(activation.function))(a)
  with mpmath.workdps(50):
    exact = {
      "tanh": lambda v: mpmath.sech(v) ** 2,
      "sigmoid": lambda v: mpmath.exp(-abs(v)) / (1 + mpmath.exp(-abs(v))) ** 2,
    }[name]
    expected = [float(exact(mpmath.mpf(float(v)))) for v in a]
  np.testing.assert_allclose(slope, expected, rtol=1e-5)
  np.testing.assert_array_equal(activation.function(a), {"tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}[name](a))


EXACT_SLOPES = {
  "softplus": lambda a: 1 / (1 + mpmath.exp(-a)),
  "elu": lambda a: mpmath.exp(a) if a < 0 else mpmath.mpf(1),
  "gelu": lambda a: mpmath.ncdf(a) + a * mpmath.npdf(a),
  "power_law": lambda a: 2 * a if a > 0 else mpmath.mpf(0),
}


@pytest.mark.parametrize("name", EXACT_SLOPES)
def test_log_slopes_far_out_are_right(name):
  a = jnp.float32([-1e4, -300, -40, -12, -3, -0.9, -0.3, 0.2, 2, 9, 50, 1e4])
  with mpmath.workdps(50):
    slopes = [EXACT_SLOPES[name](mpmath.mpf(float(v))) for v in a]
    exact = [float(mpmath.log(abs(slope))) if slope else -np.inf for slope in slopes]
  np.testing.assert_allclose(rl.ACTIVATIONS[name].log_slope(a), exact, rtol=1e-5, atol=1e-6)
  assert np.all(np.isfinite(jax.vmap(jax.grad(rl.ACTIVATIONS[name].function))(a)))


def test_units_with_a_power_law():
  square_root = rl.power_law(0.5, 3.0)
  a = jnp.float32([-2, 0, 0.25, 4])
  np.testing.assert_allclose(square_root.function(a), [0, 0, 1.5, 6], rtol=1e-6)
  np.testing.assert_allclose(square_root.log_slope(a), [-np.inf, -np.inf, np.log(3), np.log(0.75)], rtol=1e-6)
  assert rl.power_law(0.5, 3.0) is square_root
  assert rl.rnn(square_root) is rl.rnn(square_root)
  with pytest.raises(ValueError, match=r"exponent 0.0 and gain 1.0; both must be above 0"):
    rl.power_law(0.0)
