"""Scores of n-grams on text, with which the language models are compared."""

from collections.abc import Iterator

import numpy as np

from analysis.figure import Datasets
from analysis.language.scores import Row, Scores
from analysis.selection import only_axes, runs
from analysis.wording import spread


def rows(datasets: Datasets) -> Iterator[Row]:
  data = only_axes(datasets["ngram"], "unit", "order", "vocabulary", "length")
  for (unit, order), one in runs(data, "unit", "order"):
    yield f"{order}-gram, {unit}s", spread(np.exp(one.test_nats)), ""


SCORES = Scores("ngram", "perplexity of the test text", rows, order=25)
