"""Fixed and slow points against closed forms, bisection, and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests.nets import random_net


def one_unit(weight, bias=0.0, dtype=np.float64):
  """tanh(w S + b)."""
  cell = rl.rnn()
  params = cell.init(jax.random.key(0), 1, 1, dtype=dtype)
  return cell, params._replace(recurrent_kernel=jnp.full((1, 1), weight, dtype), bias=jnp.full((1,), bias, dtype))


def bisect(function, low, high):
  for _ in range(200):
    middle = (low + high) / 2
    low, high = (middle, high) if function(middle) * function(high) <= 0 else (low, middle)
  return middle


def of_points(found, values):
  return np.asarray(values)[found.unique]


def test_a_contracting_net_has_only_zero(key, x64):
  cell, params, _ = random_net("rnn", key, hidden=12, dtype=np.float64)
  kernel = 0.9 * params.recurrent_kernel / jnp.linalg.norm(params.recurrent_kernel, 2)
  params = params._replace(recurrent_kernel=kernel, bias=0 * params.bias)
  found = rl.fixed_points(cell, params, jnp.zeros(3), 20, spread=2.0)
  np.testing.assert_array_equal(found.status, ["fixed"] * 20)
  np.testing.assert_array_equal(found.labels, np.zeros(20))
  np.testing.assert_allclose(found.states, np.zeros((20, 12)), atol=1e-10)
  moduli = np.sort(np.abs(np.linalg.eigvals(np.asarray(kernel))))[::-1]
  np.testing.assert_allclose(np.abs(found.eigenvalues), np.tile(moduli, (20, 1)), rtol=1e-8)
  assert np.all(found.speed < 1e-24)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_pitchfork_of_one_unit(dtype):
  """S = tanh(2 S) at 0 and ±S*, with the eigenvalues 2 and 2 (1 - S*²)."""
  star = bisect(lambda s: np.tanh(2 * s) - s, 0.5, 1.0)
  with jax.enable_x64(dtype == np.float64):
    cell, params = one_unit(2.0, dtype=dtype)
    found = rl.fixed_points(cell, params, jnp.zeros(1, dtype), jnp.linspace(-1.5, 1.5, 31, dtype=dtype)[:, None])
  np.testing.assert_array_equal(found.status, ["fixed"] * 31)
  states, order = of_points(found, found.states)[:, 0], np.argsort(of_points(found, found.states)[:, 0])
  rtol = 1e-5 if dtype == np.float32 else 1e-12
  np.testing.assert_allclose(states[order], [-star, 0, star], rtol=rtol, atol=rtol)
  slope = 2 * (1 - star**2)
  np.testing.assert_allclose(of_points(found, found.eigenvalues)[order, 0], [slope, 2, slope], rtol=10 * rtol)
  np.testing.assert_allclose(np.asarray(found.states)[:, 0], states[found.labels], atol=1e-3)
  np.testing.assert_array_equal(found.labels[found.unique], np.arange(3))


def test_the_ghost_of_a_pair_of_points_is_slow(x64):
  """Just past the fold of tanh(2 S + b), q has a minimum where 2 (1 - tanh²) = 1, and one fixed point remains."""
  touch = np.arctanh(0.5**0.5)
  fold = touch - 2 * np.tanh(touch)
  speed = lambda bias: 0.5 * (np.tanh(touch) - (touch - bias) / 2) ** 2
  bias = fold - 1e-3
  cell, params = one_unit(2.0, bias)
  found = rl.fixed_points(cell, params, jnp.zeros(1), jnp.array([[0.9], [0.6], [-1.0]]))
  np.testing.assert_array_equal(found.status, ["slow", "slow", "fixed"])
  np.testing.assert_array_equal(found.labels, [0, 0, 1])
  np.testing.assert_allclose(found.states[0, 0], (touch - bias) / 2, atol=1e-3)
  np.testing.assert_allclose(found.speed[:2], speed(bias), rtol=1e-3)
  np.testing.assert_allclose(found.eigenvalues[:2], 1, atol=1e-2)
  strict = rl.fixed_points(cell, params, jnp.zeros(1), jnp.array([[0.9]]), slow_speed=speed(bias) / 2)
  np.testing.assert_array_equal(strict.status, ["none"])


def test_nothing_to_find_is_said():
  """S + 1 never stands still."""
  cell = rl.Cell(
    init=lambda key, inputs, hidden: jnp.zeros((inputs, hidden)),
    initial_state=lambda params, batch_shape=(): jnp.zeros((*batch_shape, 2)),
    step=lambda params, s, x: (s + 1, s),
  )
  found = rl.fixed_points(cell, jnp.zeros((1, 2)), jnp.zeros(1), 3)
  np.testing.assert_array_equal(found.status, ["none"] * 3)
  np.testing.assert_array_equal(found.labels, [-1] * 3)
  assert found.unique.size == 0
  assert np.all(np.isnan(found.eigenvalues))
  np.testing.assert_allclose(found.speed, 1.0, rtol=1e-5)


def test_a_bistable_lstm(x64):
  """One unit that feeds its cell: (1 - f) c = i tanh(w o tanh c), at 0 and on both sides."""
  cell, weight, gate, forget = rl.lstm(), 2.0, 1 / (1 + np.exp(-5.0)), 0.5
  params = cell.init(jax.random.key(0), 1, 1, dtype=np.float64)
  params = params._replace(
    recurrent_kernel=jnp.array([[0.0, 0.0, weight, 0.0]]),
    bias=jnp.array([5.0, 0.0, 0.0, 5.0]),
    input_kernel=jnp.zeros((1, 4)),
  )
  balance = lambda c: gate * np.tanh(weight * gate * np.tanh(c)) - (1 - forget) * c
  star = bisect(balance, 0.5, 4.0)
  found = rl.fixed_points(cell, params, jnp.zeros(1), 40, key=jax.random.key(3), spread=2.0)
  np.testing.assert_array_equal(found.status, ["fixed"] * 40)
  cells = of_points(found, found.states.cell)[:, 0]
  order = np.argsort(cells)
  np.testing.assert_allclose(cells[order], [-star, 0, star], atol=1e-9)
  np.testing.assert_allclose(
    of_points(found, found.states.hidden)[order, 0], gate * np.tanh([-star, 0, star]), atol=1e-9
  )
  # In closed form the eigenvalues are 0 and the slope of c -> f c + i tanh(w o tanh c).
  slope = lambda c: forget + gate * weight * gate / np.cosh(c) ** 2 / np.cosh(weight * gate * np.tanh(c)) ** 2
  expected = np.array([[slope(c), 0] for c in (-star, 0, star)])
  np.testing.assert_allclose(of_points(found, found.eigenvalues)[order], expected, atol=1e-8)
  assert slope(0) > 1 > slope(star)


def test_a_constant_input_moves_the_points(key, x64):
  """A trained-like GRU with input: every fixed end is mapped to itself by the cell."""
  cell, params, xs = random_net("gru", key, hidden=4, dtype=np.float64, recurrent_gain=2.0)
  found = rl.fixed_points(cell, params, xs[0], 16)
  fixed = found.status == "fixed"
  assert fixed.any()
  after, _ = cell.step(params, found.states, jnp.tile(xs[0], (16, 1)))
  np.testing.assert_allclose(after[fixed], found.states[fixed], atol=1e-11)


@pytest.mark.parametrize(
  ("x", "options", "words"),
  [
    (jnp.zeros((2, 3)), {}, r"x has shape \(2, 3\); a constant input is one vector"),
    (jnp.zeros(4), {}, "x has 4 inputs; these params take 3"),
    (jnp.zeros(3), {"starts": 0}, "starts is 0; the search needs at least one"),
    (jnp.zeros(3), {"starts": jnp.zeros((0, 5))}, "starts has leading axes"),
    (jnp.zeros(3), {"starts": jnp.zeros((2, 4))}, "does not fit"),
    (jnp.zeros(3), {"iterations": 0}, "iterations is 0"),
    (jnp.zeros(3), {"spread": -1.0}, "spread is -1.0"),
    (jnp.zeros(3), {"slow_speed": np.nan}, "slow_speed is nan"),
    (jnp.zeros(3), {"distance": np.inf}, "distance is inf"),
  ],
)
def test_impossible_values_are_named(x, options, words, key):
  cell, params, _ = random_net("rnn", key)
  with pytest.raises(ValueError, match=words):
    rl.fixed_points(cell, params, x, **options)
