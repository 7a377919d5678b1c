"""One update against NumPy, clipping against its formulas, non-finite steps counted, and learning that learns."""

from functools import partial

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import recurrent_lab as rl
from recurrent_lab import training
from recurrent_lab.tasks import adding, get_task

PLATFORMS = ["cpu", "cuda", "rocm", "tpu"]
TASK = adding(10)


def net(name, key, hidden=6, **options):
  cell = rl.get_cell(name)
  return cell, training.init_params(key, cell, TASK, hidden, **options)


@pytest.mark.parametrize("clip_at", [1e-3, 1e3])
def test_an_update_is_gradient_clipping_and_sgd(clip_at, key):
  """Against the three formulas in NumPy: g, g · min(1, c / ‖g‖), w - r g."""
  cell, params = net("rnn", key)
  sgd, clip = training.optimizer("sgd", 0.1), training.clipping("global_norm", clip_at)
  step = jax.jit(training.train_step(training.full_gradient(cell, TASK), TASK, sgd, clip, 16))
  new, info = step(training.init_state(key, params, sgd))

  batch = TASK.sample(jax.random.fold_in(key, 0), 16)
  loss = lambda p: jnp.mean((training.predict(cell, p, batch.inputs)[-1] - batch.targets[-1]) ** 2)
  value, gradient = jax.value_and_grad(loss)(params)
  norm = np.sqrt(sum(np.sum(np.asarray(g, np.float64) ** 2) for g in jax.tree.leaves(gradient)))
  factor = min(1, clip_at / norm)
  np.testing.assert_allclose(info.loss, value, rtol=1e-5)
  np.testing.assert_allclose(info.gradient_norm, norm, rtol=1e-4)
  np.testing.assert_allclose(info.clipped_norm, factor * norm, rtol=1e-4)
  assert bool(info.is_clipped) == (factor < 1)
  assert bool(info.is_finite)
  expected = jax.tree.map(lambda p, g: p - 0.1 * factor * g, params, gradient)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), new.params, expected)


@pytest.mark.parametrize("name", list(training.CLIPS))
def test_clipping_bounds_what_its_formula_bounds(name, key):
  _, params = net("lstm", key)
  gradient = jax.tree.map(lambda p: 50 * jax.random.normal(key, p.shape), params)
  clip = training.clipping(name, 0.25)
  clipped, _ = clip.update(gradient, clip.init(params), params)
  leaves, before = jax.tree.leaves(clipped), jax.tree.leaves(gradient)
  if name == "none":
    assert all(np.array_equal(a, b) for a, b in zip(leaves, before, strict=True))
  elif name == "global_norm":
    np.testing.assert_allclose(optax.tree.norm(clipped), 0.25, rtol=1e-5)
  elif name == "value":
    assert all(np.max(np.abs(leaf)) <= 0.25 for leaf in leaves)
  else:  # unit by unit, no column grows beyond a quarter of the weights (or of 1e-3, for a unit at 0)
    kernel, weights = clipped.cell.recurrent_kernel, params.cell.recurrent_kernel
    bound = 0.25 * np.maximum(np.linalg.norm(weights, axis=0), 1e-3)
    assert np.all(np.linalg.norm(kernel, axis=0) <= bound * (1 + 1e-5))


def test_every_optimiser_descends(key):
  target = jax.random.normal(key, (3, 3))
  for name in training.OPTIMIZERS:
    optimiser = training.optimizer(name, 1e-3)
    first = params = {"w": jnp.ones((3, 3))}
    state = optimiser.init(params)
    loss = lambda p: jnp.sum((p["w"] - target) ** 2)
    update = optax.with_extra_args_support(optimiser).update
    for _ in range(3):
      value, gradient = jax.value_and_grad(loss)(params)
      updates, state = update(gradient, state, params, value=value, grad=gradient)
      params = optax.apply_updates(params, updates)
    assert loss(params) < loss(first), name
  assert {"sgd", "adam", "adamw", "rmsprop"} <= set(training.OPTIMIZERS)


def test_what_is_not_finite_is_left_out_and_counted(key):
  cell, params = net("rnn", key)
  sgd = training.optimizer("sgd", 0.1)

  def gradient(params, batch):
    value, grads = training.full_gradient(cell, TASK)(params, batch)
    return value, jax.tree.map(lambda g: g * jnp.where(batch.inputs[0, 0, 0] > 0.5, jnp.inf, 1.0), grads)

  step = jax.jit(training.train_step(gradient, TASK, sgd, training.clipping("global_norm", 1.0), 4))
  state = training.init_state(key, params, sgd)
  bad = 0
  for n in range(12):
    new, info = step(state)
    is_bad = bool(TASK.sample(jax.random.fold_in(key, n), 4).inputs[0, 0, 0] > 0.5)
    bad += is_bad
    assert bool(info.is_finite) != is_bad
    same = [
      np.array_equal(a, b) for a, b in zip(jax.tree.leaves(new.params), jax.tree.leaves(state.params), strict=True)
    ]
    assert all(same) == is_bad
    state = new
  assert int(state.nonfinite) == bad
  assert int(state.step) == 12


def test_truncation_that_covers_the_sequence_is_full_bptt(key):
  cell, params = net("gru", key)
  batch = TASK.sample(key, 8)
  full = training.full_gradient(cell, TASK)(params, batch)
  whole = training.truncated_gradient(cell, TASK, 10, 10)(params, batch)
  short = training.truncated_gradient(cell, TASK, 1, 2)(params, batch)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5), full, whole)
  np.testing.assert_allclose(full[0], short[0], rtol=1e-5)  # the loss is the same, the gradient is not
  assert not np.allclose(full[1].cell.recurrent_kernel, short[1].cell.recurrent_kernel, atol=1e-4)


def test_omega_adds_its_own_gradient_to_the_cell_alone(key):
  cell, params = net("rnn", key)
  batch = TASK.sample(key, 8)
  value, plain = training.full_gradient(cell, TASK)(params, batch)
  with_omega, once = training.omega_gradient(cell, TASK, 1.0)(params, batch)
  _, twice = training.omega_gradient(cell, TASK, 2.0)(params, batch)
  np.testing.assert_allclose(with_omega, value, rtol=1e-5)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), once.readout, plain.readout)
  change = jax.tree.map(lambda a, b: a - b, once.cell, plain.cell)
  double = jax.tree.map(lambda a, b: a - b, twice.cell, plain.cell)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(2 * a, b, rtol=1e-2, atol=1e-4), change, double)
  assert float(jnp.linalg.norm(change.recurrent_kernel)) > 1e-3


@pytest.mark.slow
def test_seeds_train_together_as_they_do_alone(key):
  """Under vmap every seed goes its own way, and a small GRU learns to add over five steps."""
  task = adding(5)
  cell = rl.get_cell("gru")
  adam, clip = training.optimizer("adam", 1e-2), training.clipping("global_norm", 1.0)
  step = training.train_step(training.full_gradient(cell, task), task, adam, clip, 32)
  init = lambda k: training.init_state(k, training.init_params(k, cell, task, 12, recurrent_init="orthogonal"), adam)
  run = lambda k: jax.lax.scan(lambda s, _: step(s), init(k), None, length=400)
  keys = jax.random.split(key, 2)
  together, info = jax.jit(jax.vmap(run))(keys)
  _, first = jax.jit(run)(keys[0])
  np.testing.assert_allclose(info.loss[0, :20], first.loss[:20], rtol=1e-2, atol=1e-3)
  scores = jax.vmap(lambda p: training.evaluate(cell, task, p, key, 500)[1])(together.params)
  assert np.all(scores < task.baseline / 5)


@pytest.mark.parametrize(
  "kind", ["full", "omega", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("truncated", "floss"))]
)
def test_an_update_lowers_for_every_platform(kind, key):
  cell, params = net("lstm", key)
  gradient = {
    "full": training.full_gradient(cell, TASK),
    "truncated": training.truncated_gradient(cell, TASK, 2, 4),
    "omega": training.omega_gradient(cell, TASK, 1.0),
    "floss": training.flossing_gradient(cell, 2),
  }[kind]
  adam = training.optimizer("adam", 1e-3)
  state = training.init_state(key, params, adam)
  step = training.train_step(gradient, TASK, adam, training.clipping("global_norm", 1.0), 4)
  as_data = jax.random.key_data(state.key)
  update = lambda data, rest: step(rest._replace(key=jax.random.wrap_key_data(data)))[0].params
  export.export(jax.jit(update), platforms=PLATFORMS)(as_data, state._replace(key=jnp.zeros(())))


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (partial(training.optimizer, "adem", 0.1), "Optimiser 'adem' is unknown; choose one of"),
    (partial(training.optimizer, "adam", 0.0), "The learning rate is 0.0; it must be finite and above 0."),
    (partial(training.clipping, "norm", 1.0), "Clipping 'norm' is unknown; choose one of none, global_norm, value"),
    (partial(training.clipping, "value", 0.0), "The gradient is to be clipped at 0.0; a threshold must be above 0."),
    (partial(training.clipping, "global_norm", float("nan")), "a threshold must be above 0"),
    (partial(get_task, "addition", 10), "Task 'addition' is unknown; choose one of adding"),
  ],
)
def test_what_cannot_be_is_named(call, message):
  with pytest.raises(ValueError, match=message):
    call()
