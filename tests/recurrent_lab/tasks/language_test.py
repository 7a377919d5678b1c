"""Stories, tags and sessions: what is drawn how often, and what can be known from how much of it.

That targets follow from inputs is tested with all other tasks, in `tasks_test.py`.
"""

from functools import partial
import math
import re

import jax
import numpy as np
import pytest
from scipy import stats

from recurrent_lab import tasks
from recurrent_lab.tasks import Batch, get_task, sessions, stories
from recurrent_lab.tasks._tagging import AMBIGUOUS, COMPANY_CUES, NEUTRAL, TAGS, THING_CUES
from recurrent_lab.tasks._tagging import WORDS as TAGGED_WORDS

ODDS = 1e-8  # probability that a statistical test fails by chance
MANY = 4000


def draw(task, key, batch_size=MANY):
  return Batch(*map(np.asarray, jax.jit(task.sample, static_argnums=1)(key, batch_size)))


def judge(task, outputs, batch):
  """(loss, score) as floats."""
  return tuple(map(float, _judge(task, outputs, batch)))


@partial(jax.jit, static_argnums=0)
def _judge(task, outputs, batch):
  return task.loss(outputs, batch), task.score(outputs, batch)


def frequent(labels, expected):
  """Returns True if labels 0, 1, ... are as frequent as expected, up to a factor."""
  expected = np.ravel(expected)
  counts = np.bincount(labels, minlength=len(expected))
  assert counts.shape == expected.shape
  np.testing.assert_array_equal(counts[expected == 0], 0)
  counts, expected = counts[expected > 0], expected[expected > 0]
  return stats.chisquare(counts, len(labels) * expected / expected.sum()).pvalue > ODDS


def near(wrong, error):
  """Returns True if independent errors, 0 or 1, have the frequency `error`."""
  return stats.binomtest(int(wrong.sum()), wrong.size, error).pvalue > ODDS


@pytest.mark.parametrize(("name", "length"), [("tagging", 1), ("tagging", 6), ("next_item", 12)])
def test_baseline_is_the_loss_of_the_frequencies_at_each_step(name, length, key):
  """Fitted to n examples they pay too little: by Σ χ²/2n (Wilks), up to the standard error of a mean over examples."""
  task = get_task(name, length)
  batch = draw(task, key)
  counted = batch.mask[:, 0] > 0
  assert np.all(batch.mask == batch.mask[:, :1])
  shares = np.stack([np.bincount(labels, minlength=task.output_size) for labels in batch.targets]) / MANY
  log_shares = np.log(shares, out=np.full(shares.shape, -100.0), where=shares > 0)
  losses = -np.take_along_axis(log_shares, batch.targets, axis=1)[counted].mean(0)
  # Steps are not independent, so each has its share of the odds.
  freedoms = np.maximum((shares[counted] > 0).sum(1) - 1, 1)
  optimism = np.mean(stats.chi2.isf(ODDS / len(freedoms), freedoms)) / (2 * MANY)
  noise = stats.norm.isf(ODDS) * losses.std() / math.sqrt(MANY)
  assert -noise - 1e-6 <= task.baseline - losses.mean() <= optimism + noise
  assert optimism + noise < 0.15 * task.baseline

  outputs = np.broadcast_to(np.float32(log_shares)[:, None], (task.steps, MANY, task.output_size))
  loss, score = judge(task, outputs, batch)
  assert loss == pytest.approx(losses.mean(), rel=1e-5)
  assert score > 0.4


def test_stories_are_told_of_all_pairs_of_names_with_all_fillers(key):
  """Both questions of all 56 pairs are equally frequent, and so are all pairs of sentences in a gap of 17 words."""
  batch = draw(tasks.long_range_recall(17), key)
  texts = [" ".join(stories.WORDS[i] for i in story) for story in batch.inputs.argmax(-1).T]
  form = re.compile(r"(\w+) walked into the room \. (\w+) walked in too \. (.*) (\w+) said hi to")
  told = [form.fullmatch(text).groups() for text in texts]
  first, second, asked = (np.array([stories.NAMES.index(names[i]) for names in told]) for i in (0, 1, 3))
  asked_first = asked == first
  pairs = np.stack([~np.eye(8, dtype=bool)] * 2, axis=-1)
  assert frequent((first * 8 + second) * 2 + asked_first, pairs)

  sentences = [" ".join(words) for words in stories.FILLERS]
  assert len(set(sentences)) == 12
  fillers = [filler.split() for _, _, filler, _ in told]
  assert {len(filler) for filler in fillers} == {17}
  one, other = (np.array([sentences.index(" ".join(f[start : start + 7])) for f in fillers]) for start in (3, 10))
  assert frequent(12 * one + other, np.ones(144))
  starts = [" ".join(f[:3]) for f in fillers]
  assert set(starts) == {" ".join(words[-3:]) for words in stories.FILLERS}

  # The end of the story excludes one name, and all others are as likely.
  assert frequent(8 * asked + batch.targets[-1], ~np.eye(8, dtype=bool))
  guess = (asked + 3) % 8
  assert near(guess != batch.targets[-1], stories.CHANCE_ERROR)
  np.testing.assert_allclose(stories.CHANCE_ERROR, 6 / 7)

  is_name = batch.inputs[..., :8].sum(-1)
  np.testing.assert_array_equal(is_name.sum(0), 3)
  assert tuple(len(is_name) - 1 - np.flatnonzero(is_name.all(1))) == (*tasks.name_lags(17), 3)
  assert tasks.name_lags(17) == (17 + 14, 17 + 8)


def test_the_story_of_the_introduction_can_be_told():
  text = "jane walked into the room . john walked in too . it was late in the day . jane said hi to john"
  assert set(text.split()) <= set(stories.WORDS)
  assert len(set(stories.WORDS)) == len(stories.WORDS)
  assert len(text.split()) == tasks.long_range_recall(7).steps + 1


def test_words_cues_and_places_are_drawn_evenly_and_apart_from_the_tag(key):
  length = 6
  batch = draw(tasks.tagging(length), key)
  words, each = batch.inputs.argmax(-1), np.arange(MANY)
  assert len(set(TAGGED_WORDS)) == len(TAGGED_WORDS) == batch.inputs.shape[-1]
  assert batch.targets.max() == len(TAGS) - 1
  where, tag = batch.targets.argmax(0), batch.targets.max(0)
  kinds = np.repeat([0, 1, 2, 3], [len(kind) for kind in (AMBIGUOUS, THING_CUES, COMPANY_CUES, NEUTRAL)])[words]
  cue = ((kinds == 1) | (kinds == 2)).argmax(0)
  np.testing.assert_array_equal(kinds[cue, each], tag)

  assert frequent(where * length + cue, [[1 / p if c < p else 0 for c in range(length)] for p in range(length)])
  assert frequent(2 * words[where, each] + tag - 1, np.ones(2 * len(AMBIGUOUS)))
  assert frequent(words[cue, each] - len(AMBIGUOUS), np.repeat([1 / 6, 1 / 6], 6))
  assert frequent(5 * (tag - 1) + where - 1, np.ones(10))
  neutral = words[kinds == 3] - words[kinds == 3].min()
  assert frequent(neutral, np.ones(len(NEUTRAL)))


def test_a_word_alone_does_not_tell_its_tag(key):
  """At length 1 every rule is wrong in half of all cases, even the best one on other data."""
  task = tasks.tagging(1)
  one, other = (draw(task, k) for k in jax.random.split(key))
  words, others = one.inputs[0].argmax(-1), other.inputs[0].argmax(-1)
  counts = np.zeros((len(TAGGED_WORDS), 3))
  np.add.at(counts, (words, one.targets[0]), 1)
  assert frequent(2 * words + one.targets[0] - 1, np.ones(2 * len(AMBIGUOUS)))
  assert near(counts.argmax(1)[others] != other.targets[0], 0.5)


def test_the_score_of_tags_sees_the_ambiguous_words_alone(key):
  task = tasks.tagging(6)
  batch = draw(task, key)
  right = np.eye(3, dtype=np.float32)[batch.targets]
  wrong = np.roll(right, 1, axis=-1)
  is_ambiguous = batch.targets[..., None] > 0
  assert judge(task, np.where(is_ambiguous, 30 * right, 30 * wrong), batch) == pytest.approx((25, 0))
  assert judge(task, np.where(is_ambiguous, 30 * wrong, 30 * right), batch) == pytest.approx((5, 1))
  some = is_ambiguous & (np.arange(MANY)[:, None] < 0.4 * MANY)
  assert judge(task, np.where(some, 30 * wrong, 30 * right), batch) == pytest.approx((2, 0.4))


def session(batch):
  """(taste [4, B], variant [T, B]) of items 1 ... T, read from the inputs and the last target."""
  items = np.concatenate([batch.inputs.argmax(-1), batch.targets[-1:]])
  places, variants = np.divmod(items[1:] - 16, 4)
  np.testing.assert_array_equal(places, np.broadcast_to(np.arange(len(places))[:, None] % 4, places.shape))
  return np.array([[taste // 2**d % 2 for taste in items[0]] for d in range(4)]), variants


def test_sessions_follow_the_taste_but_for_clicks_at_random(key):
  batch = draw(tasks.next_item(12), key)
  taste, variants = session(batch)
  left = np.arange(11) % 4  # the department of the item before
  assert frequent(4 * (taste.T @ [1, 2, 4, 8]) + variants[0], np.ones(64))
  moves = (np.diff(variants, axis=0) - 1 - taste[left]) % 4
  share = sessions.NOISE / 4
  assert sessions.NOISE == 0.1
  assert frequent(moves.ravel(), [1 - 3 * share, share, share, share])
  # Clicks at random do not depend on taste, step or item.
  clicked = moves > 0
  for label in (taste[left], variants[:-1], np.broadcast_to(np.arange(11)[:, None], moves.shape)):
    table = np.array([np.bincount(clicked[label == i], minlength=2) for i in range(label.max() + 1)])
    assert stats.chi2_contingency(table).pvalue > ODDS


def test_errors_of_the_best_predictors_of_a_session(key):
  """By enumeration, and as measured: with the taste, from the last item, and from windows of four and of five items."""
  after = np.zeros((4, 2, 4))  # variant, taste -> next variant
  for v in range(4):
    for b in range(2):
      after[v, b] += sessions.NOISE / 4
      after[v, b, (v + 1 + b) % 4] += 1 - sessions.NOISE
  np.testing.assert_allclose(after.sum(-1), 1)
  np.testing.assert_allclose(1 - after.max(-1), sessions.BAYES_ERROR)
  np.testing.assert_allclose(1 - after.mean(1).max(-1), sessions.MARKOV_ERROR)
  # Two moves from variant 0, of one taste: the first is seen, and the best guess of the second is right.
  both = np.mean([np.outer(after[0, b], after[0, b]) for b in (0, 1)], axis=0)
  np.testing.assert_allclose(1 - both.max(1).sum(), sessions.FIVE_ITEMS_ERROR)
  three_of_four = (3 * sessions.BAYES_ERROR + sessions.MARKOV_ERROR) / 4
  solved_below = tasks.next_item(5).solved_below
  assert sessions.BAYES_ERROR < solved_below < sessions.FIVE_ITEMS_ERROR < three_of_four < sessions.MARKOV_ERROR

  task = tasks.next_item(12)
  one, other = (session(draw(task, k)) for k in jax.random.split(key))
  taste, variants = other
  knowing = (variants[:-1] + 1 + np.tile(taste, (3, 1))[:-1]) % 4
  assert near(knowing != variants[1:], sessions.BAYES_ERROR)

  def wrong(window):
    """Errors of the best rule for what follows `window` items that end with items 5 ... 11, the step known, on other data."""
    index = lambda v, end: 4 ** np.arange(window) @ v[end - window : end]
    errors = []
    for end in range(5, 12):
      counts = np.zeros((4**window, 4))
      np.add.at(counts, (index(one[1], end), one[1][end]), 1)
      errors.append(counts.argmax(1)[index(variants, end)] != variants[end])
    return np.array(errors)

  # Errors of one visitor are not independent; they are as much so as those of all visitors at one step are.
  tolerance = stats.norm.isf(ODDS) * 0.5 / math.sqrt(MANY)
  assert abs(wrong(1).mean() - sessions.MARKOV_ERROR) < tolerance
  assert abs(wrong(4).mean() - sessions.MARKOV_ERROR) < tolerance
  # Rare windows are too few for the best rule, so the measured error is a bit larger.
  assert -tolerance < wrong(5).mean() - sessions.FIVE_ITEMS_ERROR < 2 * tolerance
