"""Scans and Newton's method against the plain loop, in value and in both modes of differentiation."""

from functools import partial
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests import linear_cells
from tests.nets import ATLAS, by_default, random_net

LINEAR = [name for name in ATLAS if rl.CELLS[name].transition is not None]


def close(rtol):
  return partial(np.testing.assert_allclose, rtol=rtol, atol=rtol)


def value_and_slopes(run, params, xs):
  """`(outputs, slopes by reverse mode, slope along the params by forward mode)` of a weighted sum of outputs."""

  def loss(params, xs):
    outputs = run(params, xs)
    return jnp.sum(jnp.cos(jnp.arange(outputs.size)).reshape(outputs.shape) * outputs), outputs

  @jax.jit
  def measure(params, xs):
    slopes, outputs = jax.grad(loss, argnums=(0, 1), has_aux=True)(params, xs)
    return outputs, slopes, jax.jvp(lambda p: loss(p, xs)[0], (params,), (params,))[1]

  return measure(params, xs)


@pytest.mark.parametrize("name", by_default(("diagonal", "low rank"), linear_cells.CELLS, pytest.mark.exhaustive))
@pytest.mark.usefixtures("x64")
def test_a_scan_is_the_loop_at_ten_thousand_steps(name, key):
  """Outputs and slopes in both modes; a batch at few steps."""
  cell, params, xs = linear_cells.net(name, key, steps=10_000, dtype=jnp.float64)
  loop = value_and_slopes(lambda p, xs: rl.unroll(cell, p, xs)[1], params, xs)
  scan = value_and_slopes(lambda p, xs: rl.scan_unroll(cell, p, xs)[1], params, xs)
  jax.tree.map(close(1e-8), scan, loop)
  batch = jnp.stack([xs[:7], xs[7:14]], axis=1)
  jax.tree.map(close(1e-10), rl.scan_unroll(cell, params, batch), rl.unroll(cell, params, batch))


@pytest.mark.parametrize(
  ("name", "method"),
  [("rnn", "newton"), ("gru", "quasi"), pytest.param("lstm", "newton", marks=pytest.mark.slow)],
)
@pytest.mark.usefixtures("x64")
def test_newton_is_the_loop_at_ten_thousand_steps(name, method, key):
  """A contracting net settles in few iterations, and its slopes in both modes are those of the loop."""
  cell, params, xs = random_net(name, key, steps=10_000, hidden=3, dtype=np.float64, recurrent_gain=0.6)
  newton = partial(rl.newton_unroll, cell, method=method, tolerance=1e-11)
  loop = value_and_slopes(lambda p, xs: rl.unroll(cell, p, xs)[1], params, xs)
  jax.tree.map(close(1e-7), value_and_slopes(lambda p, xs: newton(p, xs).outputs, params, xs), loop)
  run = newton(params, xs)
  jax.tree.map(close(1e-8), run.state, rl.unroll(cell, params, xs)[0])
  assert 2 < run.iterations < 100
  assert run.change <= 1e-11


@pytest.mark.usefixtures("x64")
def test_an_expanding_net_takes_as_many_iterations_as_steps_at_most(key):
  """Each iteration makes one more state exact, so the bound of T iterations always suffices."""
  cell, params, xs = random_net("rnn", key, steps=40, hidden=8, dtype=np.float64, recurrent_gain=6)
  run = rl.newton_unroll(cell, params, xs, tolerance=0.0)
  np.testing.assert_allclose(run.outputs, rl.unroll(cell, params, xs)[1], rtol=1e-9, atol=1e-9)
  short = rl.newton_unroll(cell, params, xs, max_iterations=3)
  assert short.iterations == 3
  assert short.change > 1e-5
  np.testing.assert_allclose(short.outputs[:3], run.outputs[:3], rtol=1e-9)


def test_newton_solves_a_linear_cell_in_one_step(key):
  """The first iteration is exact, and the second sees that nothing moves."""
  run = rl.newton_unroll(*linear_cells.net("diagonal", key, steps=100))
  assert run.iterations == 2


def test_bad_input_is_named(key):
  gru, linear = random_net("gru", key), linear_cells.net("dense", key)
  with pytest.raises(ValueError, match="no transition, so it is not linear in its state"):
    rl.scan_unroll(*gru)
  with pytest.raises(ValueError, match="method 'secant' is unknown; choose one of newton, quasi"):
    rl.newton_unroll(*gru, method="secant")
  with pytest.raises(ValueError, match="max_iterations is 0; it must be at least 1"):
    rl.newton_unroll(*gru, max_iterations=0)
  cell, params, xs = linear
  with pytest.raises(ValueError, match=r"newton_unroll takes one example \[T, I\]"):
    inspect.unwrap(rl.newton_unroll)(cell, params, xs[:, None])


@pytest.mark.slow
@pytest.mark.parametrize("name", LINEAR)
def test_cells_of_the_atlas_run_as_scans(name, key):
  cell, params, xs = random_net(name, key, steps=64, hidden=4)
  jax.tree.map(close(2e-4), rl.scan_unroll(cell, params, xs)[1], rl.unroll(cell, params, xs)[1])


@pytest.mark.parametrize("run", [rl.unroll, rl.newton_unroll, rl.lyapunov_spectrum])
def test_a_complex_state_is_refused(run, key):
  cell, params, xs = random_net("mgu", key)
  with pytest.raises(ValueError, match=r"The state is complex64 \(5,\); states are real"):
    run(cell, params, xs, jnp.zeros(5, jnp.complex64))
