"""Ω and flossing against dense Jacobians, NumPy loops and finite differences."""

import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.training.regularizers import adjoints, flossing, omega
from tests.nets import by_default, random_net

CELLS = ["rnn", "lstm", "gru"]


def net_with_readout(name, key, batch=3):
  cell, params, _ = random_net(name, key, dtype=np.float64)
  k_readout, k_inputs = jax.random.split(key)
  xs = jax.random.normal(k_inputs, (8, batch, 3), jnp.float64)
  return cell, rl.WithReadoutParams(params, rl.init_readout(k_readout, 5, 2, jnp.float64)), xs


def squared_loss(params, outputs):
  return jnp.mean((rl.readout(params.readout, outputs) - 0.4) ** 2)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", by_default(("gru",), CELLS))
def test_one_backward_pass_gives_gradient_and_adjoints(name, key):
  cell, params, xs = net_with_readout(name, key)
  value, gradient, states, adjoint = adjoints(squared_loss, cell, params, xs)
  expected, expected_gradient = jax.value_and_grad(lambda p: squared_loss(p, rl.unroll(cell, p.cell, xs)[1]))(params)
  np.testing.assert_allclose(value, expected, rtol=1e-12)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), gradient, expected_gradient)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b[:-1], atol=1e-12), states, rl.trajectory(cell, params.cell, xs)
  )
  # The lab's own recursion knows ‖∂L/∂S_k‖ of one example.
  one = xs[:, 0]
  _, _, _, adjoint = adjoints(squared_loss, cell, params, one)
  norms = jnp.log(jnp.linalg.norm(jax.vmap(lambda a: ravel_pytree(a)[0])(adjoint), axis=-1))
  loss = lambda outputs: squared_loss(params, outputs)
  np.testing.assert_allclose(norms, rl.adjoint_log_norms(loss, cell, params.cell, one)[1:], atol=1e-9)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", CELLS)
def test_omega_is_the_formula_with_dense_jacobians(name, key):
  cell, params, xs = net_with_readout(name, key)
  _, _, states, adjoint = adjoints(squared_loss, cell, params, xs)
  flat = jax.vmap(jax.vmap(lambda a: ravel_pytree(a)[0]))(adjoint)
  terms = []
  for b in range(xs.shape[1]):
    jacobians = np.asarray(rl.state_jacobians(cell, params.cell, xs[:, b]))
    for k in range(len(xs)):
      a = np.asarray(flat[k, b])
      terms.append((np.linalg.norm(a @ jacobians[k]) / np.linalg.norm(a) - 1) ** 2)
  np.testing.assert_allclose(omega(cell, params.cell, states, xs, adjoint), np.mean(terms), rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_omega_of_an_isometry_is_zero_and_its_gradient_that_of_the_held_quantities(key):
  """For a linear orthogonal net every ratio is 1; scaled by g it is (g - 1)², whose slope in g is 2 (g - 1)."""
  cell = rl.rnn("identity")
  params = cell.init(key, 3, 6, recurrent_init="orthogonal", dtype=jnp.float64)
  xs = jax.random.normal(key, (7, 2, 3), jnp.float64)
  both = rl.WithReadoutParams(params, rl.init_readout(key, 6, 2, jnp.float64))

  def scaled(gain):
    changed = both._replace(cell=params._replace(recurrent_kernel=gain * params.recurrent_kernel))
    _, _, states, adjoint = adjoints(squared_loss, cell, changed, xs)
    return omega(cell, changed.cell, jax.lax.stop_gradient(states), xs, jax.lax.stop_gradient(adjoint))

  assert scaled(1.0) < 1e-20
  np.testing.assert_allclose(scaled(1.3), 0.3**2, rtol=1e-9)
  np.testing.assert_allclose(jax.grad(scaled)(1.3), 2 * 0.3, rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_omega_leaves_out_what_has_no_adjoint(key):
  """If all adjoints are 0 there is nothing to average, and the gradient has no NaN."""
  cell, params, xs = net_with_readout("rnn", key)
  _, _, states, adjoint = adjoints(squared_loss, cell, params, xs)
  nothing = jax.tree.map(jnp.zeros_like, adjoint)
  value, slope = jax.value_and_grad(omega, argnums=1)(cell, params.cell, states, xs, nothing)
  assert value == 0
  assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(slope))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
  ("name", "interval"), [("rnn", 1), pytest.param("lstm", 1, marks=pytest.mark.slow), ("gru", 4)]
)
def test_flossing_is_the_mean_square_of_the_exponents(name, interval, key):
  cell, params, xs = random_net(name, key, steps=24, dtype=np.float64)
  exponents = rl.lyapunov_spectrum(cell, params, xs, k=3, interval=interval, blocks=1).exponents
  np.testing.assert_allclose(
    flossing(cell, params, xs, k=3, interval=interval), np.mean(np.asarray(exponents) ** 2), rtol=1e-8
  )


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", by_default(("lstm",), CELLS))
def test_flossing_differentiates_through_the_qr(name, key):
  cell, params, xs = random_net(name, key, steps=12, dtype=np.float64)
  flat, unravel = ravel_pytree(params)
  f = jax.jit(lambda p: flossing(cell, unravel(p), xs, k=2))
  direction = jax.random.normal(key, flat.shape)
  slope = jax.grad(f)(flat) @ direction
  h = 1e-6
  np.testing.assert_allclose(slope, (f(flat + h * direction) - f(flat - h * direction)) / (2 * h), rtol=1e-4, atol=1e-7)


def test_descent_on_flossing_brings_the_exponents_to_zero(key):
  """The point of it: λ₁ and λ₂ of a contracting net end near 0."""
  cell = rl.rnn()
  params = cell.init(key, 3, 12, recurrent_gain=0.3)
  xs = 0.3 * jax.random.normal(key, (40, 3))
  gradient = jax.jit(jax.value_and_grad(lambda p: flossing(cell, p, xs, k=2, interval=4)))
  first, _ = gradient(params)
  for _ in range(200):
    value, slope = gradient(params)
    params = jax.tree.map(lambda p, g: p - 0.1 * g, params, slope)
  assert first > 0.3
  assert value < 0.02


def test_what_does_not_fit_is_named(key):
  cell, params, xs = random_net("rnn", key)
  with pytest.raises(ValueError, match="k is 6; it must lie between 1 and the 5 directions"):
    flossing(cell, params, xs, k=6)
  with pytest.raises(ValueError, match="interval is 3; it must divide the 8 steps"):
    flossing(cell, params, xs, k=1, interval=3)
