"""Scales are exact."""

import jax.numpy as jnp
import numpy as np
import pytest

from recurrent_lab.instruments import _graded, _rotations, _windows
from recurrent_lab.scaled import add, log_scale, rescale


def test_rescaling_changes_no_digit(rng):
  values = jnp.asarray(rng.normal(size=(4, 4)) * 2.0 ** rng.integers(-60, 60), jnp.float32)
  scaled = rescale(values, 7)
  assert 0.5 <= jnp.max(jnp.abs(scaled.array)) < 1
  np.testing.assert_array_equal(np.ldexp(np.asarray(scaled.array), int(scaled.exponent) - 7), values)
  np.testing.assert_allclose(log_scale(scaled), int(scaled.exponent) * np.log(2), rtol=1e-6)


@pytest.mark.parametrize("exponent", [-5000, -140, -20, 0, 20, 140, 5000])
def test_sum_keeps_what_the_larger_term_can_hold(exponent, rng):
  a, b = (jnp.asarray(rng.normal(size=5), jnp.float32) for _ in range(2))
  total = add(rescale(a, exponent), b)
  if exponent > 100:
    expected, shift = np.asarray(a, np.float64), exponent
  elif exponent < -100:
    expected, shift = np.asarray(b, np.float64), 0
  else:
    expected, shift = np.asarray(a, np.float64) * 2.0**exponent + np.asarray(b, np.float64), 0
  measured = np.ldexp(np.asarray(total.array, np.float64), int(total.exponent) - shift)
  np.testing.assert_allclose(measured, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_zeros_do_not_drag_the_scale_down():
  tiny = rescale(jnp.array([1.0, 0.5]), -3000)
  total = add(tiny, jnp.zeros(2))
  assert int(total.exponent) == -2999
  total = add(rescale(jnp.zeros(2), 3000), jnp.array([1.0, 0.5]))
  assert int(total.exponent) == 1
  nothing = add(rescale(jnp.zeros(2)), jnp.zeros(2))
  np.testing.assert_array_equal(nothing.array, np.zeros(2))


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_graded_singular_values_match_a_plain_decomposition(size, rng):
  matrix = rng.normal(size=(size, size))
  measured = _windows.log_singular_values(_graded.from_matrix(jnp.asarray(matrix, jnp.float32)))
  np.testing.assert_allclose(measured, np.log(np.linalg.svd(matrix, compute_uv=False)), atol=1e-4)


def test_graded_singular_values_at_any_distance(rng):
  """diag(e^d) Q with Q orthogonal has the singular values e^d, here 10⁻⁸⁰⁰⁰ apart."""
  d = np.sort(rng.uniform(-20_000, 0, 9))[::-1]
  q = np.linalg.qr(rng.normal(size=(9, 9)))[0]
  measured = _windows.log_singular_values(_graded.Graded(jnp.asarray(d, jnp.float32), jnp.asarray(q, jnp.float32)))
  np.testing.assert_allclose(measured, d, rtol=1e-6)


@pytest.mark.parametrize("span", [30, 400])  # one window, and many of half the rows
def test_graded_singular_values_in_windows_are_those_of_rotations(span, rng):
  """Their sum is that of the determinant, although neighbouring rows are far from orthogonal."""
  d = np.sort(rng.uniform(-span, 0, 48))[::-1]
  rows = np.eye(48) + np.triu(rng.normal(size=(48, 48)), 1) / 7
  norms = np.linalg.norm(rows, axis=1)
  matrix = _graded.Graded(*(jnp.asarray(a, jnp.float32) for a in (d, rows / norms[:, None])))
  measured = np.asarray(_windows.log_singular_values(matrix), np.float64)
  np.testing.assert_allclose(measured, _rotations.by_rotations(matrix), atol=1e-4 + 1e-6 * span)
  np.testing.assert_allclose(measured.sum(), np.sum(d - np.log(norms)), atol=48e-5)
