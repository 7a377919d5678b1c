"""Tokens outside the vocabulary, and choices among tokens."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import sequence, training

WORDS = 7


@pytest.fixture
def net(key):
  cell = rl.gru()
  return cell, rl.WithReadoutParams(cell.init(key, WORDS, 4), rl.init_readout(key, 4, WORDS))


@pytest.mark.parametrize("token", [9, 7, -1])
def test_a_known_token_outside_the_vocabulary_is_refused(token, net):
  cell, params = net
  tokens = jnp.array([[0], [token], [6]])
  for call in (
    lambda: sequence.one_hot(params.cell, tokens),
    lambda: sequence.one_hot((params.cell, params.cell), tokens),
    lambda: training.predict(cell, params, tokens),
  ):
    with pytest.raises(ValueError, match=f"There is a token {token}; the vocabulary has 0 to 6"):
      call()


def test_a_traced_token_outside_the_vocabulary_gives_zeros(net):
  tokens = jnp.array([0, 9, -1, -8, 6])
  rows = jax.jit(lambda tokens: sequence.one_hot(net[1].cell, tokens)[1])(tokens)
  np.testing.assert_allclose(rows, jax.nn.one_hot(tokens, WORDS) @ net[1].cell.input_kernel, rtol=1e-6)


TIES = jnp.array([[1.0, 3.0, 3.0, 2.0], [0.0, -0.0, 0.0, -jnp.inf], [-1e38, 3e38, 3e38, 0.0]])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_most_probable_token_alone_is_the_greedy_choice(dtype, key):
  logits = TIES.astype(dtype)
  greedy = sequence.choose(logits, key, temperature=0.0)
  np.testing.assert_array_equal(greedy, [1, 0, 1])
  for seed in range(20):
    np.testing.assert_array_equal(sequence.choose(logits, jax.random.key(seed), top_k=1), greedy)


def test_exactly_k_are_kept_among_ties():
  keys = jax.random.split(jax.random.key(0), 200)
  drawn = jax.vmap(lambda key: sequence.choose(jnp.zeros(5), key, top_k=2))(keys)
  assert set(np.asarray(drawn).tolist()) == {0, 1}


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-45])
def test_tiny_temperatures_tend_to_the_greedy_choice(temperature):
  logits = jnp.array([[1.0, 1.1, -jnp.inf], [-3e38, 3e38, 0.0], [0.0, -2.0, -1.0]])
  for seed in range(20):
    chosen = sequence.choose(logits, jax.random.key(seed), temperature=temperature)
    np.testing.assert_array_equal(chosen, [1, 1, 0])


def test_labels_outside_the_classes():
  outputs = jnp.linspace(-1, 1, 8).reshape(2, 2, 2)
  labels, mask = jnp.array([[0, 9], [-1, 1]]), jnp.ones((2, 2))
  batch = rl.tasks.Batch(jnp.zeros((2, 2, 1)), labels, mask)
  with pytest.raises(ValueError, match="There is a label 9; the outputs have classes 0 to 1"):
    rl.tasks.cross_entropy(outputs, batch)
  expected = -jnp.mean(jnp.sum(jax.nn.one_hot(labels, 2) * jax.nn.log_softmax(outputs), axis=-1))
  np.testing.assert_allclose(jax.jit(rl.tasks.cross_entropy)(outputs, batch), expected, rtol=1e-6)
  hidden = batch._replace(mask=jnp.array([[1.0, 0.0], [0.0, 1.0]]))  # what does not count may hold anything
  alone = -0.5 * (jax.nn.log_softmax(outputs[0, 0])[0] + jax.nn.log_softmax(outputs[1, 1])[1])
  np.testing.assert_allclose(rl.tasks.cross_entropy(outputs, hidden), alone, rtol=1e-6)


def test_combined_cells_look_tokens_up_too(key):
  cell = rl.with_readout(rl.learned_state(rl.stack(rl.rnn(), rl.dropout(rl.gru()))), 2)
  params = cell.init(key, 7, 3)
  tokens = jnp.array([3, 0, 6, 3])
  looked_up = rl.unroll(cell, *sequence.one_hot(params, tokens))[1]
  np.testing.assert_allclose(looked_up, rl.unroll(cell, params, jnp.eye(7)[tokens])[1], rtol=1e-5, atol=1e-6)
  masked = rl.dropout(rl.rnn())
  with pytest.raises(ValueError, match="put dropout between layers"):
    sequence.one_hot(masked.init(key, 7, 3), tokens)
