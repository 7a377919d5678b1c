"""The gathered reverse pass gives what the plain one gives."""

from functools import partial

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests.nets import CLASSICS, EVERY_CELL, random_net

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
def test_one_step_is_the_first_and_the_last(name, key, rng):
  """The row that is read ahead does not exist."""
  cell, params, _ = random_net(name, key, dtype=np.float64)
  xs = jnp.asarray(rng.normal(size=(1, 4, 3)))
  state = cell.initial_state(params, (4,))
  jax.tree.map(close, *(gradients(run, cell, params, xs, state) for run in (rl.reverse_unroll, rl.unroll)))


def test_the_parts_of_all_steps_are_in_memory_once(key):
  """The products of the inputs become the affine parts, which become the δ_t."""
  cell, params, _ = random_net("lstm", key)
  xs, hidden = jnp.ones((500, 4, 3)), params.bias.size // 4
  loss = lambda params: jnp.sum(rl.reverse_unroll(cell, params, xs)[1] ** 2)
  needed = jax.jit(jax.grad(loss)).lower(params).compile().memory_analysis().temp_size_in_bytes
  # a_t [4H], h_t and c_t [2H], outputs and their cotangents [2H].
  assert needed < 1.3 * 500 * 4 * 8 * hidden * 4


def test_the_halves_of_a_cell_are_its_step(key):
  """A cell without halves has a product between its nonlinearities; all others are joined from theirs."""
  assert {name for name in CLASSICS if rl.CELLS[name].halves is None} == {"gru_reset_before", "hopfield"}
  for name, cell in rl.CELLS.items():
    _, params, xs = random_net(name, key, hidden=4)
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
