"""Translation: batches and losses against loops over sentences, the toy language against a translator that reads English."""

from collections import Counter
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import sequence, training
from recurrent_lab.tasks.toy_language import toy_language
from recurrent_lab.tasks.translation import pair_batch, translation

SOURCES, TARGETS = 7, 6  # tokens


def random_rows(rng, count, width, tokens, ends):
  rows = rng.integers(1, tokens, (count, width))
  lengths = rng.integers(1, width - ends + 1, count)
  lengths[0] = width - ends
  return np.where(np.arange(width) < lengths[:, None], rows, 0)


@pytest.fixture
def pairs(rng):
  return random_rows(rng, 40, 5, SOURCES, 0), random_rows(rng, 40, 4, TARGETS, 1)


def words(row):
  return [int(i) for i in row if i]


def test_batches_hold_the_pairs_with_the_target_one_step_late(pairs, key):
  source, target = pairs
  task = translation(source, target, SOURCES, TARGETS, test_share=0.25)
  assert (task.source_size, task.input_size, task.output_size, task.steps) == (SOURCES, TARGETS, TARGETS, 4)
  known = [(words(s), words(t)) for s, t in zip(source, target, strict=True)]

  def read(batch):
    """The pairs of a batch, every entry of which is looked at."""
    batch = jax.tree.map(np.asarray, batch)
    found = []
    for b in range(batch.targets.shape[1]):
      ours, theirs = [], []
      for k in range(5):
        assert batch.inputs.source_mask[k, b] == (batch.inputs.source[k, b] != 0)
        ours += words([batch.inputs.source[k, b]])
      given, is_over = 0, False
      for t in range(4):
        wanted = int(batch.targets[t, b])
        assert batch.inputs.shifted[t, b] == given
        assert batch.mask[t, b] == (not is_over)
        is_over |= wanted == 0
        theirs += words([wanted])
        given = wanted
      assert is_over
      found.append((ours, theirs))
    return found

  drawn, some = (read(batch) for batch in jax.jit(lambda key: (task.sample(key, 50), task.test(key, 6)))(key))
  assert all(pair in known[:30] for pair in drawn)
  assert len({str(pair) for pair in drawn}) > 5
  assert read(task.test(key, 10)) == read(task.test(key, 1000)) == known[30:]
  assert not Counter(map(str, some)) - Counter(map(str, known[30:]))


def random_net(rng, hidden=3):
  """An Elman net to read and one to write."""
  draw = lambda *shape: jnp.asarray(rng.normal(0, 0.6, shape), jnp.float32)
  net = lambda tokens: rl.RNNParams(draw(tokens, hidden), draw(hidden, hidden), draw(hidden))
  both = sequence.EncoderDecoderParams(net(SOURCES), net(TARGETS))
  return rl.WithReadoutParams(both, rl.ReadoutParams(draw(hidden, TARGETS), draw(TARGETS)))


def alone(params, source, target):
  """Nats of every word of the target and of its end, and whether another was more probable, as a loop over one sentence."""
  (reader, writer), out = params
  s = np.zeros(len(reader.bias))
  for word in source:
    s = np.tanh(reader.input_kernel[word] + s @ reader.recurrent_kernel + reader.bias)
  nats, wrong, given = [], [], 0
  for wanted in [*target, 0]:
    s = np.tanh(writer.input_kernel[given] + s @ writer.recurrent_kernel + writer.bias)
    logits = s @ out.kernel + out.bias
    nats.append(np.log(np.sum(np.exp(logits))) - logits[wanted])
    wrong.append(np.argmax(logits) != wanted)
    given = wanted
  return nats, wrong


def test_loss_and_gradient_are_those_of_each_sentence_alone_whatever_the_padding(pairs, rng):
  source, target = pairs[0][:6], pairs[1][:6]
  task = translation(source, target, SOURCES, TARGETS, test_share=0.5)
  params = random_net(rng)

  @jax.jit
  def judge(params, batch):
    def both(params):
      outputs = training.predict(rl.rnn(), params, batch.inputs)
      return task.loss(outputs, batch), task.score(outputs, batch)

    return jax.value_and_grad(both, has_aux=True)(params)

  padded = (jnp.asarray(np.pad(rows, ((0, 0), (0, 3))), jnp.int32) for rows in (source, target))
  (loss, score), gradient = judge(params, pair_batch(*padded))

  def expected(params):
    each = [alone(params, words(s), words(t)) for s, t in zip(source, target, strict=True)]
    return tuple(np.mean(np.concatenate(parts)) for parts in zip(*each, strict=True))

  in_numpy = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
  assert (float(loss), float(score)) == pytest.approx(expected(in_numpy), rel=1e-5)
  for leaf in range(8):  # one kernel or bias after the other, in a random direction
    leaves, structure = jax.tree.flatten(in_numpy)
    direction = rng.normal(size=leaves[leaf].shape)
    ends = []
    for sign in (-1, 1):
      moved = [*leaves[:leaf], leaves[leaf] + sign * 1e-5 * direction, *leaves[leaf + 1 :]]
      ends.append(expected(jax.tree.unflatten(structure, moved))[0])
    slope = np.sum(np.asarray(jax.tree.leaves(gradient)[leaf]) * direction)
    assert slope == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-3, abs=1e-4)


def test_baseline_is_the_loss_of_the_best_constant_at_every_step(pairs):
  source, target = pairs
  task = translation(source, target, SOURCES, TARGETS, test_share=0.25)
  batch = pair_batch(jnp.asarray(source[:30], jnp.int32), jnp.asarray(target[:30], jnp.int32))
  seen = [Counter() for _ in range(4)]
  for row in target[:30]:
    for t, word in enumerate([*words(row), 0]):
      seen[t][int(word)] += 1
  with np.errstate(divide="ignore", invalid="ignore"):
    logits = np.log([[counts[word] for word in range(TARGETS)] for counts in seen]).astype(np.float32)
  outputs = jnp.broadcast_to(np.maximum(logits, -1e9)[:, None], (4, 30, TARGETS))
  assert task.loss(outputs, batch) == pytest.approx(task.baseline, rel=1e-5)


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    (([[1, 2]], [[1, 0]], 3, 2, 0.5), "of 1 pairs it must leave some in either part"),
    (([[1], [1]], [[1, 0]], 3, 2), "There are 2 sources and 1 targets"),
    (
      ([[1, 0, 2]], [[1, 0]], 3, 2),
      "Row 0 of source is not a sentence; it must be at least one word from 1 on, followed by",
    ),
    (([[1], [0]], [[1, 0]] * 2, 3, 2), "Row 1 of source is not a sentence"),
    (([[1], [1]], [[1, 0], [1, 1]], 3, 2), "Row 1 of target is not a sentence.*zeros alone, at least one"),
    (([[1], [3]], [[1, 0]] * 2, 3, 2), "source has tokens from 1 to 3; its vocabulary has 0 to 2"),
    (([[1], [-1]], [[1, 0]] * 2, 3, 2), "source has tokens from -1 to 1"),
    (([[1.0]], [[1, 0]], 3, 2), r"source is float64\[1, 1\]; it must be whole numbers"),
    (([1], [[1, 0]], 3, 2), r"source is int64\[1\]"),
    (([[1]], [[1, 0]], 3, 1), "target_vocabulary is 1; it must be a whole number of at least 2"),
  ],
)
def test_pairs_that_do_not_fit_are_named(arguments, message):
  with pytest.raises(ValueError, match=message):
    translation(*arguments)


# An interpreter that reads English from left to right; written from the rules, not from the grammar.
ENGLISH = "dog cat horse girl boy king apple cake small old white hungry saw found slept ran the that and because"
OTHER = "kan mur tek lin bod reg pom tor pik vet alb fam vid trov dorm kur la ke e do"
STEMS = dict(zip(ENGLISH.split(), OTHER.split(), strict=True))


def read_noun_phrase(left):
  article = [STEMS[left.pop(0)]] if left[0] == "the" else []
  adjectives = []
  while left[0] in ("small", "old", "white", "hungry"):
    adjectives.insert(0, STEMS[left.pop(0)])
  word = left.pop(0)
  is_plural = word.endswith("s")
  assert is_plural or article
  noun = word.removesuffix("s")
  out = [*article, *(stem + "i" * is_plural for stem in (STEMS[noun], *adjectives))]
  if left and left[0] == "that":
    out += [STEMS[left.pop(0)], *read_verb_phrase(left, noun, is_plural)]
  return noun, is_plural, out


def read_verb_phrase(left, noun, is_plural):
  verb = left.pop(0)
  stem = ("man" if noun in ("girl", "boy", "king") else "vor") if verb == "ate" else STEMS[verb]
  out = []
  if left and left[0] not in ("saw", "found", "ate", "slept", "ran"):
    assert verb in ("saw", "found", "ate")
    _, _, out = read_noun_phrase(left)
  else:
    assert verb in ("slept", "ran", "ate")
  return [*out, stem + ("an" if is_plural else "a")]


def interpret(sentence):
  said = []
  for join, clause in re.findall(r"(and|because|^)\s?(.+?)(?= and | because |$)", sentence):
    left = clause.split()
    noun, is_plural, subject = read_noun_phrase(left)
    assert noun not in ("apple", "cake")
    one = subject + read_verb_phrase(left, noun, is_plural)
    assert not left
    if join == "because":
      said = [*one, "do", *said]
    else:
      said = [*said, *(["e"] if join else []), *one]
  return " ".join(said)


def test_toy_sentences_mean_what_the_rules_say(seed):
  corpus = toy_language(600, 14, seed)
  count = len(corpus.source)
  assert corpus.source.shape == (count, 14)
  assert corpus.target.shape == (count, 15)
  assert (len(corpus.source_words), len(corpus.target_words)) == (30, 41)
  assert len({tuple(row) for row in corpus.source}) == count > 200
  both = [
    [" ".join(names[i] for i in words(row)) for row in rows]
    for rows, names in ((corpus.source, corpus.source_words), (corpus.target, corpus.target_words))
  ]
  for english, other in zip(*both, strict=True):
    assert interpret(english) == other
  assert {len(english.split()) for english in both[0]} >= set(range(3, 15))
  assert any("because" in english and "and" in english for english in both[0])
  translation(corpus.source, corpus.target, 30, 41)
  again = toy_language(600, 14, seed)
  np.testing.assert_array_equal(corpus.source, again.source)
  np.testing.assert_array_equal(corpus.target, again.target)
  assert not np.array_equal(corpus.source[:100], toy_language(600, 14, seed + 1).source[:100])


def test_example_of_the_rules():
  assert interpret("the old dogs that saw cats ate because the girl slept") == (
    "la lin dorma do la kani veti ke muri vidan voran"
  )


def test_toy_sentences_are_short_enough_or_none():
  assert (toy_language(200, 4).source > 0).sum(1).max() == 4
  with pytest.raises(ValueError, match="None of 1 sentences has at most 2 words; draw more"):
    toy_language(1, 2)
  with pytest.raises(ValueError, match="longest is 1; it must be a whole number of at least 2"):
    toy_language(10, 1)
