"""The grammar, read by a parser of its own."""

import hashlib
import re

import numpy as np
import pytest

from experiments.language import grammar, sources, text

lexicon = lambda line: set(line.split())
SINGULAR = lexicon("boy man king brother girl woman queen sister dog cat bird horse house garden river tree field road")
PLURAL = {{"man": "men", "woman": "women"}.get(noun, noun + "s") for noun in SINGULAR}
NAMES = lexicon("john peter tom paul mary anna jane lucy")
HE, SHE = lexicon("boy man king brother john peter tom paul"), lexicon("girl woman queen sister mary anna jane lucy")
INTRANSITIVE, TRANSITIVE = lexicon("sleep run sing wait laugh walk"), lexicon("see like follow help know hear")
ADJECTIVES = lexicon("small big young tired quiet happy white black brave hungry")
ADVERBS, PREPOSITIONS = lexicon("quickly often always here"), lexicon("near behind in with under beside")
OF_ONE, OF_MANY = lexicon("a this every"), lexicon("some these many")
DETERMINERS = OF_ONE | OF_MANY | {"the"}


def parse(sentence):
  """The number of words between head and verb of every subject; raises AssertionError for what is not grammatical."""
  rest = [*re.findall(r"\w+|[.,]", sentence.lower()), "end"][::-1]
  gaps = []

  def take(allowed):
    assert rest[-1] in allowed, f"{rest[-1]!r} in {sentence!r}"
    return rest.pop()

  def noun_phrase():
    """The head, whether it is plural, and the number of words after it; takes all modifiers that follow."""
    if rest[-1] in NAMES:
      return rest.pop(), False, 0
    determiner = take(DETERMINERS)
    if rest[-1] in ADJECTIVES:
      rest.pop()
    head = take(SINGULAR | PLURAL)
    plural, after = head in PLURAL, len(rest)
    assert determiner not in (OF_ONE if plural else OF_MANY), f"{determiner!r} in {sentence!r}"
    if rest[-1] in PREPOSITIONS:
      rest.pop()
      noun_phrase()
    elif rest[-1] == "that":
      rest.pop()
      if rest[-1] in NAMES | DETERMINERS:
        verb(TRANSITIVE, subject()[1])
      else:
        verb_phrase(plural)
    return head, plural, after - len(rest)

  def subject():
    head, plural, gap = noun_phrase()
    gaps.append(gap)
    return head, plural

  def verb(kind, plural):
    take({bare if plural else bare + "s" for bare in kind})

  def verb_phrase(plural):
    if rest[-1] in {"is", "are"}:
      take({"are" if plural else "is"})
      take(ADJECTIVES)
    elif rest[-1].removesuffix("s") in INTRANSITIVE:
      verb(INTRANSITIVE, plural)
      if rest[-1] in ADVERBS:
        rest.pop()
    else:
      verb(TRANSITIVE, plural)
      noun_phrase()

  head, plural = subject()
  verb_phrase(plural)
  if rest[-1] == ",":
    rest.pop()
    take({"and", "but", "because", "while"})
    take({"they" if plural else "he" if head in HE else "she" if head in SHE else "it"})
    verb_phrase(plural)
  take({"."})
  take({"end"})
  return gaps


def test_every_sentence_of_the_grammar_agrees_over_many_words(seed):
  sentences = grammar.sentences(4000, seed)
  gaps = np.array([gap for sentence in sentences for gap in parse(sentence)])
  assert np.mean(gaps >= 4) > 0.15
  assert np.max(gaps) >= 10


@pytest.mark.parametrize(
  "wrong",
  [
    "The boys near the king sleeps.",
    "The boy that the dogs follows sleeps.",
    "The boy that the dogs follow sleep.",
    "A boys sleep.",
    "Mary sees the king, and he sleeps.",
    "These queens that like John are happy, because she sing.",
    "The dog sleeps",
  ],
)
def test_the_parser_rejects_what_does_not_agree(wrong):
  with pytest.raises(AssertionError, match=re.escape(repr(wrong))):
    parse(wrong)


def test_the_grammar_is_one_text_on_every_machine():
  sentences = sources.sentences("grammar")
  assert len(sentences) == 20_000
  # A change of the grammar changes what runs on it mean: do not repair this lightly.
  digest = hashlib.sha256("\n".join(sentences).encode()).hexdigest()
  assert digest == "09e0b1cceec4a4d4abaa66db5cb1f739367799a5edef8bc2a75f2e2876bd4c91"
  corpus = text.load("grammar", "word", 0)
  assert len(corpus.vocabulary) == 110
  assert corpus.name == "grammar"
  assert all(sentence[0].isupper() for sentence in sentences)
