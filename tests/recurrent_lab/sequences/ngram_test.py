"""N-gram models against a dictionary of the formulas, NLTK, numbers by hand, and data whose order is known."""

from collections import Counter, defaultdict
import math

import numpy as np
import pytest

from recurrent_lab import ngram

ORDERS = [1, 2, 3, 4, 5]


def zipf(rng, vocabulary, *shape):
  """Random tokens of very different frequencies, so that counts of all sizes occur."""
  p = 1 / np.arange(1, vocabulary + 1) ** 1.3
  return rng.choice(vocabulary, shape, p=p / p.sum())


def by_the_formulas(rows, vocabulary, order, discounts=None):
  """`(P(w, context), D)` in plain loops; the beginning of each row is a token of its own, which is not in the vocabulary."""
  counts, used = [], []
  for k in range(1, order + 1):
    left = defaultdict(list)
    for s, row in enumerate(rows):
      row = [f"beginning {s}", *map(int, row)]
      for j in range(1, len(row) - k + 1):
        left[tuple(row[j : j + k])].append(row[j - 1])
    counts.append({g: len(v) if k == order else len(set(v)) for g, v in left.items()})
    n = Counter(counts[-1].values())
    d = [i / 2 for i in range(4)]
    for i in (1, 2, 3):
      if n[i] and n[1] + 2 * n[2]:
        estimate = i - (i + 1) * n[1] / (n[1] + 2 * n[2]) * n[i + 1] / n[i]
        d[i] = estimate if 0 < estimate < i else d[i]
    used.append(d if discounts is None else [0, *discounts[k - 1]])

  def probability(w, context):
    p = 1 / vocabulary
    for k in range(1, order + 1):
      if k - 1 > len(context):
        break
      h = tuple(map(int, context[len(context) - k + 1 :]))
      followers = {g[-1]: c for g, c in counts[k - 1].items() if g[:-1] == h}
      total = sum(followers.values())
      if total:
        d = used[k - 1]
        removed = sum(d[min(c, 3)] for c in followers.values())
        c = followers.get(int(w), 0)
        p = (c - d[min(c, 3)]) / total + removed / total * p
    return p

  return probability, [d[1:] for d in used]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
  ("shape", "vocabulary"), [((400,), 9), ((40, 7), 6), ((30, 3), 4), ((2, 1), 3), ((300,), 2**40)]
)
def test_probabilities_and_discounts_are_those_of_a_dictionary(shape, vocabulary, order, rng):
  """Texts that are long, short, shorter than the order; keys that would overflow if they were powers of V."""
  words = rng.integers(0, vocabulary, 9)
  text, held_out = words[zipf(rng, 9, *shape)], words[zipf(rng, 9, 3, 12)]
  model = ngram.fit(text, vocabulary, order)
  probability, discounts = by_the_formulas(np.atleast_2d(text), vocabulary, order)
  np.testing.assert_allclose(model.discounts, discounts, rtol=1e-12)
  expected = [
    [math.log(probability(row[t], row[max(0, t - order + 1) : t])) for t in range(len(row))] for row in held_out
  ]
  np.testing.assert_allclose(ngram.log_probabilities(model, held_out), expected, rtol=0, atol=1e-10)


def test_discounts_by_hand(rng):
  """n = 4, 3, 2, 1 gives Y = 0.4."""
  counts = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 9]
  model = ngram.fit(rng.permutation(np.repeat(np.arange(11), counts)), 11, 1)
  np.testing.assert_allclose(model.discounts, [[0.4, 2 - 3 * 0.4 * 2 / 3, 3 - 4 * 0.4 / 2]], rtol=1e-14)


@pytest.mark.parametrize(
  ("counts", "expected"),
  [
    ([1, 2, 3, 9], [1 / 3, 1, 1.5]),  # n = 1, 1, 1, 0: D_3+ would be 3
    ([2, 2, 3, 4], [0.5, 1, 1.5]),  # n_1 = 0
    ([1, 1, 3, 4], [0.5, 1, 1.5]),  # n_2 = 0; D_3+ would be -1
    ([1, 2, 3, 3, 3], [1 / 3, 1, 1.5]),  # D_2 would be -1
    ([7, 8, 9], [0.5, 1, 1.5]),
  ],
)
def test_discounts_fall_back_to_half_the_count(counts, expected, rng):
  text = rng.permutation(np.repeat(np.arange(len(counts)), counts))
  np.testing.assert_allclose(ngram.fit(text, 6, 1).discounts, [expected], rtol=1e-14)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", [(200,), (20, 8), (1,), (3, 2)])
def test_all_next_tokens_together_have_probability_1(order, shape, rng):
  vocabulary = 12
  text = zipf(rng, 8, *shape)  # four tokens are never seen
  model = ngram.fit(text, vocabulary, order)
  last = np.atleast_2d(text)[-1]
  contexts = [[], [11], [11, 0, 1], [0, 11], *(rng.integers(0, vocabulary, (12, 6))), *(last[:t] for t in range(1, 9))]
  for context in contexts:
    log_p = ngram.next_log_probabilities(model, context)
    assert np.all(np.isfinite(log_p))
    np.testing.assert_allclose(np.sum(np.exp(log_p)), 1, rtol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_probabilities_of_a_text_are_picked_from_those_of_the_next_token(order, rng):
  model = ngram.fit(zipf(rng, 8, 300).astype(np.uint64), 10, order)
  tokens = rng.integers(0, 10, (2, 3, 9), np.uint8)
  log_p = ngram.log_probabilities(model, tokens)
  assert log_p.dtype == np.float64
  assert log_p.shape == tokens.shape
  for s in np.ndindex(2, 3):
    row = tokens[s]
    picked = [ngram.next_log_probabilities(model, row[:t])[row[t]] for t in range(9)]
    np.testing.assert_allclose(log_p[s], picked, rtol=1e-12)


def test_one_discount_is_the_kneser_ney_of_nltk(rng):
  """NLTK keeps the unigrams as they are and has no beginning of rows: there, a token of its own takes that place."""
  lm = pytest.importorskip("nltk.lm", reason="NLTK is an oracle of this test alone, and is not installed")
  from nltk.util import everygrams

  order, vocabulary, discount = 4, 7, rng.uniform(0.2, 0.9)
  rows = zipf(rng, vocabulary, 3, 60)
  names = [[f"beginning {s}", *map(str, row)] for s, row in enumerate(rows)]
  oracle = lm.KneserNeyInterpolated(order, discount=discount)
  oracle.fit([list(everygrams(row, max_len=order)) for row in names], [name for row in names for name in row])
  model = ngram.fit(rows, vocabulary, order, [[0.0] * 3] + [[discount] * 3] * (order - 1))
  for row in zipf(rng, vocabulary, 4, 8):
    expected = [oracle.score(str(w), list(map(str, row[:t]))) for t, w in enumerate(row)]
    np.testing.assert_allclose(np.exp(ngram.log_probabilities(model, row)), expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("order", [2, 5])
def test_discounts_that_are_given_are_used(order, rng):
  text, held_out = zipf(rng, 6, 150), rng.integers(0, 6, 20)
  discounts = rng.uniform(0, [1, 2, 3], (order, 3))
  probability, _ = by_the_formulas([text], 6, order, discounts)
  expected = [math.log(probability(w, held_out[:t])) for t, w in enumerate(held_out)]
  np.testing.assert_allclose(
    ngram.log_probabilities(ngram.fit(text, 6, order, discounts), held_out), expected, atol=1e-10
  )
  # Without a discount order 1 is the frequency, and what was never seen has none.
  frequencies = ngram.fit([0, 0, 1], 3, 1, [[0, 0, 0]])
  np.testing.assert_allclose(ngram.next_log_probabilities(frequencies, []), [math.log(2 / 3), math.log(1 / 3), -np.inf])
  assert ngram.perplexity(ngram.log_probabilities(frequencies, [0, 2])) == math.inf


def test_unigrams_by_hand():
  """c = 3, 2, 1, 0, 0: D = 1/3, 1, 3/2, of 6 tokens 17/6 are given away, to each of 5 alike."""
  model = ngram.fit([0, 1, 0, 2, 0, 1], 5, 1)
  share = (1 / 3 + 1 + 3 / 2) / 6 / 5
  expected = [(3 - 3 / 2) / 6 + share, (2 - 1) / 6 + share, (1 - 1 / 3) / 6 + share, share, share]
  np.testing.assert_allclose(np.exp(ngram.next_log_probabilities(model, [4, 4])), expected, rtol=1e-14)
  log_p = ngram.log_probabilities(model, [0, 3])
  np.testing.assert_allclose(log_p, np.log([expected[0], share]), rtol=1e-14)
  assert ngram.perplexity(log_p) == pytest.approx((expected[0] * share) ** -0.5, rel=1e-14)


def test_known_text_san_francisco():
  """The example of Chen & Goodman: a token that is frequent but follows one token only is unlikely after any other.

  Left neighbours: 3 of glass; 2 of san, one of them the beginning; 1 of francisco, my, your and a. So c_1(•) = 9, Y = 2/3,
  D = 2/3, 1, 3/2 (the last two by default), and each of 7 tokens gets 31/6 / 9 / 7.
  """
  words = ["san", "francisco", "my", "glass", "san", "francisco", "your", "glass", "san", "francisco", "a", "glass"]
  words = [*words, "san", "francisco"]
  ids = {word: i for i, word in enumerate([*dict.fromkeys(words), "new"])}
  model = {order: ngram.fit([ids[word] for word in words], len(ids), order) for order in (1, 2)}
  p = lambda word, context, order: math.exp(ngram.next_log_probabilities(model[order], [ids[context]])[ids[word]])
  assert p("francisco", "new", 1) > p("glass", "new", 1)
  assert p("francisco", "new", 2) < p("glass", "new", 2) / 2
  share = 31 / 6 / 9 / 7
  assert p("francisco", "new", 2) == pytest.approx((1 - 2 / 3) / 9 + share, rel=1e-14)
  assert p("glass", "new", 2) == pytest.approx((3 - 3 / 2) / 9 + share, rel=1e-14)
  # All of the 4 times, francisco follows san.
  assert p("francisco", "san", 2) == pytest.approx((4 - 3 / 2) / 4 + 3 / 2 / 4 * (1 / 3 / 9 + share), rel=1e-14)
  assert p("glass", "san", 2) == pytest.approx(3 / 2 / 4 * (3 / 2 / 9 + share), rel=1e-14)


def test_rows_shorter_than_the_order_are_predicted_as_by_the_order_they_have_room_for(rng):
  """The last of two tokens gets what a bigram model gives, from occurrences and not from neighbours."""
  rows = zipf(rng, 5, 60, 2)
  tokens = rng.integers(0, 5, (10, 2))
  long, short = (ngram.log_probabilities(ngram.fit(rows, 5, order), tokens) for order in (5, 2))
  np.testing.assert_allclose(long, short, rtol=1e-12)


def test_the_order_of_a_markov_chain_shows(rng):
  """The sum of the last three tokens and a noise, modulo 4: any two of the three tell nothing, all of them all but the noise."""
  noise = np.array([0.775, 0.075, 0.075, 0.075])
  drawn = rng.choice(4, 25_000, p=noise)
  chain = list(map(int, rng.integers(0, 4, 3)))
  for e in map(int, drawn):
    chain.append((sum(chain[-3:]) + e) % 4)
  train, held_out = np.array(chain[:20_000]), np.array(chain[20_000:])
  best = ngram.perplexity(np.log(noise[drawn[20_000 - 3 :]]))  # about exp(0.78) = 2.2, as it came out
  reached = [ngram.perplexity(ngram.log_probabilities(ngram.fit(train, 4, order), held_out)) for order in ORDERS]
  np.testing.assert_allclose(reached, [4, 4, 4, best, best], rtol=0.05)


def test_perplexity():
  assert ngram.perplexity(np.log([0.5, 0.125])) == pytest.approx(4)
  with pytest.raises(ValueError, match="log_probabilities is empty"):
    ngram.perplexity([])


@pytest.mark.parametrize(
  ("arguments", "complaint"),
  [
    (([0, 1], 2, 0), "order is 0; it must be a whole number of at least 1"),
    (([0, 1], 0, 1), "vocabulary is 0; it must be"),
    (([], 2, 1), r"tokens is float64\[0\]; it must be rows of one or more whole numbers"),
    ((np.zeros((3, 0), int), 2, 1), r"tokens is int64\[3, 0\]; it must be"),
    ((np.array(1), 2, 1), r"tokens is int64\[\]; it must be"),
    (([0.0, 1.0], 2, 1), "tokens is float64"),
    (([True, False], 2, 1), "tokens is bool"),
    (([0, 2], 2, 1), "there are tokens from 0 to 2; the vocabulary has 0 to 1"),
    (([0, -1], 2, 1), "there are tokens from -1 to 0"),
    ((np.array([2**63 + 1], np.uint64), 2, 1), "there are tokens from 9223372036854775809"),
    ((np.zeros((2, 2, 2), int), 2, 1), r"tokens is \[2, 2, 2\]; it must be one text"),
    (([0, 1], 2, 2, [[0.5, 1, 1.5]]), r"it must be \[2, 3\] numbers"),
    (([0, 1], 2, 1, [[1.5, 1, 1.5]]), "0 ≤ D_i ≤ i"),
    (([0, 1], 2, 1, [[math.nan, 1, 1.5]]), "0 ≤ D_i ≤ i"),
  ],
)
def test_what_does_not_fit_is_named(arguments, complaint):
  with pytest.raises(ValueError, match=complaint):
    ngram.fit(*arguments)


def test_what_does_not_fit_a_model_is_named():
  model = ngram.fit([0, 1, 1, 0], 2, 2)
  for function in (ngram.log_probabilities, ngram.next_log_probabilities):
    with pytest.raises(ValueError, match="there are tokens from 0 to 2"):
      function(model, [0, 2])
    with pytest.raises(ValueError, match="tokens is float64"):
      function(model, [0.5])
  with pytest.raises(ValueError, match="tokens is float64"):
    ngram.log_probabilities(model, [])
  with pytest.raises(ValueError, match=r"context is \[1, 2\]; it must be one row"):
    ngram.next_log_probabilities(model, [[0, 1]])
