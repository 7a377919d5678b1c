"""A toy pair of languages: English with about 30 words, and an invented language into which rules translate it word by word.

    S   -> C ((and | because) C)*             C   -> NP VP                  VP -> Vi | Vt NP
    NP  -> the? Adj* N (that VP)?             a singular noun has an article; a relative clause contains no other

    the old dogs that saw cats ate because the girl slept  ->  la lin dorma do la kani veti ke muri vidan voran

Every word has a translation, but its form and place depend on other words:
- the noun precedes its adjectives. They come in reverse order and agree with it in number (-i);
- the verb ends its clause. It agrees with its subject in number (-a, -an), which the English past tense does not show;
- the translation of `ate` starts with `man` for people and with `vor` for animals;
- the clause after `because` moves to the front: "A because B" becomes "B do A".

A grammar that writes both sides at once is a syntax-directed transduction.

Reference: Lewis & Stearns, "Syntax-directed transduction", Journal of the ACM 15 (1968).
"""

from collections.abc import Mapping, Sequence
import random
from typing import NamedTuple, TypeVar

import numpy as np

from recurrent_lab.tasks.task import check_at_least
from recurrent_lab.tasks.translation import ParallelCorpus

ANIMALS = {"dog": "kan", "cat": "mur", "horse": "tek"}
PEOPLE = {"girl": "lin", "boy": "bod", "king": "reg"}
THINGS = {"apple": "pom", "cake": "tor"}
NOUNS = {**ANIMALS, **PEOPLE, **THINGS}
SUBJECTS = (*ANIMALS, *PEOPLE)
ADJECTIVES = {"small": "pik", "old": "vet", "white": "alb", "hungry": "fam"}
TRANSITIVE = {"saw": ("vid", "vid"), "found": ("trov", "trov"), "ate": ("vor", "man")}  # (for animals, for people)
INTRANSITIVE = {"slept": ("dorm", "dorm"), "ran": ("kur", "kur"), "ate": TRANSITIVE["ate"]}
SMALL_WORDS = {"the": "la", "that": "ke", "and": "e", "because": "do"}

SOURCE_WORDS = (
  "</s>",
  *SMALL_WORDS,
  *(noun + ending for noun in NOUNS for ending in ("", "s")),
  *ADJECTIVES,
  *dict.fromkeys((*TRANSITIVE, *INTRANSITIVE)),
)
TARGET_WORDS = (
  "</s>",
  *SMALL_WORDS.values(),
  *(stem + ending for stem in (*NOUNS.values(), *ADJECTIVES.values()) for ending in ("", "i")),
  *dict.fromkeys(
    stem + ending
    for stems in (*TRANSITIVE.values(), *INTRANSITIVE.values())
    for stem in stems
    for ending in ("a", "an")
  ),
)

T = TypeVar("T")


class Phrase(NamedTuple):
  source: list[str]
  target: list[str]


class Noun(NamedTuple):
  word: str
  is_plural: bool


def _one_of(rng: random.Random, options: Sequence[T]) -> T:
  # `random.random` is the only method that gives the same numbers in every version of Python.
  return options[int(rng.random() * len(options))]


def _verb(rng: random.Random, verbs: Mapping[str, tuple[str, str]], subject: Noun) -> tuple[str, str]:
  verb = _one_of(rng, [*verbs])
  return verb, verbs[verb][subject.word in PEOPLE] + ("an" if subject.is_plural else "a")


def _verb_phrase(rng: random.Random, subject: Noun, depth: int) -> Phrase:
  if rng.random() < 0.5:
    verb, translated = _verb(rng, INTRANSITIVE, subject)
    return Phrase([verb], [translated])
  verb, translated = _verb(rng, TRANSITIVE, subject)
  _, complement = _noun_phrase(rng, [*NOUNS], depth)
  return Phrase([verb, *complement.source], [*complement.target, translated])


def _noun_phrase(rng: random.Random, nouns: Sequence[str], depth: int) -> tuple[Noun, Phrase]:
  noun = Noun(_one_of(rng, nouns), rng.random() < 0.5)
  articles = ["the"] if not noun.is_plural or rng.random() < 0.5 else []
  adjectives: list[str] = []
  for _ in range(_one_of(rng, (0, 0, 1, 2))):
    adjectives.append(_one_of(rng, [adjective for adjective in ADJECTIVES if adjective not in adjectives]))
  ending = "i" if noun.is_plural else ""
  source = [*articles, *adjectives, noun.word + ("s" if noun.is_plural else "")]
  target = [SMALL_WORDS[article] for article in articles]
  target += [stem + ending for stem in (NOUNS[noun.word], *(ADJECTIVES[a] for a in reversed(adjectives)))]
  if depth == 0 and noun.word in SUBJECTS and rng.random() < 0.2:
    relative = _verb_phrase(rng, noun, depth + 1)
    source += ["that", *relative.source]
    target += [SMALL_WORDS["that"], *relative.target]
  return noun, Phrase(source, target)


def _clause(rng: random.Random) -> Phrase:
  noun, subject = _noun_phrase(rng, SUBJECTS, 0)
  predicate = _verb_phrase(rng, noun, 0)
  return Phrase(subject.source + predicate.source, subject.target + predicate.target)


def _sentence(rng: random.Random) -> Phrase:
  sentence = _clause(rng)
  while rng.random() < 0.5:
    word, clause = _one_of(rng, ("and", "because")), _clause(rng)
    first, second = (clause, sentence) if word == "because" else (sentence, clause)
    sentence = Phrase([*sentence.source, word, *clause.source], [*first.target, SMALL_WORDS[word], *second.target])
  return sentence


def _rows(sentences: Sequence[Sequence[str]], words: Sequence[str], width: int) -> np.ndarray:
  ids = {word: i for i, word in enumerate(words)}
  rows = np.zeros((len(sentences), width), np.int32)
  for row, sentence in zip(rows, sentences, strict=True):
    row[: len(sentence)] = [ids[word] for word in sentence]
  return rows


def toy_language(count: int, longest: int, seed: int = 0) -> ParallelCorpus:
  """Draws `count` sentences and returns those of at most `longest` words with their translations, each once, in random order.

  The corpus has N ≤ count pairs, S = longest and T = longest + 1. A seed gives the same sentences on every machine.

  Raises:
    ValueError: for a `count` below 1, a `longest` below 2, or if no sentence is left.
  """
  check_at_least("count", count, 1)
  check_at_least("longest", longest, 2)
  rng = random.Random(seed)
  drawn = [_sentence(rng) for _ in range(count)]
  translated = {tuple(sentence.source): sentence.target for sentence in drawn if len(sentence.source) <= longest}
  if not translated:
    raise ValueError(f"None of {count} sentences has at most {longest} words; draw more.")
  # Shuffled, because sentences that are first drawn late are mostly long: the short ones have come before.
  sentences = sorted(translated, key=lambda sentence: rng.random())
  return ParallelCorpus(
    source=_rows(sentences, SOURCE_WORDS, longest),
    target=_rows([translated[sentence] for sentence in sentences], TARGET_WORDS, longest + 1),
    source_words=SOURCE_WORDS,
    target_words=TARGET_WORDS,
  )
