"""Theory of the spectrum of the rate network against published numbers, the closed forms of no leak, and simulated networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import theory
from recurrent_lab.cells.dense import leaky_rnn


def test_published_numbers_without_a_leak():
  """Clark, arXiv 2610.12426: simulation at g = 3, N = 4096."""
  spectrum = theory.rate_spectrum(3.0)
  published = {
    "largest": 0.3096,
    "mean": -2.274,
    "positive_share": 0.1526,
    "entropy_rate": 0.02511,
    "dimension": 0.2872,
  }
  assert {name: getattr(spectrum, name) for name in published} == pytest.approx(published, rel=0.005)


@pytest.mark.parametrize("gain", [1.5, 2.0, 6.0])
def test_without_a_leak_it_is_the_theory_of_the_random_tanh_network(gain):
  with jax.enable_x64(True):
    assert theory.rate_largest_exponent(gain) == pytest.approx(float(theory.largest_exponent(gain)), abs=1e-6)
    assert theory.rate_mean_exponent(gain) == pytest.approx(float(theory.mean_exponent(gain)), abs=1e-6)


def test_the_general_equations_give_the_closed_form_without_a_leak():
  """A leak of 1 - 1e-9 takes the path of pairs of times."""
  s = np.array([0.2, 0.0, -1.0])
  coloured, closed = (theory.rate_exponent_cdf(3.0, leak, s, draws=8192) for leak in (1 - 1e-9, 1.0))
  np.testing.assert_allclose(coloured, closed, atol=0.01)


def test_the_distribution_has_the_mean_exponent():
  """The mean is λ₁ - ∫ F(s) ds; F falls as e^s where it is small."""
  grid = np.linspace(-30, theory.rate_largest_exponent(2.0), 200)
  below = theory.rate_exponent_cdf(2.0, 1.0, grid)
  mean = grid[-1] - np.sum(np.diff(grid) * (below[1:] + below[:-1]) / 2)
  assert mean == pytest.approx(theory.rate_mean_exponent(2.0), abs=0.01)


@pytest.mark.exhaustive
def test_simulated_networks_with_a_leak():
  """Two networks of 512 units, in which finite size alone lowers λ₁ by several per cent."""
  units, steps, gain, leak = 512, 800, 3.0, 0.5
  cell = leaky_rnn(leak)

  def exponents(key):
    k_params, k_state = jax.random.split(key)
    params = cell.init(k_params, 1, units, recurrent_gain=gain, dtype=jnp.float64)
    state = jax.random.normal(k_state, (units,), jnp.float64)
    return rl.lyapunov_spectrum(cell, params, jnp.zeros((steps, 1)), state, burn_in=steps // 4).exponents

  with jax.enable_x64(True):
    found = np.asarray(jax.lax.map(exponents, jax.random.split(jax.random.key(0), 2)))
  spectrum = theory.rate_spectrum(gain, leak)
  assert found.mean() == pytest.approx(spectrum.mean, rel=0.02)
  assert found[:, 0].mean() == pytest.approx(spectrum.largest, rel=0.12)
  middle = np.interp(-0.5 * spectrum.largest, spectrum.exponent[::-1], spectrum.share_above[::-1])
  assert (found > -0.5 * spectrum.largest).mean() == pytest.approx(middle, rel=0.1)


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ((1.0, 0.5), "gain is 1.0; it must be finite and above 1"),
    ((2.0, 0.0), "leak is 0.0; it must be above 0 and at most 1"),
    ((2.0, 1.5), "leak is 1.5; it must be above 0 and at most 1"),
    ((1.01, 0.01), "is correlated over more than 512 steps"),
  ],
)
def test_arguments_outside_of_the_theory_are_named(arguments, message):
  with pytest.raises(ValueError, match=message):
    theory.rate_largest_exponent(*arguments)


def test_other_arguments_are_named():
  with pytest.raises(ValueError, match="A threshold s is not finite"):
    theory.rate_exponent_cdf(2.0, 1.0, np.array([np.nan]))
  with pytest.raises(ValueError, match="draws is 10; it must be at least 256"):
    theory.rate_exponent_cdf(2.0, 1.0, np.zeros(1), draws=10)
  with pytest.raises(ValueError, match="points is 4; it must be at least 8"):
    theory.rate_spectrum(2.0, points=4)
