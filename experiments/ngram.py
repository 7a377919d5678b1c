"""How well do counts of the last few tokens predict a text?

Claim (the introductions): before recurrent nets there were n-grams, which see the last n - 1 words and no more. Interpolated
modified Kneser–Ney of every order, on the same tokens, split and windows as `experiments.word_model`. Nothing here is recurrent:
the "cell" of these results is `ngram`.

    python -m experiments.ngram
    python -m experiments.ngram --unit=char --vocabulary=0 --length=100

Expect: little gain beyond order 3 for words.
"""

from collections.abc import Sequence
import dataclasses
from pathlib import Path
import sys

import numpy as np

from experiments.language.models import windows
from experiments.language.ngrams import COUNTS, NATS
from experiments.language.settings import TEXT_SETTINGS, TextSettings
from recurrent_lab import ngram
from sweepkit import Experiment, Point, RunMeasure, main
from sweepkit.execution import signals
from sweepkit.points import read


@dataclasses.dataclass(frozen=True, kw_only=True)
class CountSettings(TextSettings):
  """The settings of a count model.

  Attributes:
    length: tokens of a window.
    order: n, of which the model sees n - 1 tokens.
  """

  length: int
  order: int


def count_and_test(points: Sequence[Point], folder: Path, checkpoint_seconds: float) -> dict[str, np.ndarray]:
  """Mean nats per token of the test text, each given those before it in its window of `length` tokens."""
  del folder, checkpoint_seconds  # it takes seconds, and needs none

  def one(point: Point) -> float:
    signals.stop_if_asked()
    settings = read(CountSettings, point)
    corpus = settings.load()
    model = ngram.fit(corpus.train, len(corpus.vocabulary), settings.order)
    return -ngram.log_probabilities(model, windows(corpus.test, settings.length))[:, 1:].mean()

  return {"test_nats": np.array([one(point) for point in points], np.float32)}


EXPERIMENT = Experiment(
  "experiments.ngram",
  __doc__,
  RunMeasure(
    run=count_and_test,
    dims={"test_nats": ()},
    settings={**COUNTS, **TEXT_SETTINGS},
    check=lambda point: read(CountSettings, point).load(),
    headline={"test_nats": "nats per token"},
    quantities={"test_nats": NATS},
  ),
  {"length": "64"},
  seeds=1,
  seconds=9,
  figure="analysis.language.word_model",
  drawn_beside="word_model",
  tiny={"corpus": "grammar", "vocabulary": "0", "order": "1,2", "length": "8"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
