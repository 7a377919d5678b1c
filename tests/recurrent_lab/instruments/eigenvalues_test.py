"""Clouds of eigenvalues against what is known of them, and principal components against the eigenvectors of the covariance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl


def test_gaussian_weights_fill_the_disc(key):
  """Girko's law: uniform on a disc of radius g, so that r² / g² is uniform and has the mean 1/2."""
  gain, units = 2.0, 300
  params = rl.lstm().init(key, 1, units, recurrent_gain=gain)
  clouds = rl.kernel_eigenvalues(params.recurrent_kernel)
  assert clouds.shape == (4, units)
  assert np.all(np.diff(np.abs(clouds), axis=1) <= 1e-9)
  for cloud, block in zip(clouds, np.split(np.asarray(params.recurrent_kernel, np.float64), 4, axis=1), strict=True):
    assert abs(cloud[0]) == pytest.approx(gain, rel=0.1)
    assert np.mean(np.abs(cloud) ** 2) / gain**2 == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(cloud.sum(), np.trace(block), atol=1e-8)
    np.testing.assert_allclose(np.log(np.abs(cloud)).sum(), np.linalg.slogdet(block)[1], rtol=1e-8)


def test_eigenvalues_of_jacobians_have_their_traces_and_determinants(key):
  cell = rl.gru()
  params, xs = cell.init(key, 2, 5, recurrent_gain=2.0), jax.random.normal(jax.random.key(1), (6, 2))
  found = rl.jacobian_eigenvalues(cell, params, xs)
  jacobians = np.asarray(rl.state_jacobians(cell, params, xs), np.float64)
  assert found.shape == (6, 5)
  np.testing.assert_allclose(found.sum(1), np.trace(jacobians, axis1=1, axis2=2), atol=1e-8)
  np.testing.assert_allclose(found.prod(1), np.linalg.det(jacobians), rtol=1e-8)


def test_principal_components_are_the_eigenvectors_of_the_covariance(rng):
  states = rng.normal(size=(5, 40, 4)) @ np.diag([3.0, 1.0, 0.3, 0.1]) @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + 2
  found = rl.principal_components(jnp.asarray(states, jnp.float32), k=3)
  rows = states.reshape(-1, 4)
  variances, vectors = np.linalg.eigh(np.cov(rows.T, bias=True))
  np.testing.assert_allclose(found.mean, rows.mean(0), rtol=1e-5)
  np.testing.assert_allclose(found.variances, variances[::-1][:3], rtol=1e-4)
  along = np.sum(np.asarray(found.directions) * vectors.T[::-1][:3], axis=1)
  np.testing.assert_allclose(np.abs(along), 1, rtol=1e-4)
  assert np.all(np.max(found.directions, axis=1) == np.max(np.abs(found.directions), axis=1))
  np.testing.assert_allclose(found.projected, (states - rows.mean(0)) @ np.asarray(found.directions).T, atol=1e-4)
  assert rl.principal_components(jnp.asarray(states[0, :3], jnp.float32)).variances.shape == (3,)


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (
      lambda: rl.kernel_eigenvalues(np.ones((2, 3))),
      r"The kernel has shape \(2, 3\); a recurrent kernel is \[H, k·H\]",
    ),
    (lambda: jax.jit(rl.kernel_eigenvalues)(np.ones((2, 2))), "compute them outside of jit, vmap and grad"),
    (lambda: rl.principal_components(jnp.ones((1, 3))), "principal components need two states or more"),
    (lambda: rl.principal_components(jnp.ones((4, 3)), k=4), "k is 4; it must lie between 1 and the 3 components"),
  ],
)
def test_what_has_no_eigenvalues_is_refused(call, message):
  with pytest.raises(ValueError, match=message):
    call()
