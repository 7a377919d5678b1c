"""Pairs of sentences that are translations of each other, as tokens and as words, and how good translations of them are.

    toy    generated: `recurrent_lab.tasks.toy_language`
    kjv    verses of the King James Bible and of the Bible in Basic English

Every source appears once, so that none of those held out, the last `TEST_SHARE` in random order, is one of the training part. The
vocabularies are the most frequent words of the training part; other words are `<unk>`.
"""

from collections import Counter
from collections.abc import Sequence
import functools
import random
import sys
from typing import NamedTuple

import numpy as np

from experiments.language import text
from experiments.language.sources import TextError
from recurrent_lab.tasks.toy_language import toy_language
from recurrent_lab.tasks.translation import ParallelCorpus

PAIRS = ("toy", "kjv")
TOY_SENTENCES = 30_000  # drawn; fewer are short enough and distinct
TEST_SHARE = 0.05
FEWEST = 100  # pairs that are worth a training run
SEED = 0  # for the toy language, and for the order of verses

Words = tuple[str, ...]


class Pairs(NamedTuple):
  """Sentences as tokens, and with the words that the vocabularies lack.

  Attributes:
    corpus: N rows of tokens.
    sources: the N sentences in words.
    targets: their translations.
    training: how many of them, from the first on, are to train with.
  """

  corpus: ParallelCorpus
  sources: list[Words]
  targets: list[Words]
  training: int


def _training(count: int) -> int:
  return count - round(TEST_SHARE * count)


@functools.cache
def load(name: str, longest: int, vocabulary: int) -> Pairs:
  """The pairs of that name of which neither sentence has more than `longest` words; tells how many these are.

  Args:
    name: one of `PAIRS`.
    longest: in words and punctuation marks.
    vocabulary: tokens of each language, with those of the end and of unknown words; 0 for all. The toy language has its own.

  Raises:
    TextError: for a vocabulary that is too small or larger than that of the training part, or without the packages of the verses.
    ValueError: if too few pairs are left.
  """
  if name == "toy":
    if vocabulary:
      raise TextError(f"The toy language has its own words; vocabulary is {vocabulary} and must be 0.")
    corpus = toy_language(TOY_SENTENCES, longest, SEED)
    sources, targets = (
      [tuple(words[i] for i in row if i) for row in rows]
      for rows, words in ((corpus.source, corpus.source_words), (corpus.target, corpus.target_words))
    )
    pairs = Pairs(corpus, sources, targets, _training(len(sources)))
    total = TOY_SENTENCES
  else:
    if vocabulary and vocabulary < 3:
      raise TextError(f"A vocabulary of {vocabulary} tokens is too small: the end, the unknown and one word make 3.")
    verses = text.verse_pairs()
    total = len(verses)
    pairs = _of_verses([(tuple(text.words(a)), tuple(text.words(b))) for a, b in verses], longest, vocabulary)
  if len(pairs.sources) < FEWEST:
    raise ValueError(f"{len(pairs.sources)} pairs have at most {longest} words a sentence; there must be {FEWEST}.")
  print(
    f"{name}: {len(pairs.sources)} of {total} pairs are distinct and of at most {longest} words a sentence, {pairs.training} "
    f"to train with; {len(pairs.corpus.source_words)} and {len(pairs.corpus.target_words)} tokens.",
    file=sys.stderr,
  )
  return pairs


def _of_verses(verses: list[tuple[Words, Words]], longest: int, vocabulary: int) -> Pairs:
  short = {a: b for a, b in reversed(verses) if max(len(a), len(b)) <= longest}
  sources = list(short)
  random.Random(SEED).shuffle(sources)
  targets = [short[source] for source in sources]
  training = _training(len(sources))
  old, new = (_vocabulary(side[:training], vocabulary) for side in (sources, targets))
  corpus = ParallelCorpus(_rows(sources, old, longest), _rows(targets, new, longest + 1), old, new)
  return Pairs(corpus, sources, targets, training)


def _vocabulary(sentences: Sequence[Words], size: int) -> Words:
  """`</s>`, `<unk>`, then by decreasing frequency, alphabetically where equal."""
  counts = Counter(word for sentence in sentences for word in sentence)
  ordered = sorted(counts, key=lambda word: (-counts[word], word))
  if size > len(counts) + len(text.SPECIAL):
    raise TextError(
      f"The training part has {len(counts)} distinct words, which make a vocabulary of {len(counts) + len(text.SPECIAL)}; "
      f"{size} were asked for."
    )
  return (*text.SPECIAL, *ordered)[: size or None]


def _rows(sentences: Sequence[Words], vocabulary: Words, width: int) -> np.ndarray:
  ids = {word: i for i, word in enumerate(vocabulary)}
  rows = np.zeros((len(sentences), width), np.int32)
  for row, sentence in zip(rows, sentences, strict=True):
    row[: len(sentence)] = [ids.get(word, 1) for word in sentence]
  return rows


def dictionary(pairs: Pairs) -> dict[str, str]:
  """For every source word w the target word v with the highest Dice coefficient 2 n(w, v) / (n(w) + n(v)) in the training part.

  n counts the sentences, or pairs of sentences, that have the word, or both. Without special tokens.

  Reference: Melamed, "Models of translational equivalence among words", Computational Linguistics 26 (2000).
  """
  corpus = pairs.corpus
  source, target = (_once(rows[: pairs.training]) for rows in (corpus.source, corpus.target))
  shape = len(corpus.source_words), len(corpus.target_words)
  both = np.bincount((source[:, :, None] * shape[1] + target[:, None]).ravel(), minlength=shape[0] * shape[1])
  alone = [np.bincount(rows.ravel(), minlength=size) for rows, size in zip((source, target), shape, strict=True)]
  dice = 2 * both.reshape(shape) / np.maximum(alone[0][:, None] + alone[1], 1)
  is_special = [word in text.SPECIAL for word in corpus.target_words]
  dice[:, is_special] = -1
  best = dice.argmax(axis=1)
  return {
    word: corpus.target_words[j] for word, j in zip(corpus.source_words, best, strict=True) if word not in text.SPECIAL
  }


def _once(rows: np.ndarray) -> np.ndarray:
  """The tokens of every row, each once; 0 elsewhere."""
  rows = np.sort(rows.astype(np.int64), axis=1)
  rows[:, 1:][rows[:, 1:] == rows[:, :-1]] = 0
  return rows


def scores(translations: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> tuple[float, float, float]:
  """(chrF, BLEU, share that is exactly right) of a set of translations, the first two from 0 to 100; NaN of an empty set.

  References: Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT (2015); Papineni et al., "BLEU: a method
  for automatic evaluation of machine translation", ACL (2002); both as sacrebleu has them.
  """
  from sacrebleu.metrics import BLEU, CHRF

  if not translations:
    return np.nan, np.nan, np.nan
  ours, right = ([" ".join(words) for words in sentences] for sentences in (translations, references))
  # They are words already; `force` says that this is meant.
  chrf, bleu = (metric.corpus_score(ours, [right]).score for metric in (CHRF(), BLEU(tokenize="none", force=True)))
  return chrf, bleu, float(np.mean([a == b for a, b in zip(ours, right, strict=True)]))
