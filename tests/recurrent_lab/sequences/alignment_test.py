"""Padding changes nothing, what is put out is put in, and a decoder starts where its encoder ended."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import sequence
from tests import reference
from tests.nets import EVERY_FAMILY, random_net, to_float64


def reference_outputs(name, params, xs):
  """The outputs of a NumPy loop over one sequence, from the initial state."""
  return reference.CELLS[name](to_float64(params), np.asarray(xs, np.float64))


def assert_close(a, b, **tolerance):
  tolerance = {"rtol": 1e-5, "atol": 1e-6} | tolerance
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), a, b)


@pytest.mark.parametrize("name", EVERY_FAMILY)
def test_a_padded_batch_equals_its_members_one_by_one(name, key, rng):
  cell, params, _ = random_net(name, key)
  lengths = np.array([5, 1, 7, 3])
  xs = rng.normal(size=(7, 4, 3)).astype(np.float32)
  mask = sequence.length_mask(lengths, 7)
  xs = jnp.where(mask[..., None] > 0, xs, np.nan)  # the padding is not read
  final, outputs = sequence.masked_unroll(cell, params, xs, mask)
  last = sequence.many_to_one(cell, params, xs, mask)
  for i, length in enumerate(lengths):
    alone = reference_outputs(name, params, xs[:length, i])
    assert_close(outputs[:length, i], alone)
    np.testing.assert_array_equal(outputs[length:, i], 0)
    assert_close(last[i], alone[-1])
    if name == "lstm":  # its state is more than its output
      assert_close(jax.tree.map(lambda a, i=i: a[i], final), rl.unroll(cell, params, xs[:length, i])[0])


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_padding_changes_no_gradient(name, key, rng):
  cell, params, _ = random_net(name, key)
  lengths, xs = np.array([4, 2, 6]), jnp.asarray(rng.normal(size=(6, 3, 3)), jnp.float32)
  mask = sequence.length_mask(lengths, 6)
  padded = jax.grad(lambda p, xs: jnp.sum(sequence.many_to_one(cell, p, xs, mask) ** 2))
  alone = lambda p: sum(jnp.sum(rl.unroll(cell, p, xs[:n, i])[1][-1] ** 2) for i, n in enumerate(lengths))
  assert_close(padded(params, jnp.where(mask[..., None] > 0, xs, jnp.nan)), jax.grad(alone)(params), rtol=1e-4)


def test_many_to_one_without_a_mask_is_the_last_output(key):
  cell, params, xs = random_net("gru", key)
  assert_close(sequence.many_to_one(cell, params, xs), reference_outputs("gru", params, xs)[-1])


@pytest.mark.parametrize("name", EVERY_FAMILY)
def test_one_to_many_puts_in_what_it_put_out(name, key):
  cell, params, xs = random_net(name, key, inputs=5)

  def feed(output, key):
    x = 0.5 * output + jax.random.normal(key, output.shape)
    return (output, x), x

  final, (outputs, fed) = sequence.one_to_many(cell, params, xs[0], 6, feed, key)
  put_in = jnp.concatenate([xs[:1], fed[:-1]])
  assert_close(outputs, reference_outputs(name, params, put_in))
  for t, step_key in enumerate(jax.random.split(key, 6)):
    assert_close(fed[t], feed(outputs[t], step_key)[1])
  assert_close(final, rl.unroll(cell, params, put_in)[0])


@pytest.mark.parametrize("name", EVERY_FAMILY)
def test_an_encoder_that_is_its_own_decoder_reads_on(name, key):
  cell, params, xs = random_net(name, key)
  both = sequence.EncoderDecoderParams(params, params)
  _, outputs = sequence.encode_decode(cell, both, xs[:5], xs[5:])
  assert_close(outputs, reference_outputs(name, params, xs)[5:])


def test_a_decoder_starts_where_the_encoder_ended(key, rng):
  cell, encoder, _ = random_net("lstm", key)
  _, decoder, targets = random_net("lstm", jax.random.fold_in(key, 1), inputs=2, steps=4)
  source, lengths = jnp.asarray(rng.normal(size=(6, 2, 3)), jnp.float32), np.array([6, 2])
  targets = jnp.stack([targets, targets[::-1]], axis=1)
  params = sequence.EncoderDecoderParams(encoder, decoder)
  _, outputs = sequence.encode_decode(cell, params, source, targets, sequence.length_mask(lengths, 6))
  for i, length in enumerate(lengths):
    state, _ = rl.unroll(cell, encoder, source[:length, i])
    assert_close(outputs[:, i], rl.unroll(cell, decoder, targets[:, i], state)[1])


@pytest.mark.parametrize("name", EVERY_FAMILY)
def test_looking_tokens_up_is_one_hot_input(name, key, rng):
  cell, params, _ = random_net(name, key, inputs=9)
  tokens = jnp.asarray(rng.integers(0, 9, 6))
  assert_close(
    rl.unroll(cell, *sequence.one_hot(params, tokens))[1], reference_outputs(name, params, np.eye(9)[tokens])
  )


@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_reach_the_rows_of_the_kernel(layers, key, rng):
  cells = [random_net("lstm", jax.random.fold_in(key, i), inputs=7 if i == 0 else 5)[:2] for i in range(2)]
  cell = cells[0][0] if layers == 1 else rl.stack(cells[0][0], cells[1][0])
  params = cells[0][1] if layers == 1 else (cells[0][1], cells[1][1])
  tokens = jnp.asarray(rng.integers(0, 7, (6, 2)))
  loss = lambda net, xs: jnp.sum(rl.unroll(cell, net, xs)[1] ** 2)
  by_row = jax.grad(lambda p: loss(*sequence.one_hot(p, tokens)))(params)
  assert_close(by_row, jax.grad(lambda p: loss(p, jax.nn.one_hot(tokens, 7)))(params), rtol=1e-4)


def test_choices_follow_the_softmax(key, rng):
  logits = jnp.asarray(rng.normal(size=6), jnp.float32)
  count = 20000

  def frequencies(temperature, top_k=None):
    draw = jax.vmap(lambda key: sequence.choose(logits, key, temperature, top_k))
    return np.bincount(draw(jax.random.split(key, count)), minlength=6) / count

  def softmax(logits):
    weights = np.exp(np.asarray(logits, np.float64))
    return weights / weights.sum()

  # Six standard deviations of a frequency.
  bound = 6 * math.sqrt(0.25 / count)
  np.testing.assert_allclose(frequencies(1.0), softmax(logits), atol=bound)
  np.testing.assert_allclose(frequencies(0.5), softmax(2 * logits), atol=bound)
  best = np.argsort(-np.asarray(logits))[:3]
  kept = np.full(6, -np.inf)
  kept[best] = logits[best]
  np.testing.assert_allclose(frequencies(1.0, 3), softmax(kept), atol=bound)
  assert frequencies(0.0)[best[0]] == 1


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (
      lambda net: sequence.length_mask(np.array([3, 0]), 5),
      "A sequence has length 0; lengths must be from 1 to the 5 steps",
    ),
    (
      lambda net: sequence.length_mask(np.array(6), 5),
      "A sequence has length 6; lengths must be from 1 to the 5 steps",
    ),
    (
      lambda net: sequence.masked_unroll(*net, jnp.ones(3)),
      r"The mask has shape \(3,\); inputs of shape \(8, 3\) need \(8,\)",
    ),
    (
      lambda net: sequence.one_to_many(*net[:2], net[2][0], 0, lambda output, key: output, jax.random.key(0)),
      "steps is 0; a sequence has at least 1",
    ),
    (lambda net: sequence.many_to_one(*net[:2], net[2][:0]), "at least one step"),
    (lambda net: sequence.one_hot(3.0, jnp.zeros(2, int)), "float has no input_kernel"),
    (
      lambda net: sequence.choose(jnp.zeros(3), jax.random.key(0), -1.0),
      "The temperature is -1.0; it must be finite and at least 0",
    ),
    (
      lambda net: sequence.choose(jnp.zeros(3), jax.random.key(0), 1.0, 4),
      "top_k is 4; it must be from 1 to the vocabulary's 3",
    ),
  ],
)
def test_what_does_not_fit_is_named(call, message, key):
  with pytest.raises(ValueError, match=message):
    call(random_net("rnn", key))
