"""The translation experiment: what a net writes and its gradients against loops over steps, pairs of verses, a run as a whole."""

import sys
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import translation
from experiments.language import pairs, text
import recurrent_lab as rl
from recurrent_lab import sequence
from recurrent_lab.tasks import Batch, Task
from recurrent_lab.tasks.translation import translation as translation_task
from sweepkit import runner, store

TINY = (
  "--cells=rnn",
  "--length=6",
  "--hidden_size=4",
  "--batch=4",
  "--updates=2",
  "--optimizer=sgd",
  "--recurrent_init=identity",
  "--seeds=1",
)
SOURCES, TARGETS, HIDDEN = 7, 6, 3  # tokens of each language; units
WORDS = ("</s>", "a", "b", "c", "d", "e")


@pytest.fixture
def few_sentences(monkeypatch):
  monkeypatch.setattr(pairs, "TOY_SENTENCES", 600)
  for cached in (pairs.load, translation._task):
    cached.cache_clear()
  yield
  for cached in (pairs.load, translation._task):
    cached.cache_clear()


class Tiny(NamedTuple):
  """An Elman net to read and one to write, and sentences of 1 to 5 words, one of each length first."""

  task: Task
  params: rl.WithReadoutParams
  batch: Batch
  reader: rl.RNNParams  # the same parameters for NumPy
  writer: rl.RNNParams
  readout: rl.ReadoutParams

  def read(self, source, more=0.0):
    """The state after a source, with something added to what each word puts in."""
    s = np.zeros(HIDDEN)
    for word, extra in zip(source, np.broadcast_to(more, (len(source), HIDDEN)), strict=True):
      s = np.tanh(self.reader.input_kernel[word] + extra + s @ self.reader.recurrent_kernel + self.reader.bias)
    return s

  def write(self, s, given):
    s = np.tanh(self.writer.input_kernel[given] + s @ self.writer.recurrent_kernel + self.writer.bias)
    return s, s @ self.readout.kernel + self.readout.bias


@pytest.fixture
def tiny(rng):
  lengths = np.append(np.arange(1, 6), rng.integers(1, 6, 5))
  source = np.where(np.arange(5) < lengths[:, None], rng.integers(1, SOURCES, (10, 5)), 0)
  target = np.where(np.arange(6) < lengths[::-1, None], rng.integers(1, TARGETS, (10, 6)), 0)
  task = translation_task(source, target, SOURCES, TARGETS, test_share=0.9)
  draw = lambda *shape: jnp.asarray(rng.normal(0, 0.6, shape), jnp.float32)
  net = lambda tokens: rl.RNNParams(draw(tokens, HIDDEN), draw(HIDDEN, HIDDEN), draw(HIDDEN))
  params = rl.WithReadoutParams(
    sequence.EncoderDecoderParams(net(SOURCES), net(TARGETS)), rl.ReadoutParams(draw(HIDDEN, TARGETS), draw(TARGETS))
  )
  in_numpy = jax.tree.map(lambda a: np.asarray(a, np.float64), (*params.cell, params.readout))
  batch = jax.tree.map(np.asarray, task.test(jax.random.key(0), 9))
  return Tiny(task, params, batch, *in_numpy)


def real(column):
  return [int(i) for i in column if i]


def test_a_net_writes_what_it_finds_most_probable_until_the_end(tiny):
  bias = tiny.params.readout.bias
  seen = set()
  # The less probable the end, the longer the texts.
  for end in (-3.0, 0.0, 3.0):
    params = tiny.params._replace(readout=tiny.params.readout._replace(bias=bias.at[0].set(end)))
    tiny.readout.bias[0] = end
    written = translation.translate(rl.rnn(), params, tiny.batch, WORDS)
    assert len(written) == 9
    for b, sentence in enumerate(written):
      s, word, expected = tiny.read(real(tiny.batch.inputs.source[:, b])), 0, []
      for _ in range(6):
        s, logits = tiny.write(s, word)
        word = int(np.argmax(logits))
        if word == 0:
          break
        expected.append(WORDS[word])
      assert sentence == expected
      seen.add(len(sentence))
  assert len(seen) > 1


def test_gradient_of_the_source_is_that_of_each_sentence_alone(tiny):
  """Against finite differences."""

  def loss(source, target, more):
    s, nats, given = tiny.read(source, more), [], 0
    for wanted in [*target, 0]:
      s, logits = tiny.write(s, given)
      nats.append(np.log(np.sum(np.exp(logits))) - logits[wanted])
      given = wanted
    return np.mean(nats)

  logs = np.asarray(translation._source_gradient(rl.rnn(), tiny.task, tiny.params, tiny.batch))
  lengths, found = [], []
  for b in range(9):
    source, target = real(tiny.batch.inputs.source[:, b]), real(tiny.batch.targets[:, b])
    steps = 1e-5 * np.eye(len(source) * HIDDEN).reshape(-1, len(source), HIDDEN)
    slopes = np.array([loss(source, target, step) - loss(source, target, -step) for step in steps]) / 2e-5
    expected = np.log(np.linalg.norm(slopes.reshape(len(source), HIDDEN), axis=1))
    np.testing.assert_allclose(logs[: len(source), b], expected, atol=2e-3)
    assert np.all(logs[len(source) :, b] == -np.inf)
    lengths.append(len(source))
    found.append(expected)
  for length in {*lengths}:
    chosen = [b for b in range(9) if lengths[b] == length]
    means = [np.mean([found[b][length - 1 - distance] for b in chosen]) for distance in range(length)]
    profile = translation.by_distance(logs[:, chosen], length)
    np.testing.assert_allclose(profile, [*means, *[np.nan] * (5 - length)], atol=2e-3)


@pytest.mark.parametrize(("longest", "ends"), [(8, [2, 4, 6, 8]), (10, [3, 5, 8, 10]), (3, [1, 2, 3]), (1, [1])])
def test_classes_of_lengths_end_with_the_longest(longest, ends):
  assert translation.length_classes(longest) == ends


def test_verses_as_pairs(monkeypatch, capsys):
  """Sources that are too long or there twice are left out; the held-out part has words that the vocabulary lacks."""
  old = [f"word{i} and word{i % 7}" for i in range(120)]
  verses = [*((a, f"new {a}") for a in old), (old[0], "another"), ("a b c d e f", "short"), ("short", "a b c d e f")]
  monkeypatch.setattr(text, "verse_pairs", lambda: verses)
  found = pairs.load.__wrapped__("kjv", 5, 0)
  assert "kjv: 120 of 123 pairs" in capsys.readouterr().err
  assert sorted(found.sources) == sorted(tuple(a.split()) for a in old)
  assert found.training == 114
  assert found.sources[:5] != [tuple(a.split()) for a in old[:5]]
  for rows, names, sentences in (
    (found.corpus.source, found.corpus.source_words, found.sources),
    (found.corpus.target, found.corpus.target_words, found.targets),
  ):
    learned = {word for sentence in sentences[:114] for word in sentence}
    assert names[:2] == ("</s>", "<unk>")
    assert set(names[2:]) == learned
    for row, sentence in zip(rows, sentences, strict=True):
      assert [names[i] for i in row if i] == [word if word in learned else "<unk>" for word in sentence]
  assert all(target == ("new", *source) for source, target in zip(found.sources, found.targets, strict=True))
  small = pairs.load.__wrapped__("kjv", 5, 4)
  assert small.corpus.source_words[2] == "and"
  assert len(small.corpus.source_words) == len(small.corpus.target_words) == 4


def test_a_dictionary_finds_the_word_that_goes_along(few_sentences):
  found = pairs.load("toy", 6, 0)
  known = pairs.dictionary(found)
  assert {word: known[word] for word in ("the", "dogs", "kings", "because", "slept")} == {
    "the": "la", "dogs": "kani", "kings": "regi", "because": "do", "slept": known["slept"]
  }  # fmt: skip
  assert known["slept"] in ("dorma", "dorman")
  # The coefficient by sets, for one word.
  having = lambda sentences, word: {i for i in range(found.training) if word in sentences[i]}
  a = having(found.sources, "ate")
  dice = {
    word: 2 * len(a & having(found.targets, word)) / (len(a) + len(having(found.targets, word)))
    for word in found.corpus.target_words[1:]
  }
  assert dice[known["ate"]] == max(dice.values())


def test_scores_of_what_is_right_and_what_is_not():
  right = [["ab", "cd", "ef", "gh"], ["x", "y", "z", "u"]]
  assert pairs.scores(right, right) == pytest.approx((100, 100, 1))
  assert pairs.scores([["q"] * 4, ["r"] * 4], right)[0] == 0
  chrf, bleu, exact = pairs.scores([right[0], ["x", "y", "z", "v"]], right)
  # 7 of 8 words, 5 of 6 pairs, 3 of 4 triples and 1 of 2 quadruples are right.
  assert bleu == pytest.approx(100 * (7 / 8 * 5 / 6 * 3 / 4 * 1 / 2) ** 0.25)
  assert 50 < chrf < 100
  assert exact == 0.5
  assert np.isnan(pairs.scores([], [])).all()


@pytest.mark.slow
def test_a_run_from_flags_to_results(few_sentences, tmp_path, capsys):
  assert runner.main(translation.EXPERIMENT, [*TINY, f"--out={tmp_path}"]) == 0
  assert "toy: " in capsys.readouterr().err
  data = store.load_results(tmp_path / "translation").squeeze(drop=True)
  assert np.all(data.status == store.STATUS.index("ok"))
  found = pairs.load("toy", 6, 0)
  held_out = found.sources[found.training :]
  assert data.source_length.values.tolist() == [2, 3, 5, 6]
  counts = [sum(len(s) in lengths for s in held_out) for lengths in ((1, 2), (3,), (4, 5), (6,))]
  np.testing.assert_array_equal(data.sentences_by_length, counts)
  # An untrained net is worse than a dictionary, which is better than no translation at all.
  for score in (data.chrf, data.bleu):
    net, dictionary, source = (score.sel(translator=name) for name in translation.TRANSLATORS)
    assert np.all(net < dictionary)
    assert np.all(source < dictionary)
  shares = data.exact_by_length.sel(translator="dictionary").values
  assert np.nansum(shares * counts) / len(held_out) == pytest.approx(float(data.exact.sel(translator="dictionary")))
  for name in ("log_source_gradient", "first_log_source_gradient"):
    assert np.isfinite(data[name]).all()
  assert np.all(np.isnan(data.log_adjoint))
  assert np.all(np.isfinite(data.test_loss))
  assert not np.array_equal(data.log_source_gradient, data.first_log_source_gradient)


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("--omega=1", "omega and floss are not defined for the tokens of translation"),
    ("--floss=1", "omega and floss are not defined for the tokens of translation"),
    ("--k1=2 --k2=3", "Truncated BPTT is not defined for the two nets of translation; k1 and k2 must be 0"),
    ("--vocabulary=9", "--pairs: The toy language has its own words; vocabulary is 9 and must be 0"),
    ("--pairs=toys", "--pairs: 'toys' is not allowed; it must be one of toy, kjv"),
    ("--length=1", "--length: longest is 1; it must be a whole number of at least 2"),
    ("--length=2", "--length: 11 pairs have at most 2 words a sentence; there must be 100"),
    ("--task=adding", "--task: 'adding' is not allowed; it must be one of translation"),
  ],
)
def test_bad_settings_stop_before_any_work(flag, message, few_sentences, tmp_path, capsys):
  assert runner.main(translation.EXPERIMENT, [*TINY, *flag.split(), f"--out={tmp_path / 'x'}"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "x").exists()


def test_missing_sacrebleu_is_named(monkeypatch, tmp_path, capsys):
  monkeypatch.setitem(sys.modules, "sacrebleu", None)
  assert runner.main(translation.EXPERIMENT, [*TINY, f"--out={tmp_path / 'x'}"]) == 2
  assert (
    "Translations are scored by sacrebleu, which is not installed: pip install sacrebleu." in capsys.readouterr().err
  )
