"""Norms, clips and mean squares of gradients that are finite, however large or small they are: float64 is the oracle."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import recurrent_lab as rl
from recurrent_lab import scaled, training
from recurrent_lab.cells import LSTMParams
from recurrent_lab.readouts import ReadoutParams
from recurrent_lab.training import clips, regularizers

STEPS = 11
TASK = rl.tasks.adding(STEPS)
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
  clip = clips.clip_by_global_norm(1.0)
  clipped, _ = clip.update(single, clip.init(weights), weights)
  factor = min(1, 1 / norm64(double))
  jax.tree.map(lambda c, d: np.testing.assert_allclose(c, d * factor, rtol=1e-5), clipped, double)
  clip = clips.clip_by_unit_norm(0.5)
  clipped, _ = clip.update(single, clip.init(weights), weights)
  for c, d in zip(jax.tree.leaves(clipped), jax.tree.leaves(double), strict=True):
    units = np.sqrt(np.sum(d**2, axis=0, keepdims=True))  # a column of a kernel, or a whole vector
    bound = 0.5 * np.sqrt(len(d))
    np.testing.assert_allclose(c, d * np.minimum(1, bound / units), rtol=1e-5)


def test_clips_are_those_of_optax_in_the_middle_of_the_range(tree):
  single, _ = at(tree, 100.0)
  weights = jax.tree.map(lambda a: 0.1 * jnp.ones_like(a), single)
  for ours, theirs in (
    (clips.clip_by_global_norm(2.0), optax.clip_by_global_norm(2.0)),
    (clips.clip_by_unit_norm(0.3), optax.adaptive_grad_clip(0.3)),
  ):
    found, expected = (clip.update(single, clip.init(weights), weights)[0] for clip in (ours, theirs))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found, expected)


@pytest.mark.parametrize("name", ["lars", "fromage", "adamax", "lion", "sign_sgd"])
def test_an_optimiser_by_direction_takes_gradients_of_any_size(name, tree):
  """Its update is that of a gradient of size 1, and the parameters move."""
  weights = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), tree)
  optimiser = training.optimizer(name, 0.1)

  def update(size):
    gradient = jax.tree.map(lambda a: jnp.float32(size) * a[::-1], weights)
    return optimiser.update(gradient, optimiser.init(weights), weights)[0]

  large, usual = update(2.0**100), update(1.0)
  assert all(np.any(leaf != 0) for leaf in jax.tree.leaves(usual))
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), large, usual)


@pytest.mark.parametrize("name", sorted(training.OPTIMIZERS))
def test_no_optimiser_loses_an_update_without_a_sign(name, key):
  """With a gradient of 1e25 and no clipping, an update moves the parameters as in float64 or is counted as skipped."""
  slope = np.array([1e25, -2e25, 3e24])
  gradient = lambda params, batch: (jnp.float32(1), jnp.asarray(slope, jnp.float32))
  optimiser = training.optimizer(name, 1e-2)
  step = training.train_step(gradient, TASK, optimiser, training.clipping("none"), 1)
  new, _ = step(training.init_state(key, jnp.array([0.5, -0.3, 0.2]), optimiser))
  with jax.enable_x64(True):
    params = jnp.array([0.5, -0.3, 0.2])
    update = optax.with_extra_args_support(optimiser).update
    exact, _ = update(jnp.asarray(slope), optimiser.init(params), params, value=1.0, grad=jnp.asarray(slope))
    expected = np.asarray(params + exact)
  assert new.nonfinite in (0, 1)
  np.testing.assert_allclose(new.params, [0.5, -0.3, 0.2] if new.nonfinite else expected, rtol=1e-5)


@pytest.mark.parametrize("size", [1e-18, 1.0, 1e18])
def test_mean_square_and_its_gradient(size, rng):
  single = jnp.asarray(rng.normal(size=(6, 2)) * size, jnp.float32)
  counts = np.array([1, 1, 0, 1, 0, 1], bool)
  double = np.asarray(single, np.float64)[counts]
  value, gradient = jax.value_and_grad(scaled.mean_square)(single, jnp.asarray(counts))
  np.testing.assert_allclose(value, np.mean(double**2), rtol=1e-6)
  np.testing.assert_allclose(gradient[counts], 2 * double / double.size, rtol=1e-6)
  np.testing.assert_array_equal(gradient[~counts], 0)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_norms_of_a_matrix_of_any_size(size, rng):
  """A block of a product may be far smaller than the product, and a matrix that is given far larger."""
  matrix = np.asarray(rng.normal(size=(3, 4)) * size, np.float32)
  singular_values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
  product = rl.ScaledMatrix(matrix, np.float32(2.0))
  np.testing.assert_allclose(rl.log_spectral_norm(product), 2 + np.log(singular_values[0]), atol=1e-5)
  mean = 2 + 0.5 * np.log(np.sum(singular_values**2) / 4)
  np.testing.assert_allclose(rl.log_frobenius_norm(product), mean, atol=1e-5)


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


GAINS = np.array([4e4, 6e4])


@pytest.fixture
def explosive(key):
  """`(cell, params, batch)`: an LSTM at rest, whose states are 0, and whose input gate is shut at step 1 and half open then.

  ∂L/∂S_k grows by 10⁴ per step back, to 10⁴⁰ at S_1, and the shut gate makes the gradient of the parameters 10³⁷.
  """
  gate = lambda name: 2 * "ifgo".index(name) + np.arange(2)
  input_kernel, recurrent_kernel = np.zeros((2, 8), np.float32), np.zeros((2, 8), np.float32)
  input_kernel[0, gate("i")] = 1
  recurrent_kernel[:, gate("g")] = np.diag(GAINS)
  params = LSTMParams(jnp.asarray(input_kernel), jnp.asarray(recurrent_kernel), jnp.zeros(8))
  inputs = np.zeros((STEPS, 2, 2), np.float32)
  inputs[0, :, 0] = -20, -21
  readout = ReadoutParams(jnp.array([[0.5], [0.1]]), jnp.zeros(1))
  return rl.lstm(), rl.WithReadoutParams(params, readout), TASK.sample(key, 2)._replace(inputs=jnp.asarray(inputs))


def backward64(params, batch):
  """(∂L/∂b of the candidate, the adjoints (h, c) of S_0 … S_T) by BPTT in NumPy float64; the states are 0, f = o = ½."""
  error = -np.asarray(batch.targets[-1], np.float64)  # the mean of two squares; the output is 0
  bias, adjoints = np.zeros(2), [np.stack([error * np.asarray(params.readout.kernel)[:, 0], np.zeros((2, 2))])]
  for x in np.asarray(batch.inputs[::-1, :, :1], np.float64):
    d_h, d_c = adjoints[0]
    d_c = d_c + d_h / 2
    delta = d_c / (1 + np.exp(-x))
    bias += delta.sum(axis=0)
    adjoints.insert(0, np.stack([delta * GAINS, d_c / 2]))
  return bias, np.array(adjoints)


@pytest.mark.parametrize("kind", ["full", pytest.param("truncated", marks=pytest.mark.slow), "omega"])
def test_a_gradient_is_finite_where_the_adjoints_on_its_way_are_not(kind, explosive):
  cell, params, batch = explosive
  gradient = {
    "full": training.full_gradient(cell, TASK),
    "truncated": training.truncated_gradient(cell, TASK, STEPS, STEPS),
    "omega": training.omega_gradient(cell, TASK, 1.0),
  }[kind]
  expected, adjoints = backward64(params, batch)
  assert np.max(np.abs(adjoints[1])) > np.finfo(np.float32).max
  _, found = gradient(params, batch)
  assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(found))
  np.testing.assert_allclose(found.cell.bias[4:6], expected, rtol=1e-4)
  # Under vmap too, where only one of two needs a second pass, and nothing of the other changes.
  tame = params._replace(cell=jax.tree.map(lambda p: p * 1e-4, params.cell))
  both = jax.tree.map(lambda a, b: jnp.stack([a, b]), params, tame)
  first, second = (jax.tree.map(lambda a, i=i: a[i], jax.vmap(gradient, (0, None))(both, batch)[1]) for i in (0, 1))
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), first, found)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), second, gradient(tame, batch)[1])


def test_omega_of_adjoints_out_of_range(explosive):
  """Ω is a mean of ratios, the same of any multiple of the adjoints."""
  cell, params, batch = explosive
  _, adjoints = backward64(params, batch)
  size = np.linalg.norm(np.moveaxis(adjoints, 1, 2), axis=(2, 3))  # [T+1, B]
  loss = lambda params, outputs: TASK.loss(rl.readout(params.readout, outputs), batch)
  _, _, states, adjoint = regularizers.adjoints(loss, cell, params, batch.inputs, 2.0**-64)
  np.testing.assert_allclose(np.stack(adjoint, axis=1), adjoints[1:] * 2.0**-64, rtol=1e-4)
  found = rl.training.omega(cell, params.cell, states, batch.inputs, adjoint, 2.0**-64)
  np.testing.assert_allclose(found, np.mean((size[:-1] / size[1:] - 1) ** 2), rtol=1e-4)


@pytest.mark.parametrize("clip", ["global_norm", pytest.param("value", marks=pytest.mark.slow)])
def test_training_takes_every_update_of_an_exploding_net(clip):
  """A tanh net at gain 6 over 100 steps: the squares of its gradients overflow, and none of its gradients does."""
  task, cell = rl.tasks.adding(100), rl.rnn()
  adam = training.optimizer("adam", 1e-3)
  params = training.init_params(jax.random.key(0), cell, task, 24, recurrent_gain=6.0)
  step = training.train_step(training.full_gradient(cell, task), task, adam, training.clipping(clip, 1.0), 4)
  run = jax.jit(lambda state: jax.lax.scan(lambda s, _: step(s), state, length=10))
  state, info = run(training.init_state(jax.random.key(1), params, adam))
  assert np.max(info.gradient_norm) > 1e20
  assert state.nonfinite == 0
  assert np.all(info.is_clipped)
  most = 1 if clip == "global_norm" else np.sqrt(sum(a.size for a in jax.tree.leaves(params)))
  assert np.all(info.clipped_norm <= most * (1 + 1e-5))
