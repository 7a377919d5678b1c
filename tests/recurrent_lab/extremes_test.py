"""Norms, clips and mean squares of gradients that are finite, however large or small they are: float64 is the oracle."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import recurrent_lab as rl
from recurrent_lab import clipping, scaled, training

SIZES = (1e-35, 1e-30, 1e-12, 1.0, 1e12, 7e35, 3e37)


@pytest.fixture
def tree(rng):
  return {"a": rng.normal(size=(3, 4)), "b": rng.normal(size=5)}


def at(tree, size):
  """The tree times `size` in float32, and exactly these numbers in float64."""
  single = jax.tree.map(lambda a: np.asarray(a * size / 4, np.float32), tree)
  return jax.tree.map(jnp.asarray, single), jax.tree.map(lambda a: np.asarray(a, np.float64), single)


def norm64(tree):
  return np.sqrt(sum(np.sum(a**2) for a in jax.tree.leaves(tree)))


@pytest.mark.parametrize("size", SIZES)
def test_norm_and_its_gradient(size, tree):
  single, double = at(tree, size)
  value, gradient = jax.value_and_grad(scaled.norm)(single)
  np.testing.assert_allclose(value, norm64(double), rtol=1e-6)
  np.testing.assert_allclose(scaled.log_norm(single), np.log(norm64(double)), rtol=1e-6)
  for g, a in zip(jax.tree.leaves(gradient), jax.tree.leaves(double), strict=True):
    np.testing.assert_allclose(g, a / norm64(double), rtol=1e-5, atol=1e-7)


def test_a_norm_beyond_the_range_has_a_logarithm(tree):
  single = jnp.full(12, 3e38)
  assert scaled.norm(single) == np.inf
  np.testing.assert_allclose(scaled.log_norm(single), np.log(3e38) + 0.5 * np.log(12), rtol=1e-6)
  assert scaled.norm(jnp.zeros(3)) == 0
  np.testing.assert_array_equal(jax.grad(scaled.norm)(jnp.zeros(3)), 0)


@pytest.mark.parametrize("size", SIZES)
def test_clips(size, tree):
  single, double = at(tree, size)
  weights = jax.tree.map(jnp.ones_like, single)
  clip = clipping.clip_by_global_norm(1.0)
  clipped, _ = clip.update(single, clip.init(weights), weights)
  factor = min(1, 1 / norm64(double))
  jax.tree.map(lambda c, d: np.testing.assert_allclose(c, d * factor, rtol=1e-5), clipped, double)
  clip = clipping.clip_by_unit_norm(0.5)
  clipped, _ = clip.update(single, clip.init(weights), weights)
  for c, d in zip(jax.tree.leaves(clipped), jax.tree.leaves(double), strict=True):
    units = np.sqrt(np.sum(d**2, axis=0, keepdims=True))  # a column of a kernel, or a whole vector
    bound = 0.5 * np.sqrt(len(d))
    np.testing.assert_allclose(c, d * np.minimum(1, bound / units), rtol=1e-5)


def test_clips_are_those_of_optax_in_the_middle_of_the_range(tree):
  single, _ = at(tree, 100.0)
  weights = jax.tree.map(lambda a: 0.1 * jnp.ones_like(a), single)
  for ours, theirs in (
    (clipping.clip_by_global_norm(2.0), optax.clip_by_global_norm(2.0)),
    (clipping.clip_by_unit_norm(0.3), optax.adaptive_grad_clip(0.3)),
  ):
    found, expected = (clip.update(single, clip.init(weights), weights)[0] for clip in (ours, theirs))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found, expected)


@pytest.mark.parametrize("size", [1e-18, 1.0, 1e18])
def test_mean_square_and_its_gradient(size, rng):
  single = jnp.asarray(rng.normal(size=(6, 2)) * size, jnp.float32)
  counts = np.array([1, 1, 0, 1, 0, 1], bool)
  double = np.asarray(single, np.float64)[counts]
  value, gradient = jax.value_and_grad(scaled.mean_square)(single, jnp.asarray(counts))
  np.testing.assert_allclose(value, np.mean(double**2), rtol=1e-6)
  np.testing.assert_allclose(gradient[counts], 2 * double / double.size, rtol=1e-6)
  np.testing.assert_array_equal(gradient[~counts], 0)


@pytest.mark.parametrize("clip", ["global_norm", "adaptive"])
def test_an_update_with_a_large_finite_gradient_is_taken(clip, key):
  """The gradient 7e35 of a linear loss has a norm whose square overflows; the update is that of the clipped gradient."""
  slope = jnp.full(9, 7e35)
  gradient = jax.value_and_grad(lambda params, batch: jnp.sum(slope * params))
  optimiser = optax.sgd(1.0)
  step = training.train_step(gradient, rl.tasks.adding(4), optimiser, training.clipping(clip, 0.5), 1)
  state = training.init_state(key, jnp.full(9, 1e-3), optimiser)
  state, info = step(state)
  assert info.is_finite
  assert info.is_clipped
  assert state.nonfinite == 0
  np.testing.assert_allclose(info.gradient_norm, 3 * 7e35, rtol=1e-6)
  bound = 0.5 if clip == "global_norm" else 0.5 * 3e-3
  np.testing.assert_allclose(state.params, 1e-3 - bound / 3, rtol=1e-5)
