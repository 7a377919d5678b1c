"""A small probabilistic grammar of English, whose agreements need a memory.

    S    -> NP VP . | NP VP , Conj Pronoun VP .
    NP   -> Name | Det Adj? Noun Mod?
    Mod  -> Prep NP | that VP | that NP Vt
    VP   -> is Adj | Vi Adv? | Vt NP

The verb of every clause has the number of its subject, and the pronoun the number and gender of the first subject, whatever
stands between: `The boys near the queen that the dog follows sleep, and they ...`. In a fifth of the clauses that is four words
or more, at most about twenty, and the noun nearest to the verb often has the other number. Where a phrase may modify two nouns
it modifies the nearer, so every sentence has a single derivation.

References: Elman, "Distributed representations, simple recurrent networks, and grammatical structure", Machine Learning 7
(1991); Linzen, Dupoux & Goldberg, "Assessing the ability of LSTMs to learn syntax-sensitive dependencies", TACL 4 (2016).
"""

from collections.abc import Sequence
import functools
import random
from typing import NamedTuple, TypeVar

SENTENCES = 20_000
SEED = 0

# Pairs are (singular, plural), and the last word of a noun is the pronoun of its singular.
NOUNS = (
  *(("boy", "boys", "he"), ("man", "men", "he"), ("king", "kings", "he"), ("brother", "brothers", "he")),
  *(("girl", "girls", "she"), ("woman", "women", "she"), ("queen", "queens", "she"), ("sister", "sisters", "she")),
  *(("dog", "dogs", "it"), ("cat", "cats", "it"), ("bird", "birds", "it"), ("horse", "horses", "it")),
)
PLACES = (
  *(("house", "houses", "it"), ("garden", "gardens", "it"), ("river", "rivers", "it")),
  *(("tree", "trees", "it"), ("field", "fields", "it"), ("road", "roads", "it")),
)
NAMES = (
  *(("John", "he"), ("Peter", "he"), ("Tom", "he"), ("Paul", "he")),
  *(("Mary", "she"), ("Anna", "she"), ("Jane", "she"), ("Lucy", "she")),
)
DETERMINERS = (("the", "a", "this", "every"), ("the", "some", "these", "many"))
ADJECTIVES = ("small", "big", "young", "tired", "quiet", "happy", "white", "black", "brave", "hungry")
INTRANSITIVE = (
  *(("sleeps", "sleep"), ("runs", "run"), ("sings", "sing")),
  *(("waits", "wait"), ("laughs", "laugh"), ("walks", "walk")),
)
TRANSITIVE = (
  *(("sees", "see"), ("likes", "like"), ("follows", "follow")),
  *(("helps", "help"), ("knows", "know"), ("hears", "hear")),
)
COPULA = ("is", "are")
ADVERBS = ("quickly", "often", "always", "here")
PREPOSITIONS = ("near", "behind", "in", "with", "under", "beside")
CONJUNCTIONS = ("and", "but", "because", "while")

# The chance that a noun is modified, by the number of modifiers it stands within.
MODIFIED = (0.6, 0.5, 0.4, 0.3, 0.0)

T = TypeVar("T")


class NounPhrase(NamedTuple):
  words: list[str]
  plural: int
  pronoun: str


def _one_of(rng: random.Random, options: Sequence[T]) -> T:
  # `random` alone gives the same numbers in every version of Python.
  return options[int(rng.random() * len(options))]


def _noun_phrase(rng: random.Random, depth: int, nouns: Sequence[tuple[str, str, str]] = NOUNS) -> NounPhrase:
  if rng.random() < 0.25:
    name, pronoun = _one_of(rng, NAMES)
    return NounPhrase([name], 0, pronoun)
  plural = int(rng.random() < 0.5)
  noun = _one_of(rng, nouns)
  adjective = [_one_of(rng, ADJECTIVES)] if rng.random() < 0.25 else []
  words = [_one_of(rng, DETERMINERS[plural]), *adjective, noun[plural]]
  if rng.random() < MODIFIED[depth]:
    words += _modifier(rng, plural, depth + 1)
  return NounPhrase(words, plural, "they" if plural else noun[2])


def _modifier(rng: random.Random, plural: int, depth: int) -> list[str]:
  kind = rng.random()
  if kind < 0.4:
    return [_one_of(rng, PREPOSITIONS), *_noun_phrase(rng, depth, PLACES + NOUNS).words]
  if kind < 0.7:
    return ["that", *_verb_phrase(rng, plural, depth)]
  subject = _noun_phrase(rng, depth)
  return ["that", *subject.words, _one_of(rng, TRANSITIVE)[subject.plural]]


def _verb_phrase(rng: random.Random, plural: int, depth: int) -> list[str]:
  kind = rng.random()
  if kind < 0.2:
    return [COPULA[plural], _one_of(rng, ADJECTIVES)]
  if kind < 0.6:
    adverb = [_one_of(rng, ADVERBS)] if rng.random() < 0.3 else []
    return [_one_of(rng, INTRANSITIVE)[plural], *adverb]
  return [_one_of(rng, TRANSITIVE)[plural], *_noun_phrase(rng, depth).words]


def _sentence(rng: random.Random) -> str:
  subject = _noun_phrase(rng, 0)
  text = " ".join(subject.words + _verb_phrase(rng, subject.plural, 1))
  if rng.random() < 0.4:
    clause = [_one_of(rng, CONJUNCTIONS), subject.pronoun, *_verb_phrase(rng, int(subject.pronoun == "they"), 1)]
    text += ", " + " ".join(clause)
  return text[0].upper() + text[1:] + "."


@functools.cache
def sentences(count: int = SENTENCES, seed: int = SEED) -> tuple[str, ...]:
  """`count` independent sentences, the same for a seed on every machine."""
  rng = random.Random(seed)
  return tuple(_sentence(rng) for _ in range(count))
