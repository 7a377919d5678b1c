"""Covariant Lyapunov vectors against eigenvectors, intersections of subspaces, and their own definition."""

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests.linear_cells import constant_cell
from tests.nets import by_default, random_net

PLATFORMS = ["cpu", "cuda", "rocm", "tpu"]


def sine(a, b):
  """The sine of the angle between the lines along the second last axis."""
  along = np.sum(a * b, axis=-2, keepdims=True)
  return np.linalg.norm(b - along * a, axis=-2)


def test_a_constant_matrix_has_its_eigenvectors(x64, rng):
  eigenvalues, basis = np.array([1.5, -0.9, 0.5, 0.2]), rng.normal(size=(4, 4)) + np.eye(4)
  basis /= np.linalg.norm(basis, axis=0)
  matrix = basis @ np.diag(eigenvalues) @ np.linalg.inv(basis)
  found = rl.covariant_vectors(constant_cell(matrix), jnp.asarray(matrix), jnp.zeros((240, 1)))
  assert found.vectors.shape == (120, 4, 4)
  np.testing.assert_allclose(sine(found.vectors, basis), 0, atol=1e-8)
  np.testing.assert_allclose(found.growth_rates, np.tile(np.log(np.abs(eigenvalues)), (120, 1)), atol=1e-8)
  cosines = np.abs(np.sum(basis[:, :-1] * basis[:, 1:], axis=0))
  np.testing.assert_allclose(found.angles, np.tile(np.arccos(cosines), (120, 1)), atol=1e-7)
  few = rl.covariant_vectors(constant_cell(matrix), jnp.asarray(matrix), jnp.zeros((240, 1)), k=2)
  np.testing.assert_allclose(sine(few.vectors, basis[:, :2]), 0, atol=1e-8)


def test_normal_maps_have_orthogonal_vectors(x64, rng):
  basis, _ = np.linalg.qr(rng.normal(size=(4, 4)))
  matrix = basis @ np.diag([2.0, 1.0, -0.6, 0.3]) @ basis.T
  found = rl.covariant_vectors(constant_cell(matrix), jnp.asarray(matrix), jnp.zeros((200, 1)))
  np.testing.assert_allclose(found.vectors.mT @ found.vectors, np.tile(np.eye(4), (100, 1, 1)), atol=1e-8)
  np.testing.assert_allclose(found.angles, np.pi / 2, atol=1e-8)
  np.testing.assert_allclose(rl.splitting_angles(found.vectors, 2), np.pi / 2, atol=1e-8)


@pytest.mark.parametrize("name", by_default(("gru",), ("rnn", "lstm", "gru")))
def test_jacobians_map_each_vector_to_the_next(name, key, x64):
  """Along a driven net: to 10⁻⁸ in direction and rate, and the rates average to the exponents of the spectrum."""
  cell, params, xs = random_net(name, key, steps=600, hidden=3, dtype=np.float64)
  found = rl.covariant_vectors(cell, params, xs, burn_in=100, burn_out=100)
  images = rl.state_jacobians(cell, params, xs)[100:500] @ found.vectors
  lengths = np.linalg.norm(images, axis=1)
  np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, rtol=1e-12)
  np.testing.assert_allclose(found.growth_rates, np.log(lengths), atol=1e-8)
  np.testing.assert_allclose(sine((images / lengths[:, None])[:-1], found.vectors[1:]), 0, atol=1e-8)
  spectrum = rl.lyapunov_spectrum(cell, params, xs[:500], burn_in=100)
  np.testing.assert_allclose(np.sort(found.exponents)[::-1], spectrum.exponents, atol=0.02)
  np.testing.assert_allclose(np.mean(found.growth_rates, axis=0), found.exponents, rtol=1e-12)


def test_vectors_lie_where_past_and_future_meet(key, x64):
  """v_2 of three is orthogonal to what the future stretches most, and lies in the plane that the past stretches most."""
  cell, params, xs = random_net("rnn", key, steps=100, hidden=3, dtype=np.float64)
  kernel = jnp.diag(jnp.array([0.9, 0.35, 0.12])) + 0.05 * params.recurrent_kernel
  # Weak inputs leave the slopes near 1, so that twelve steps separate the three directions.
  params = params._replace(recurrent_kernel=kernel, input_kernel=0.3 * params.input_kernel, bias=0 * params.bias)
  found = rl.covariant_vectors(cell, params, xs, burn_in=50, burn_out=49)
  jacobians = np.asarray(rl.state_jacobians(cell, params, xs))
  product = lambda first, last: np.linalg.multi_dot(jacobians[first:last][::-1])
  past = np.linalg.svd(product(50 - 12, 50))[0]
  future = np.linalg.svd(product(50, 50 + 12))[2]
  middle = np.cross(past[:, 2], future[0])
  expected = np.stack([past[:, 0], middle / np.linalg.norm(middle), future[2]], axis=1)
  np.testing.assert_allclose(sine(found.vectors[0], expected), 0, atol=1e-3)


def test_angles_between_subspaces(x64):
  """A vector at 0.3 above a plane, whose neighbours are orthogonal in the plane, and one at 10⁻⁹."""
  plane = np.eye(4)[:, :2]
  for angle in (0.3, 1e-9):
    tilted = np.cos(angle) * plane.sum(1) / 2**0.5 + np.sin(angle) * np.eye(4)[2]
    vectors = jnp.asarray(np.column_stack([plane, tilted]))[None]
    np.testing.assert_allclose(rl.splitting_angles(vectors, 2), [angle], rtol=1e-6)
  np.testing.assert_allclose(rl.splitting_angles(vectors[..., ::-1], 1), [1e-9], rtol=1e-6)


def test_a_lost_direction_is_mapped_to_zero(key, x64):
  """A relu net with a unit that never fires: the last vector lies in the kernel, and the others are as without the unit."""
  cell = rl.rnn("relu")
  params = cell.init(key, 1, 4, recurrent_init="orthogonal", dtype=np.float64)
  kernel = jnp.diag(jnp.array([0.5, 0.4, 0.7, 0.6])) + 0.2 * jnp.abs(params.recurrent_kernel)
  params = params._replace(recurrent_kernel=kernel / 2, bias=jnp.array([1.0, 1.0, -1e4, 1.0]))
  xs = jnp.zeros((400, 1))
  found = rl.covariant_vectors(cell, params, xs)
  jacobian = np.asarray(rl.state_jacobians(cell, params, xs)[200])
  assert np.all(np.isneginf(found.growth_rates[:, 3]))
  np.testing.assert_allclose(jacobian @ found.vectors[0, :, 3], 0, atol=1e-12)
  kept = [0, 1, 3]
  eigenvalues = np.linalg.eigvals(jacobian[np.ix_(kept, kept)])
  np.testing.assert_allclose(found.exponents[:3], np.sort(np.log(np.abs(eigenvalues)))[::-1], atol=1e-2)


def test_an_overflowed_state_gives_nan(x64):
  cell = constant_cell(np.eye(2))
  found = rl.covariant_vectors(cell, jnp.eye(2), jnp.zeros((8, 1)), jnp.array([jnp.inf, 0.0]))
  assert np.all(np.isnan(found.growth_rates))


def test_single_precision_and_lowering(key):
  cell, params, xs = random_net("lstm", key, steps=8, hidden=2)
  assert rl.covariant_vectors(cell, params, xs, k=2).vectors.dtype == jnp.float32
  exported = export.export(jax.jit(lambda p, xs: rl.covariant_vectors(cell, p, xs)), platforms=PLATFORMS)(params, xs)
  assert set(exported.platforms) == set(PLATFORMS)


@pytest.mark.parametrize(
  ("options", "words"),
  [
    ({"k": 0}, "k is 0; it must lie between 1 and the 5 directions"),
    ({"k": 6}, "k is 6"),
    ({"burn_in": -1}, "burn_in is -1; it must be at least 0"),
    ({"burn_out": -2}, "burn_out is -2"),
    ({"burn_in": 5, "burn_out": 3}, r"burn_in \+ burn_out is 8; it must be below the 8 steps"),
  ],
)
def test_impossible_values_are_named(options, words, key):
  cell, params, xs = random_net("rnn", key)
  with pytest.raises(ValueError, match=words):
    rl.covariant_vectors(cell, params, xs, **options)


@pytest.mark.parametrize("leading", [0, 3])
def test_a_subspace_without_directions_is_refused(leading):
  with pytest.raises(ValueError, match=f"leading is {leading}; it must lie between 1 and 2"):
    rl.splitting_angles(jnp.ones((4, 5, 3)), leading)
