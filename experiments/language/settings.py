"""Settings of language models: those of training runs, and the text that they read."""

import dataclasses
from functools import cache
from pathlib import Path

from experiments.language import sources, text
from experiments.training import SETTINGS, RunSettings
from recurrent_lab.tasks import Task, language
from sweepkit.settings import NON_NEGATIVE_INT, Reference, Setting, Settings, one_of

# Beyond those of other training runs: what a text is read from, and as what.
TEXT_SETTINGS: Settings = {
  "corpus": Setting(
    str,
    "auto",
    "the text: kjv (an extra), grammar (built in), a file, or auto (kjv if installed, else grammar)",
    lambda name: True,
    "kjv, grammar, auto, or the path of a UTF-8 text",
    canonical=lambda name: sources.canonical(sources.default_corpus() if name == "auto" else name),
    reference=Reference(sources.find, sources.is_same, shown=lambda name: Path(name).name),
  ),
  "unit": Setting(str, "word", "what a token is", *one_of(text.UNITS)),
  "vocabulary": Setting(
    int,
    "8000",
    "tokens told apart, with the unknown and the sentence token; 0 for all",
    *NON_NEGATIVE_INT,
    units="tokens",
  ),
}

_ONLY_LANGUAGE = one_of(("language",))
LANGUAGE_SETTINGS: Settings = {
  **SETTINGS,
  **TEXT_SETTINGS,
  "task": SETTINGS["task"]._replace(default="language", check=_ONLY_LANGUAGE[0], allowed=_ONLY_LANGUAGE[1]),
  "noise": Setting(
    float,
    "0",
    "share of the input tokens replaced in training",
    lambda v: 0 <= v < 1,
    "at least 0 and below 1",
    units="1",
  ),
  "decay": Setting(str, "cosine", "how the learning rate falls over the updates", *one_of(("cosine", "none"))),
}

# Defaults that the studies of language models share.
DEFAULTS = {
  "length": "64",
  "batch": "8",
  "stop": "never",
  "learning_rate": "0.02",
  "recurrent_init": "orthogonal",
  "input_gain": "90",  # one of thousands of inputs is 1, and is to count
  "output_gain": "0.1",
  "forget_bias": "1",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextSettings:
  """A text as tokens, as `TEXT_SETTINGS` explains."""

  corpus: str
  unit: str
  vocabulary: int

  def load(self) -> text.Corpus:
    """Returns the text in tokens.

    Raises:
      TextError: if the text is missing, or its vocabulary cannot be as large as was asked for.
    """
    return text.load(self.corpus, self.unit, self.vocabulary)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LanguageSettings(RunSettings, TextSettings):
  """The settings of a language model in training, as `LANGUAGE_SETTINGS` explains them."""

  noise: float

  def make_task(self) -> Task:
    """Returns the task of predicting the next token. Equal settings give the identical task.

    Raises:
      ValueError: if the text or the length cannot be used, naming the flag.
    """
    return _task(self.corpus, self.unit, self.vocabulary, self.length, self.noise)


@cache
def _task(corpus: str, unit: str, vocabulary: int, length: int, noise: float) -> Task:
  try:
    tokens = text.load(corpus, unit, vocabulary)
    return language(tokens.train, tokens.valid, len(tokens.vocabulary), length, noise)
  except sources.TextError as error:
    raise ValueError(f"--corpus: {error}") from None
  except ValueError as error:
    raise ValueError(f"--length: {error}") from None
