"""How well do counts of the last few tokens predict a text?

Claim (the introduction): before recurrent nets there were n-grams, which see the last n - 1 words and no more. Interpolated
modified Kneser–Ney of every order, on the same tokens, split and windows as `experiments.word_model`. Nothing here is recurrent:
the "cell" of these results is `ngram`.

    python -m experiments.ngram
    python -m experiments.ngram --unit=char --vocabulary=0 --length=100

Expect: little gain beyond order 3 for words.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
import sys
from typing import Any

import numpy as np

from experiments import signals
from experiments.attributes import Quantity
from experiments.grid import POSITIVE_INT, Point, Setting, one_of
from experiments.language import corpus_of, windows
from experiments.learning import SETTINGS as TRAINING
from experiments.learning import TEXT_SETTINGS
from experiments.measure import Measure
from experiments.runner import Experiment, main
from recurrent_lab import ngram

COUNTS: Mapping[str, Setting] = {
  "cells": Setting(str, "ngram", "the model", *one_of(("ngram",))),
  "length": TRAINING["length"],
  "order": Setting(int, "1,2,3,4,5", "n: the model sees n - 1 tokens", *POSITIVE_INT, units="tokens"),
}

NATS = Quantity("loss on the test text", "nats per token")


def count_and_test(points: Sequence[Point], folder: Path, checkpoint_seconds: float) -> dict[str, np.ndarray]:
  """Mean nats per token of the test text, each given those before it in its window of `length` tokens."""
  del folder, checkpoint_seconds  # it takes seconds, and needs none

  def one(point: Any) -> float:
    signals.stop_if_asked()
    corpus = corpus_of(point)
    model = ngram.fit(corpus.train, len(corpus.vocabulary), point["order"])
    return -ngram.log_probabilities(model, windows(corpus.test, point["length"]))[:, 1:].mean()

  return {"test_nats": np.array([one(point) for point in points], np.float32)}


EXPERIMENT = Experiment(
  "ngram",
  __doc__,
  Measure(
    run=count_and_test,
    dims={"test_nats": ()},
    coords=lambda point: {},
    settings={**COUNTS, **TEXT_SETTINGS},
    check=corpus_of,
    keeps_files=True,
    headline={"test_nats": "nats per token"},
    quantities={"test_nats": NATS},
  ),
  {"length": "64"},
  seeds=1,
  drawn_by="analysis.language.word_model",
  drawn_beside="word_model",
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
