"""A stack is a cell whose layers can be run one after the other, and every measurement takes it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests.nets import by_default, random_net


def layers(key):
  """An LSTM of 5 units below a GRU of 5 units."""
  keys = jax.random.split(key)
  lower, p_lower, xs = random_net("lstm", keys[0])
  upper, p_upper, _ = random_net("gru", keys[1], inputs=5)
  return (lower, p_lower), (upper, p_upper), xs


def test_a_stack_runs_its_layers_one_after_the_other(key):
  (lower, p_lower), (upper, p_upper), xs = layers(key)
  final, outputs = rl.unroll(rl.stack(lower, upper), (p_lower, p_upper), xs)
  final_lower, between = rl.unroll(lower, p_lower, xs)
  final_upper, expected = rl.unroll(upper, p_upper, between)
  np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), final, (final_lower, final_upper))


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_the_jacobian_is_block_triangular_with_the_layers_on_its_diagonal(key):
  (lower, p_lower), (upper, p_upper), xs = layers(key)
  jacobians = rl.state_jacobians(rl.stack(lower, upper), (p_lower, p_upper), xs)
  _, between = rl.unroll(lower, p_lower, xs)
  np.testing.assert_allclose(jacobians[:, :10, :10], rl.state_jacobians(lower, p_lower, xs), atol=1e-6)
  np.testing.assert_allclose(jacobians[:, 10:, 10:], rl.state_jacobians(upper, p_upper, between), atol=1e-6)
  assert np.all(jacobians[:, :10, 10:] == 0)
  assert np.any(jacobians[:, 10:, :10] != 0)


@pytest.mark.slow
def test_a_stack_gets_every_measurement(key):
  cell = rl.stack(rl.get_cell("lstm"), rl.get_cell("gru"))
  params = cell.init(key, 3, 5, forget_bias=1.0)
  assert params[1].input_kernel.shape == (5, 15)
  xs = jax.random.normal(key, (9, 3))
  assert np.all(np.isfinite(rl.lyapunov_spectrum(cell, params, xs, k=3).exponents))
  assert np.isfinite(rl.adjoint_log_norms(lambda outputs: jnp.sum(outputs**2), cell, params, xs)).all()
  names = set(rl.activities(cell, params, xs))
  assert names == {
    *(f"{gate} 1" for gate in ("input", "forget", "candidate", "output", "cell")),
    "reset 2",
    "update 2",
    "candidate 2",
  }


# What a combination puts out, as a function of its params and its new state, written down by hand.
LOGITS = lambda p, h: h @ p.readout.kernel + p.readout.bias
COMBINED = {
  "stack": (rl.stack(rl.lstm(), rl.gru()), lambda p, s: s[1]),
  "stack of one": (rl.stack(rl.lstm()), lambda p, s: s[0].hidden),
  "dropout": (rl.dropout(rl.lstm()), lambda p, s: s.hidden),
  "learned state": (rl.learned_state(rl.gru()), lambda p, s: s),
  "readout": (rl.with_readout(rl.lstm(), 2, "softmax"), lambda p, s: jax.nn.softmax(LOGITS(p, s.hidden))),
  "all of them": (
    rl.learned_state(rl.stack(rl.dropout(rl.lstm()), rl.with_readout(rl.stack(rl.rnn(), rl.indrnn()), 2))),
    lambda p, s: LOGITS(p.cell[1], s[1][1]),
  ),
}


@pytest.mark.parametrize("name", by_default(("stack", "all of them"), COMBINED))
@pytest.mark.usefixtures("x64")
def test_a_combination_keeps_every_ability_of_its_parts(name, key):
  """The fast reverse pass, the probe, the declared output and the gates; numbers are those of the plain path."""
  cell, shown = COMBINED[name]
  params = rl.draw_masks(key, cell.init(key, 3, 4, bias_scale=0.3, dtype=jnp.float64), 0.5)
  xs, steps = jax.random.normal(key, (5, 3), jnp.float64), 5
  weights = jnp.cos(jnp.arange(4.0))
  loss = lambda outputs: jnp.sum(outputs**2 @ weights[: outputs.shape[-1]])
  noise = jax.tree.map(lambda s: jnp.zeros((steps + 1, *s.shape)), cell.initial_state(params))

  def perturbed(noise):
    state, outputs = jax.tree.map(lambda s, n: s + n[0], cell.initial_state(params), noise), []
    for t, x in enumerate(xs, start=1):
      state = jax.tree.map(lambda s, n, t=t: s + n[t], cell.step(params, state, x)[0], noise)
      outputs.append(shown(params, state))
    return loss(jnp.stack(outputs))

  def fast(params, xs):
    final, outputs = rl.reverse_unroll(cell, params, xs)
    return loss(outputs) + sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(final))

  def plain(params, xs):
    final, outputs = rl.unroll(cell, params, xs)
    return loss(outputs) + sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(final))

  @jax.jit
  def measure(params, xs):
    both = [jax.value_and_grad(f, argnums=(0, 1))(params, xs) for f in (fast, plain)]
    return (
      both,
      rl.adjoint_log_norms(loss, cell, params, xs),
      jax.grad(perturbed)(noise),
      rl.activities(cell, params, xs),
    )

  (gathered, expected), adjoints, gradients, seen = measure(params, xs)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), gathered, expected)
  squares = [np.sum(np.square(g).reshape(steps + 1, -1), axis=1) for g in jax.tree.leaves(gradients)]
  np.testing.assert_allclose(adjoints, 0.5 * np.log(sum(squares)), rtol=1e-9)
  assert all(activity.value.shape == (5, 4) for activity in seen.values())
  with pytest.raises(TypeError, match="forward-mode"):  # so it was not the plain scan
    jax.jvp(lambda p: rl.reverse_unroll(cell, p, xs)[1], (params,), (params,))
  assert cell.gated
  assert set(rl.recommended(cell, key, 4, 20)) == {"recurrent_init", "forget_bias", "write_bias"}


def test_equal_stacks_are_one_object():
  assert rl.stack(rl.get_cell("gru"), rl.get_cell("gru")) is rl.stack(rl.gru(), rl.gru())
  with pytest.raises(ValueError, match="at least one cell"):
    rl.stack()


def test_masks_drop_inputs_of_the_upper_layer(key):
  cell = rl.stack(rl.get_cell("lstm"), rl.dropout(rl.get_cell("gru")))
  params = cell.init(key, 3, 5, bias_scale=0.3)
  xs = jax.random.normal(key, (6, 2, 3))
  np.testing.assert_array_equal(rl.draw_masks(key, params, 0.0)[1].mask, np.ones(5))
  drawn = rl.draw_masks(key, params, 0.25, (2,))
  mask = drawn[1].mask
  assert mask.shape == (2, 5)
  _, between = rl.unroll(rl.get_cell("lstm"), params[0], xs)
  _, expected = rl.unroll(rl.get_cell("gru"), params[1].cell, mask * between)
  np.testing.assert_allclose(rl.unroll(cell, drawn, xs)[1], expected, atol=1e-6)
  assert set(rl.activities(cell, drawn, xs)) == set(rl.activities(cell, params, xs))


def test_masks_keep_the_mean_and_are_not_trained(key):
  cell = rl.dropout(rl.dropout(rl.get_cell("rnn")))
  params = cell.init(key, 4000, 2)
  drawn = rl.draw_masks(key, params, 0.25)
  outer, inner = np.asarray(drawn.mask), np.asarray(drawn.cell.mask)
  for mask in (outer, inner):
    np.testing.assert_allclose(np.unique(mask), [0, 4 / 3], rtol=1e-6)
    # Five standard deviations of the mean of 4000 draws.
    np.testing.assert_allclose(mask.mean(), 1, atol=5 * np.sqrt(1 / 3 / 4000))
  assert np.any(outer != inner)
  xs = jax.random.normal(key, (3, 4000))
  gradient = jax.grad(lambda p: jnp.sum(rl.unroll(cell, rl.draw_masks(key, p, 0.25), xs)[1]))(params)
  assert np.all(gradient.mask == 0)
  assert np.any(gradient.cell.cell.input_kernel != 0)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_that_is_no_share_is_refused(rate, key):
  with pytest.raises(ValueError, match=f"The dropout rate is {rate}; it must be at least 0 and below 1"):
    rl.draw_masks(key, rl.dropout(rl.get_cell("rnn")).init(key, 3, 5), rate)


def test_the_initial_state_is_learned(key):
  cell = rl.learned_state(rl.get_cell("lstm"))
  params = cell.init(key, 3, 5)
  assert np.all(params.state.cell == 0)
  state = rl.LSTMState(jnp.full(5, 0.3), jnp.full(5, -0.2))
  params = params._replace(state=state)
  xs = jax.random.normal(key, (6, 2, 3))
  batch = jax.tree.map(lambda a: jnp.broadcast_to(a, (2, 5)), state)
  _, expected = rl.unroll(rl.get_cell("lstm"), params.cell, xs, batch)
  np.testing.assert_allclose(rl.unroll(cell, params, xs)[1], expected, atol=1e-6)
  loss = lambda p: jnp.sum(rl.unroll(cell, p, xs)[1] ** 2)
  gradient = jax.grad(loss)(params).state.hidden[0]
  change = 1e-2
  moved = [params._replace(state=state._replace(hidden=state.hidden.at[0].add(sign * change))) for sign in (1, -1)]
  np.testing.assert_allclose(gradient, (loss(moved[0]) - loss(moved[1])) / (2 * change), rtol=0.02, atol=2e-3)
  assert np.isfinite(rl.adjoint_log_norms(lambda outputs: jnp.sum(outputs**2), cell, params, xs[:, 0])).all()
  assert set(rl.activities(cell, params, xs)) == {"input", "forget", "candidate", "output", "cell"}


def test_two_directions_are_two_unrolls(key):
  forward, backward = rl.get_cell("lstm"), rl.get_cell("gru")
  params = rl.init_bidirectional(forward, backward, key, 3, 5, bias_scale=0.3)
  xs = jax.random.normal(key, (6, 2, 3))
  (ahead, back), outputs = rl.bidirectional_unroll(forward, backward, params, xs)
  expected, o_ahead = rl.unroll(forward, params.forward, xs)
  last, o_back = rl.unroll(backward, params.backward, xs[::-1])
  np.testing.assert_array_equal(outputs, np.concatenate([o_ahead, o_back[::-1]], axis=-1))
  jax.tree.map(np.testing.assert_array_equal, (ahead, back), (expected, last))
  # The first output knows the last input, and the last the first.
  slope = jax.jacobian(lambda xs: rl.bidirectional_unroll(forward, backward, params, xs)[1])(xs[:, 0])
  assert np.any(slope[0, 5:, -1] != 0)
  assert np.all(slope[0, :5, -1] == 0)
  assert np.any(slope[-1, :5, 0] != 0)


def test_each_member_of_a_padded_batch_gets_what_it_gets_alone_in_both_directions(key):
  cell = rl.get_cell("gru")
  params = rl.init_bidirectional(cell, cell, key, 3, 5)
  xs = jax.random.normal(key, (6, 2, 3))
  states, outputs = rl.bidirectional_unroll(cell, cell, params, xs, rl.sequence.length_mask(np.array([6, 4]), 6))
  for member, length in enumerate((6, 4)):
    alone, expected = rl.bidirectional_unroll(cell, cell, params, xs[:length, member])
    np.testing.assert_allclose(outputs[:length, member], expected, atol=1e-6)
    np.testing.assert_allclose([s[member] for s in states], alone, atol=1e-6)
  assert np.all(outputs[4:, 1] == 0)


def test_equal_combinations_are_one_object():
  assert rl.dropout(rl.gru()) is rl.dropout(rl.get_cell("gru"))
  assert rl.learned_state(rl.gru()) is rl.learned_state(rl.get_cell("gru"))
