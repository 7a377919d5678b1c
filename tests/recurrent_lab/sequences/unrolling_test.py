"""Segments change memory, not numbers; what does not fit is named."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests.nets import random_net


@pytest.mark.parametrize("segment", [1, 4, 12, 50])
def test_segments_give_the_values_and_gradients_of_the_plain_scan(segment, key):
  cell, params, xs = random_net("lstm", key)
  loss = lambda params, **options: jnp.sum(rl.unroll(cell, params, xs, **options)[1] ** 2)
  plain, segmented = jax.value_and_grad(loss)(params), jax.value_and_grad(lambda p: loss(p, segment=segment))(params)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), plain, segmented)
  a, b = rl.unroll(cell, params, xs)[0], rl.unroll(cell, params, xs, segment=segment)[0]
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7), a, b)


def test_segments_save_memory(key):
  """A reverse pass over 4096 steps keeps less than a quarter of the plain scan's temporaries."""
  cell, params, _ = random_net("lstm", key, hidden=32)
  xs = jnp.zeros((4096, 3))
  loss = lambda params, segment: jnp.sum(rl.unroll(cell, params, xs, segment=segment)[1][-1])
  used = [
    jax.jit(jax.grad(lambda p, segment=segment: loss(p, segment)))
    .lower(params)
    .compile()
    .memory_analysis()
    .temp_size_in_bytes
    for segment in (None, 64)
  ]
  assert used[1] < used[0] / 4


def test_trajectory_holds_every_state(key):
  cell, params, xs = random_net("lstm", key)
  states = rl.trajectory(cell, params, xs)
  assert states.hidden.shape == states.cell.shape == (9, 5)
  final, outputs = rl.unroll(cell, params, xs)
  np.testing.assert_array_equal(states.hidden[1:], outputs)
  np.testing.assert_array_equal(states.cell[-1], final.cell)
  np.testing.assert_array_equal(states.hidden[0], np.zeros(5))


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda run, xs: run(xs[:, :2]), "xs has 2 inputs per step; these params take 3"),
    (lambda run, xs: run(xs[0]), r"xs has shape \(3,\); a sequence is \[T, ..., I\]"),
    (lambda run, xs: run(xs[:0]), r"xs has shape \(0, 3\); .* at least one step"),
    (
      lambda run, xs: run(xs, jnp.zeros(7)),
      r"The state .*\(7,\).* does not fit inputs of shape .*; the cell's own is .*\(5,\)",
    ),
    (lambda run, xs: run(xs, segment=0), "segment is 0; it must be at least 1"),
  ],
)
def test_what_does_not_fit_is_named(call, message, key):
  cell, params, xs = random_net("rnn", key)
  cell = cell._replace(step=inspect.unwrap(cell.step))  # the library's own words, not those of the shape checker
  unroll = inspect.unwrap(rl.unroll)
  with pytest.raises(ValueError, match=message):
    call(lambda xs, *rest, **options: unroll(cell, params, xs, *rest, **options), xs)


def test_a_step_that_changes_its_state_is_named():
  growing = rl.Cell(lambda k, i, h: (), lambda p, batch_shape=(): jnp.zeros(2), lambda p, s, x: (jnp.append(s, x), s))
  with pytest.raises(ValueError, match="A step must keep the shape and dtype of the state, but turns"):
    rl.unroll(growing, (), jnp.ones((3, 1)))


def truncated_by_hand(cell, params, xs, weights, k1, k2):
  """ΣL_t and its truncated gradient, window by window: what lies before a window is a constant."""
  states = rl.trajectory(cell, params, xs)
  value, gradient = 0.0, jax.tree.map(jnp.zeros_like, params)
  for end in range(k1, len(xs) + k1, k1):
    first, last = max(0, end - k2), min(end, len(xs))

    def window(p, first=first, last=last, end=end):
      _, outputs = rl.unroll(cell, p, xs[first:last], jax.tree.map(lambda s: s[first], states))
      return jnp.sum((weights[first:last] * outputs)[end - k1 - first :])

    v, g = jax.value_and_grad(window)(params)
    value, gradient = value + v, jax.tree.map(jnp.add, gradient, g)
  return value, gradient


@pytest.mark.parametrize(
  ("name", "k1", "k2"),
  [pytest.param("lstm", 1, 4, marks=pytest.mark.slow), ("rnn", 3, 3), ("lstm", 5, 7), ("rnn", 4, 50)],
)
def test_truncated_bptt_is_the_sum_of_its_windows(name, k1, k2, key):
  cell, params, xs = random_net(name, key, steps=12)
  weights = jax.random.normal(key, (12, 5))
  loss = lambda p: jnp.sum(weights * rl.truncated_unroll(cell, p, xs, k1=k1, k2=k2))
  value, gradient = jax.value_and_grad(loss)(params)
  expected, expected_gradient = truncated_by_hand(cell, params, xs, weights, k1, k2)
  np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), gradient, expected_gradient)


def test_a_window_over_the_whole_sequence_is_full_bptt(key):
  cell, params, xs = random_net("gru", key)
  outputs = rl.truncated_unroll(cell, params, xs, k1=8, k2=8)
  np.testing.assert_allclose(outputs, rl.unroll(cell, params, xs)[1], rtol=1e-5, atol=1e-6)
  truncated = jax.grad(lambda p: jnp.sum(rl.truncated_unroll(cell, p, xs, k1=8, k2=8) ** 2))(params)
  full = jax.grad(lambda p: jnp.sum(rl.unroll(cell, p, xs)[1] ** 2))(params)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), truncated, full)


@pytest.mark.parametrize(("k1", "k2"), [(0, 3), (4, 3)])
def test_truncation_that_does_not_fit_is_named(k1, k2, key):
  cell, params, xs = random_net("rnn", key)
  with pytest.raises(ValueError, match=f"k1 = {k1} and k2 = {k2}; it needs 1 ≤ k1 ≤ k2"):
    rl.truncated_unroll(cell, params, xs, k1=k1, k2=k2)
