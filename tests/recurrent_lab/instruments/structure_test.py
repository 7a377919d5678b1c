"""Products and spectra in the structure of a transition, against the general instruments and against dense float64 matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.transitions import Diagonal, Transition
from tests import linear_cells
from tests.nets import random_net

# One cell of the atlas of each structure.
LINEAR = ("min_gru", "lru", "gla", "gated_delta_net", "lin_oss")


def dense_log_singular_values(cell, params, xs, lag):
  """From the dense Jacobians by `jacfwd`, multiplied and decomposed in float64."""
  jacobians = np.asarray(rl.state_jacobians(cell, params, xs), np.float64)
  product = np.linalg.multi_dot(jacobians[::-1][:lag]) if lag > 1 else jacobians[-1]
  return np.log(np.linalg.svd(product, compute_uv=False))


@pytest.mark.parametrize("name", linear_cells.CELLS)
@pytest.mark.usefixtures("x64")
def test_products_in_structure_are_those_of_dense_matrices(name, key):
  """Both norms at all lags and all singular values at three lags, to 1e-9."""
  cell, params, xs = linear_cells.net(name, key, dtype=jnp.float64)
  norms = rl.product_log_norms(cell, params, xs, norm=("frobenius", "spectral"))
  lags = (1, 3, 12)
  values = rl.product_log_singular_values(cell, params, xs, lags=lags)
  for i, lag in enumerate(lags):
    expected = dense_log_singular_values(cell, params, xs, lag)
    # The dense decomposition itself rounds small singular values by ε σ_1.
    assert np.all(np.abs(values[i] - expected) <= 1e-9 + 1e-15 * np.exp(expected[0] - expected))
    frobenius = 0.5 * np.log(np.mean(np.exp(2 * expected)))
    np.testing.assert_allclose(norms[lag - 1], (frobenius, expected[0]), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", linear_cells.CELLS)
@pytest.mark.usefixtures("x64")
def test_spectra_in_structure_are_those_of_the_general_instrument(name, key):
  """All exponents, which settle during the burn-in, and their certificates."""
  cell, params, xs = linear_cells.net(name, key, steps=400, dtype=jnp.float64)
  own = rl.lyapunov_spectrum(cell, params, xs, burn_in=200, blocks=4)
  general = rl.lyapunov_spectrum(cell, params, xs, burn_in=200, blocks=4, structured=False)
  assert own.is_certified
  assert general.is_certified
  np.testing.assert_allclose(np.sum(own.exponents), np.sum(general.exponents), rtol=1e-7)
  # Directions of one exponent, as the columns of a matrix, share it only as T grows.
  np.testing.assert_allclose(own.exponents, general.exponents, atol=2e-2)
  some = rl.lyapunov_spectrum(cell, params, xs, k=2, burn_in=200, blocks=4)
  np.testing.assert_allclose(some.exponents, own.exponents[:2], rtol=1e-12)
  np.testing.assert_allclose(some.local_exponents, own.local_exponents[:, :2], rtol=1e-12)
  assert np.isnan(some.residual)
  assert not some.is_certified


def test_the_certificate_does_not_trust_the_declaration(key):
  """A cell that declares a transition other than its step is not certified."""
  cell, params, xs = linear_cells.net("diagonal", key, steps=40)

  def wrong(params, x):
    matrix, offset = cell.transition(params, x)
    return Transition(Diagonal(1.01 * matrix.entries), offset)

  assert rl.lyapunov_spectrum(cell, params, xs).is_certified
  assert not rl.lyapunov_spectrum(cell._replace(transition=wrong), params, xs).is_certified


def test_a_factor_of_zero_is_a_lost_direction(key):
  """Its exponent is -inf, and it leaks into no other."""
  cell, params, xs = linear_cells.net("diagonal", key, steps=40)

  def closed(params, x):
    matrix, offset = cell.transition(params, x)
    return Transition(Diagonal(matrix.entries.at[0].set(0)), offset)

  step = lambda params, s, x: (new := (m := closed(params, x)).matrix.times(s) + m.offset, new)
  lost = rl.lyapunov_spectrum(cell._replace(step=step, transition=closed), params, xs)
  kept = rl.lyapunov_spectrum(cell, params, xs)
  assert np.isneginf(lost.exponents[-1])
  assert np.all(np.isin(lost.exponents[:-1], kept.exponents))
  assert not lost.is_certified


@pytest.mark.slow
@pytest.mark.parametrize("name", LINEAR)
def test_cells_of_the_atlas_in_structure_agree_with_the_general_instruments(name, key):
  """To 1e-5 of the size, in float64, since general products of float32 lose small singular values of single Jacobians."""
  with jax.enable_x64(True):
    cell, params, xs = random_net(name, key, steps=12, hidden=4, dtype=np.float64)
    for measure in (rl.product_log_norms, rl.product_log_singular_values):
      own, general = measure(cell, params, xs), measure(cell, params, xs, structured=False)
      np.testing.assert_allclose(own, general, rtol=1e-5, atol=1e-5)
