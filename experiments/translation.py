"""Can a recurrent encoder and decoder translate, and how far back into the source does the gradient reach?

Claim (the introductions; Sutskever, Vinyals & Le, 2014): one net reads a sentence, and another writes the translation from the
first net's last state alone. Trains both under teacher forcing on a toy language, or from the King James Bible to Basic English.
Then both translate held-out sentences, always writing the most probable word. Two simple translators stand beside them: a
dictionary that translates word by word, and the source as it is.

    chrf, bleu, exact [translator]                   of all held-out sentences: 0 to 100, 0 to 100, the share that is right
    chrf_by_length [translator, source_length]       of those of a class of lengths, named by the longest
    exact_by_length [translator, source_length]
    sentences_by_length [source_length]              how many these are
    log_source_gradient [source_distance]            mean ln ‖∂L/∂x_k‖ over the longest sources: L the loss of a sentence, x_k
                                                     what that word of its source puts in which is so many before the last
    first_log_source_gradient [source_distance]      the same before training

    python -m experiments.translation
    python -m experiments.translation --pairs=kjv --length=16 --vocabulary=2000 --hidden_size=128 --input_gain=40

Expect: LSTM and GRU translate almost nine in ten toy sentences exactly, and all of the short ones; the RNN hardly any, with a
chrF below the dictionary's. Too few verses are short to learn from: the source as it is has chrF 55, a GRU 19 after 400 updates.
"""

from collections.abc import Mapping, Sequence
import dataclasses
from functools import cache, partial
import sys
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

from experiments.language import pairs
from experiments.language.pairs import Pairs
from experiments.language.settings import LANGUAGE_SETTINGS
from experiments.language.sources import TextError
from experiments.training import SETTINGS, TRAIN, After, RunSettings, build, check_settings, followed_by
from experiments.training.settings import TINY
import recurrent_lab as rl
from recurrent_lab import sequence, training
from recurrent_lab.scaled import log_norm
from recurrent_lab.tasks import Batch, Task
from recurrent_lab.tasks.translation import END
from recurrent_lab.tasks.translation import translation as translation_task
from sweepkit import Experiment, Point, Quantity, Setting, main
from sweepkit.points import read
from sweepkit.settings import Settings, one_of

_ONLY_TRANSLATION, _PAIRS = one_of(("translation",)), one_of(pairs.PAIRS)
TRANSLATION_SETTINGS: Settings = {
  **SETTINGS,
  "task": SETTINGS["task"]._replace(default="translation", check=_ONLY_TRANSLATION[0], allowed=_ONLY_TRANSLATION[1]),
  "length": SETTINGS["length"]._replace(
    help="words of the longest sentence in both languages; longer ones are left out"
  ),
  "pairs": Setting(
    str, "toy", "what is translated: a toy language, or King James to Basic English (an extra)", *_PAIRS
  ),
  "vocabulary": LANGUAGE_SETTINGS["vocabulary"]._replace(
    default="0", help="tokens of each language, with the unknown and the end token; 0 for all"
  ),
  "decay": LANGUAGE_SETTINGS["decay"],
}
TRANSLATORS = ("net", "dictionary", "source")
CLASSES = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class TranslationSettings(RunSettings):
  """The settings of a run that learns to translate, as `TRANSLATION_SETTINGS` explains them."""

  pairs: str
  vocabulary: int

  def load(self) -> Pairs:
    """Returns the pairs of sentences."""
    return pairs.load(self.pairs, self.length, self.vocabulary)

  def make_task(self) -> Task:
    """Returns the task of translating. Equal settings give the identical task.

    Raises:
      ValueError: if the pairs or the length cannot be used, naming the flag.
    """
    return _task(self.pairs, self.length, self.vocabulary)


@cache
def _task(of: str, length: int, vocabulary: int) -> Task:
  try:
    both = pairs.load(of, length, vocabulary).corpus
    return translation_task(
      both.source, both.target, len(both.source_words), len(both.target_words), test_share=pairs.TEST_SHARE
    )
  except TextError as error:
    raise ValueError(f"--pairs: {error}") from None
  except ValueError as error:
    raise ValueError(f"--length: {error}") from None


def length_classes(longest: int) -> list[int]:
  """The longest length of each of `CLASSES` classes, as nearly as wide as each other as whole numbers allow."""
  return sorted({-(-longest * i // CLASSES) for i in range(1, CLASSES + 1)})


@partial(jax.jit, static_argnums=(0, 3))
def _greedy(cell: rl.Cell, params: rl.WithReadoutParams, batch: Batch, steps: int) -> Array:
  encoder, source = training.lookup(params.cell.encoder, batch.inputs.source)
  state, _ = sequence.masked_unroll(cell, encoder, source, batch.inputs.source_mask)
  begin = jnp.full(batch.inputs.source.shape[1:], END)
  decoder, x = training.lookup(params.cell.decoder, begin)

  def feed(output: Array, key: Array) -> tuple[Array, Array]:
    word = sequence.choose(rl.readout(params.readout, output), key, temperature=0.0)
    return word, training.lookup(params.cell.decoder, word)[1]

  return sequence.one_to_many(cell, decoder, x, steps, feed, jax.random.key(0), state)[1]


def translate(cell: rl.Cell, params: rl.WithReadoutParams, batch: Batch, words: Sequence[str]) -> list[list[str]]:
  """The translations of a batch's sources: the most probable word, put in again, until it is the end or there are T."""
  written = np.asarray(_greedy(cell, params, batch, len(batch.targets))).T
  return [[words[i] for i in row[: np.argmax(np.append(row, END) == END)]] for row in written]


@partial(jax.jit, static_argnums=(0, 1))
def _source_gradient(cell: rl.Cell, task: Task, params: rl.WithReadoutParams, batch: Batch) -> Array:
  """ln ‖∂L/∂x_k‖ `[S, B]` with L the loss of each sentence, -∞ where the source has ended."""
  encoder, rows = training.lookup(params.cell.encoder, batch.inputs.source)
  params = params._replace(cell=params.cell._replace(encoder=encoder))

  def loss(rows: Array) -> Array:
    outputs = training.predict(cell, params, batch.inputs._replace(source=rows))
    return jnp.sum(jax.vmap(task.loss, in_axes=1)(outputs, batch))

  return log_norm(jax.grad(loss)(rows), batch_ndim=2)


def by_distance(values: np.ndarray, length: int) -> np.ndarray:
  """Means `[S]` of `values [S, B]` over sources of one length, from their last word back; NaN beyond their first."""
  return np.append(values[:length].mean(axis=1)[::-1], np.full(len(values) - length, np.nan))


def measure_translation(settings: TranslationSettings) -> After:
  """Measures what the docstring of this file lists."""
  run, both = build(settings), settings.load()
  sources, references = both.sources[both.training :], both.targets[both.training :]
  batch = run.task.test(jax.random.key(0), len(sources))
  lengths = np.array([len(source) for source in sources])
  ends = length_classes(settings.length)
  classes = [np.flatnonzero((low < lengths) & (lengths <= high)) for low, high in zip([0, *ends], ends, strict=False)]
  # Sources of one length alone: the nets know shorter ones better, which would show as if it were a matter of distance.
  longest = jax.tree.map(lambda a: a[:, lengths == lengths.max()], batch)

  def judge(translations: Sequence[Sequence[str]]) -> dict[str, np.ndarray]:
    part = lambda chosen: pairs.scores([translations[i] for i in chosen], [references[i] for i in chosen])
    (chrf, bleu, exact), each = part(range(len(sources))), np.array([part(chosen) for chosen in classes])
    parts = {"chrf_by_length": each[:, 0], "exact_by_length": each[:, 2]}
    return {name: np.array(value) for name, value in {"chrf": chrf, "bleu": bleu, "exact": exact, **parts}.items()}

  word_for = pairs.dictionary(both)
  others = [judge([[word_for.get(word, word) for word in source] for source in sources]), judge(sources)]

  def measure(before: Any, after: Any) -> dict[str, Any]:
    judged = [judge(translate(run.cell, after, batch, both.corpus.target_words)), *others]
    logs = lambda params: np.asarray(_source_gradient(run.cell, run.task, params, longest))
    return {name: np.stack([scores[name] for scores in judged]) for name in judged[0]} | {
      "sentences_by_length": np.array([len(chosen) for chosen in classes]),
      "log_source_gradient": by_distance(logs(after), lengths.max()),
      "first_log_source_gradient": by_distance(logs(before), lengths.max()),
    }

  return measure


def check(point: Point) -> None:
  """Raises a `ValueError` if the settings of a point do not go together, or what scores translations is not installed."""
  try:
    import sacrebleu  # noqa: F401
  except ImportError:
    raise ValueError("Translations are scored by sacrebleu, which is not installed: pip install sacrebleu.") from None
  check_settings(read(TranslationSettings, point))


DIMS: Mapping[str, Sequence[str]] = {
  "chrf": ("translator",),
  "bleu": ("translator",),
  "exact": ("translator",),
  "chrf_by_length": ("translator", "source_length"),
  "exact_by_length": ("translator", "source_length"),
  "sentences_by_length": ("source_length",),
  "log_source_gradient": ("source_distance",),
  "first_log_source_gradient": ("source_distance",),
}

# A class of lengths may be empty, and no source is as long as the longest distance.
MAY_BE_NAN = ("chrf_by_length", "exact_by_length", "log_source_gradient", "first_log_source_gradient")

EXPERIMENT = Experiment(
  "experiments.translation",
  __doc__,
  dataclasses.replace(
    followed_by(
      measure_translation,
      kind=TranslationSettings,
      dims=DIMS,
      coords=lambda point: {
        "translator": list(TRANSLATORS),
        "source_length": length_classes(int(point["length"])),
        "source_distance": list(range(int(point["length"]))),
      },
      settings=TRANSLATION_SETTINGS,
      headline={"chrf": "of 100", "exact": "share of held-out sentences", "bleu": "of 100"},
      quantities={
        "chrf": Quantity("chrF of held-out sentences, of 100", "1"),
        "bleu": Quantity("BLEU of held-out sentences, of 100", "1"),
        "exact": Quantity("share of held-out sentences that are translated exactly", "1"),
        "chrf_by_length": Quantity("chrF of held-out sentences of a class of lengths, of 100", "1"),
        "exact_by_length": Quantity("share of held-out sentences of a class of lengths that are exact", "1"),
        "sentences_by_length": Quantity("held-out sentences of a class of lengths", "1"),
        "log_source_gradient": Quantity("ln of the norm of the loss's gradient by a word of the source", "nats"),
        "first_log_source_gradient": Quantity("the same before training", "nats"),
        "translator": Quantity("who translates"),
        "source_length": Quantity("words of the longest source in its class", "words"),
        "source_distance": Quantity("words from the end of the source", "words"),
      },
    ),
    check=check,
    may_be_nan=(*TRAIN.may_be_nan, *MAY_BE_NAN),
  ),
  {
    "cells": "rnn,lstm,gru",
    "length": "8",
    "batch": "32",
    "updates": "1500",
    "stop": "never",
    "learning_rate": "0.01",
    "recurrent_init": "orthogonal",
    "input_gain": "5",  # one of some thirty inputs is 1
    "output_gain": "0.1",
    "forget_bias": "1",
  },
  seeds=2,
  seconds=82,
  figure="analysis.language.translation",
  tiny=TINY,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
