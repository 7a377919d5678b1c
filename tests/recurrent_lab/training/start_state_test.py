"""The gradient of a start state under truncated BPTT is that of the windows that begin with it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests.nets import random_net

STEPS = 12


def of_windows(cell, params, xs, state, weights, k1, k2):
  """Loss by loss: outputs of windows that reach back to step 0 see S_0, each as plain BPTT has it."""
  seen = min(k2 // k1 * k1, STEPS) if k2 < STEPS else STEPS
  loss = lambda s: jnp.sum(weights[:seen] * rl.unroll(cell, params, xs[:seen], s)[1])
  return jax.grad(loss)(state)


@pytest.mark.parametrize("name", ["lstm", *(pytest.param(name, marks=pytest.mark.slow) for name in ("rnn", "gru"))])
@pytest.mark.usefixtures("x64")
def test_given_state(name, key):
  cell, params, xs = random_net(name, key, steps=STEPS, dtype=np.float64)
  weights = jax.random.normal(key, (STEPS, 5))
  state = jax.tree.map(lambda s: s + 0.3, cell.initial_state(params))
  for k1, k2 in ((STEPS, STEPS), (1, 1), (2, 5), (3, 6), (4, 30)):
    loss = lambda s: jnp.sum(weights * rl.truncated_unroll(cell, params, xs, s, k1=k1, k2=k2))  # noqa: B023
    found, expected = jax.grad(loss)(state), of_windows(cell, params, xs, state, weights, k1, k2)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), found, expected)
    assert max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(found)) > 1e-6


@pytest.mark.usefixtures("x64")
def test_learned_state_by_central_differences(key):
  inner, params, xs = random_net("gru", key, steps=STEPS, dtype=np.float64)
  cell = rl.learned_state(rl.stack(inner))
  weights = jax.random.normal(key, (STEPS, 2, 5))
  xs = jnp.stack([xs, 0.5 * xs], axis=1)  # a batch shares the state
  start = rl.LearnedStateParams((params,), (jnp.linspace(-0.5, 0.5, 5),))
  loss = lambda p: jnp.sum(weights * rl.truncated_unroll(cell, p, xs, k1=STEPS, k2=STEPS))
  full = lambda s: float(jnp.sum(weights * rl.unroll(cell, start._replace(state=(s,)), xs)[1]))
  found = jax.grad(loss)(start).state[0]
  step = 1e-5
  differences = [(full(start.state[0] + e) - full(start.state[0] - e)) / (2 * step) for e in step * np.eye(5)]
  np.testing.assert_allclose(found, differences, rtol=1e-6, atol=1e-8)
