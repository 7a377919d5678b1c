"""The spectral radius is that of the eigenvalues, and nets of the transient sweep have the one that was asked for."""

import jax
import numpy as np
import pytest

from experiments import transient_growth
from experiments.portrait import radius
from sweepkit import runner


def jordan(size):
  return 0.5 * np.eye(size) + np.eye(size, k=1)


@pytest.mark.parametrize(
  "matrix",
  [
    *(np.random.default_rng(seed).normal(size=(32, 32)) for seed in range(4)),  # its largest eigenvalues may be a pair
    1e-20 * np.random.default_rng(4).normal(size=(32, 32)),
    jordan(4),  # far from normal
    np.diag([3.0, -3.0, 1.0]),
    np.array([[0.0, -2.0], [2.0, 0.0]]),
  ],
)
def test_the_radius_is_the_largest_eigenvalue(matrix):
  matrix = matrix.astype(np.float32)
  exact = np.log(np.abs(np.linalg.eigvals(matrix.astype(np.float64))).max())
  # Eigenvalues of a Jordan block of 4 move by the fourth root of the rounding.
  tolerance = 5e-2 if matrix.shape == (4, 4) else 2e-5
  np.testing.assert_allclose(jax.jit(radius.log_spectral_radius)(matrix), exact, atol=tolerance)


def test_nothing_has_no_radius():
  assert np.isneginf(radius.log_spectral_radius(np.zeros((3, 3), np.float32)))
  assert np.isneginf(radius.log_spectral_radius(np.eye(4, k=1, dtype=np.float32)))


def test_every_eigenvalue_of_the_transient_sweep_lies_within_the_circle(monkeypatch):
  """At the size and gain of the default sweep, where a third of the draws had one outside."""
  kernels = []
  monkeypatch.setattr(
    transient_growth, "portrait_of", lambda static, sample: kernels.append(sample.params.recurrent_kernel) or {}
  )
  static = runner.parse(transient_growth.EXPERIMENT, ["--seq_len=4", "--recurrent_init=gaussian"]).points[0]
  for seed in range(8):
    values = {name: np.float32(static[name]) for name in ("ws", "input_scale", "bias_scale", "bias", "forget_bias")}
    radii = transient_growth.of_radius(static, jax.random.key(seed), values)
    eigenvalues = np.linalg.eigvals(np.asarray(kernels[-1], np.float64))
    np.testing.assert_allclose(np.abs(eigenvalues).max(), static["ws"], rtol=1e-4)
    np.testing.assert_allclose(radii["spectral_radius"], static["ws"], rtol=1e-4)
