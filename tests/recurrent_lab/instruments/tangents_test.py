"""Block-triangular Jacobians and directions that die, against closed forms and 200-digit products."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.instruments._flat import flat_trajectory
from recurrent_lab.instruments._nested import first_directions
from tests.nets import FAMILIES, random_net, slow

STEPS = 100


def integers(matrix):
  """The entries times 2^e, and e: floats are fractions whose denominators are powers of two."""
  ratios = [[float(value).as_integer_ratio() for value in row] for row in np.asarray(matrix)]
  largest = max(denominator for row in ratios for _, denominator in row)
  return np.array([[n * (largest // d) for n, d in row] for row in ratios], object), largest.bit_length() - 1


class ExactProduct:
  """J_T … J_1 Q in integers of more than 200 digits beyond whatever the Jacobians spread, times 2^exponent."""

  def __init__(self, jacobians, directions):
    self.bits = 700 + 12 * len(jacobians)
    self.matrix, scale = integers(directions)
    self.exponent = -scale
    for jacobian in jacobians:
      factor, scale = integers(jacobian)
      product = factor.dot(self.matrix)
      excess = max(max(abs(value) for value in product.ravel()).bit_length() - self.bits, 0)
      self.matrix, self.exponent = product >> excess, self.exponent - scale + excess

  def log(self, value):
    return float(mpmath.log(value)) + self.exponent * np.log(2) if value > mpmath.mpf(2) ** 64 else -np.inf

  def log_singular_values(self):
    with mpmath.workprec(self.bits):
      values = mpmath.svd_r(mpmath.matrix(self.matrix.tolist()), compute_uv=False)
      return np.array(sorted(map(self.log, values), reverse=True))

  def log_diagonal(self):
    """ln R_ii of the QR decomposition, decreasing; what is lost takes no part in it."""
    with mpmath.workprec(self.bits):
      logs, basis = [], []
      for entries in self.matrix.T:
        column = [mpmath.mpf(int(value)) for value in entries]
        for q in basis:
          dot = mpmath.fdot(q, column)
          column = [c - dot * e for c, e in zip(column, q, strict=True)]
        norm = mpmath.sqrt(mpmath.fdot(column, column))
        logs.append(self.log(norm))
        if np.isfinite(logs[-1]):
          basis.append([c / norm for c in column])
      return np.array(sorted(logs, reverse=True))


def exact_log_singular_values(jacobians):
  return ExactProduct(jacobians, np.eye(jacobians.shape[1])).log_singular_values()


def exact_exponents(cell, params, xs, k):
  """λ_i from the same start, in nats per step."""
  start = first_directions(flat_trajectory(cell, params, xs, None), k)
  return ExactProduct(np.asarray(rl.state_jacobians(cell, params, xs)), start).log_diagonal() / len(xs)


def assert_near(found, expected):
  """Within 1e-3 of the spread, or of the size where a single value is finite."""
  finite = np.isfinite(expected)
  np.testing.assert_array_equal(np.isneginf(found), ~finite)
  values = expected[finite]
  spread = np.ptp(values) if len(values) > 1 else np.max(np.abs(values), initial=0)
  np.testing.assert_allclose(np.asarray(found)[finite], values, rtol=0, atol=1e-3 * spread)


def random_stack(name, gains, steps, dtype):
  """Layers of two units, each with its own recurrent gain."""
  nets = [
    random_net(name, jax.random.key(i), steps=steps, inputs=2, hidden=2, dtype=dtype, recurrent_gain=gain)
    for i, gain in enumerate(gains)
  ]
  return rl.stack(*[cell for cell, _, _ in nets]), tuple(params for _, params, _ in nets), nets[0][2]


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
  expected = exact_log_singular_values(np.asarray(rl.state_jacobians(cell, params, xs)))
  np.testing.assert_allclose(values, expected, atol=1e-3 * np.ptp(expected))
  np.testing.assert_allclose(spectrum.exponents, expected / STEPS, atol=1e-3 * np.ptp(expected) / STEPS)
  assert spectrum.is_certified


def test_units_that_die_at_different_steps():
  """Two units are silent at one step each: both are lost, and nothing else is."""
  cell = rl.indrnn("relu")
  params = cell.init(jax.random.key(0), 4, 4)._replace(
    input_kernel=jnp.eye(4), recurrent_kernel=jnp.array([0.9, 0.8, 0.7, 0.2]), bias=jnp.zeros(4)
  )
  xs = jnp.ones((2000, 4)).at[3, 0].set(-100).at[12, 1].set(-100)
  values = rl.product_log_singular_values(cell, params, xs, lags=(5, 2000))
  np.testing.assert_allclose(values[0], 5 * np.log([0.9, 0.8, 0.7, 0.2]), rtol=1e-3)
  np.testing.assert_allclose(values[1], [*2000 * np.log([0.7, 0.2]), -np.inf, -np.inf], rtol=1e-3)
  spectrum = rl.lyapunov_spectrum(cell, params, xs)
  # The transient of the start is O(1/T).
  assert_near(spectrum.exponents, np.array([*np.log([0.7, 0.2]), -np.inf, -np.inf]))
  assert not spectrum.is_certified


@pytest.mark.slow
def test_layers_whose_units_die_and_revive():
  """Two layers of six units: what is lost stays lost, and the fourth exponent is not that of rounding."""
  cell = rl.stack(rl.indrnn("relu"), rl.indrnn("relu"))
  params = tuple(
    layer._replace(input_kernel=jnp.eye(6), recurrent_kernel=jnp.full(6, 0.9), bias=jnp.zeros(6))
    for layer in cell.init(jax.random.key(0), 6, 6)
  )
  # Three units of the lower layer die at different steps, and live again from the next step on.
  xs = jnp.ones((60, 6)).at[jnp.array([10, 20, 30]), jnp.array([0, 1, 2])].set(-100)
  for k in (12, 4):
    assert_near(rl.lyapunov_spectrum(cell, params, xs, k=k).exponents, exact_exponents(cell, params, xs, k))


MATRIX = pytest.mark.parametrize(("layers", "dtype"), [(2, np.float32), (3, np.float64)])
GAINS = {
  2: [(0.6, 1.6), (1.6, 0.6)],
  3: [(0.6, 1.0, 1.6), (1.6, 1.0, 0.6)],
}  # the upper layers stronger, and the lower ones


@pytest.mark.parametrize("name", slow(("lstm", "indrnn"), FAMILIES))
@MATRIX
def test_singular_values_of_stacks_coupled_either_way(name, layers, dtype):
  # In float32 a row of the product holds no entries further apart than 10^38, which 1000 steps of some stacks are.
  lags = (10, 100, 1000) if dtype == np.float64 else (10, 100)
  with jax.enable_x64(dtype == np.float64):
    for gains in GAINS[layers]:
      cell, params, xs = random_stack(name, gains, lags[-1], dtype)
      jacobians = np.asarray(rl.state_jacobians(cell, params, xs))
      found = rl.product_log_singular_values(cell, params, xs, lags=lags)
      for lag, values in zip(lags, found, strict=True):
        assert_near(values, exact_log_singular_values(jacobians[-lag:]))


@pytest.mark.parametrize("name", slow(("lstm", "indrnn"), FAMILIES))
@MATRIX
def test_exponents_of_stacks_coupled_either_way(name, layers, dtype):
  with jax.enable_x64(dtype == np.float64):
    for gains in GAINS[layers]:
      cell, params, xs = random_stack(name, gains, STEPS, dtype)
      size = rl.state_jacobians(cell, params, xs[:1]).shape[1]
      for k in (size, size - 1):
        assert_near(rl.lyapunov_spectrum(cell, params, xs, k=k).exponents, exact_exponents(cell, params, xs, k))


def test_three_of_six_units_are_dead():
  cell = rl.rnn("relu")
  params = cell.init(jax.random.key(0), 1, 6, recurrent_init="orthogonal")
  params = params._replace(
    bias=jnp.array([-1e3] * 3 + [1e3] * 3), recurrent_kernel=jnp.abs(params.recurrent_kernel) / 4
  )
  exponents = rl.lyapunov_spectrum(cell, params, jnp.zeros((60, 1)), k=4).exponents
  np.testing.assert_array_equal(np.isneginf(exponents), [False] * 3 + [True])
