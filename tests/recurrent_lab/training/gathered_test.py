"""The gathered reverse pass gives what the plain one gives."""

from functools import partial

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.training import gathered
from tests.nets import EVERY_CELL, random_net

close = partial(np.testing.assert_allclose, rtol=1e-10, atol=1e-11)


def gradients(run, cell, params, xs, state):
  """Value and gradients, with respect to everything, of a loss that sees every output and the last state."""

  def loss(params, xs, state):
    final, outputs = run(cell, params, xs, state)
    weights = jnp.cos(jnp.arange(outputs.size)).reshape(outputs.shape)
    return jnp.sum(weights * outputs**2) + sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(final))

  return jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2)))(params, xs, state)


@pytest.mark.parametrize("name", EVERY_CELL)
@pytest.mark.usefixtures("x64")
def test_values_and_gradients_are_those_of_the_plain_scan(name, key, rng):
  cell, params, _ = random_net(name, key, dtype=np.float64)
  xs = jnp.asarray(rng.normal(size=(7, 2, 4, 3)))  # [T, ..., I]
  state = jax.tree.map(lambda s: jnp.asarray(rng.normal(size=s.shape)), cell.initial_state(params, (2, 4)))
  jax.tree.map(close, *(gradients(run, cell, params, xs, state) for run in (rl.reverse_unroll, rl.unroll)))


@pytest.mark.parametrize("name", ["lstm", "gru", "indrnn"])
@pytest.mark.usefixtures("x64")
def test_many_results_are_written_over_what_they_come_from(name, key, rng, monkeypatch):
  """One step, where the row that is read ahead does not exist, and several."""
  monkeypatch.setattr(gathered, "MANY", 1)
  for steps in (1, 6):
    cell, params, _ = random_net(name, key, dtype=np.float64)
    xs = jnp.asarray(rng.normal(size=(steps, 4, 3)))
    state = cell.initial_state(params, (4,))
    jax.tree.map(close, *(gradients(run, cell, params, xs, state) for run in (rl.reverse_unroll, rl.unroll)))


def test_no_second_array_of_that_size_is_made(key, monkeypatch):
  cell, params, _ = random_net("lstm", key)
  xs = jnp.ones((50, 4, 3))
  loss = lambda params: jnp.sum(rl.reverse_unroll(cell, params, xs)[1] ** 2)

  def temporary_bytes(many):
    monkeypatch.setattr(gathered, "MANY", many)
    jax.clear_caches()  # what was traced with another value
    return jax.jit(lambda params: jax.grad(loss)(params)).lower(params).compile().memory_analysis().temp_size_in_bytes

  one_array = 50 * 4 * params.bias.size * 4
  assert temporary_bytes(2**22) - temporary_bytes(1) > 0.8 * one_array


@pytest.mark.parametrize("name", ["lstm", "gru"])
@pytest.mark.usefixtures("x64")
def test_wide_inputs_are_multiplied_before_the_loop(name, key, rng):
  cell, params, xs = random_net(name, key, inputs=gathered.WIDE, dtype=np.float64)
  state = cell.initial_state(params)
  jax.tree.map(close, *(gradients(run, cell, params, xs, state) for run in (rl.reverse_unroll, rl.unroll)))


def test_the_halves_of_a_cell_are_its_step(key):
  """A cell without halves has a product between its nonlinearities; all others are joined from theirs."""
  assert {name for name, cell in rl.CELLS.items() if cell.halves is None} == {"gru_reset_before", "hopfield"}
  for name, cell in rl.CELLS.items():
    _, params, xs = random_net(name, key)
    if cell.halves is not None:
      s = cell.initial_state(params)
      new, output = cell.step(params, s, xs[0])
      joined, same = cell.halves.pointwise(params, s, cell.halves.affine(params, s, xs[0]))
      jax.tree.map(np.testing.assert_array_equal, (new, output), (joined, same))


def test_nets_under_vmap_are_nets_alone(key):
  cell, params, xs = random_net("lstm", key)
  both = jax.tree.map(lambda p: jnp.stack([p, 2 * p]), params)
  loss = lambda p: jnp.sum(rl.reverse_unroll(cell, p, xs)[1] ** 2)
  together = jax.vmap(jax.grad(loss))(both)
  for i, scale in enumerate((1, 2)):
    alone = jax.grad(loss)(jax.tree.map(lambda p, scale=scale: scale * p, params))
    jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(a[i], b, rtol=1e-4, atol=1e-5), together, alone)


def test_forward_mode_is_refused(key):
  cell, params, xs = random_net("rnn", key)
  with pytest.raises(TypeError, match="forward-mode"):
    jax.jvp(lambda p: rl.reverse_unroll(cell, p, xs)[1], (params,), (params,))


def test_what_does_not_fit_is_named(key):
  cell, params, xs = random_net("rnn", key)
  with pytest.raises(ValueError, match="xs has 2 inputs per step; these params take 3"):
    rl.reverse_unroll(cell, params, xs[:, :2])


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_gradient_lowers_for_every_platform(name):
  cell = rl.get_cell(name)
  params = jax.eval_shape(lambda key: cell.init(key, 3, 8), jax.random.key(0))
  gradient = jax.grad(lambda params, xs: jnp.sum(rl.reverse_unroll(cell, params, xs)[1] ** 2))
  xs = jax.ShapeDtypeStruct((10, 2, 3), jnp.float32)
  export.export(jax.jit(gradient), platforms=["cpu", "cuda", "rocm", "tpu"])(params, xs)
