"""What counts can do: n-gram models on the texts, stories and sessions that recurrent nets are trained on.

Claim (the introduction): before recurrent nets there were n-grams, which see the last n - 1 words and no more. Interpolated
modified Kneser–Ney of every order on the same tokens and split as `experiments.word_model`; on the tasks `long_range_recall` and
`next_item` it is fitted to drawn sequences and asked what their nets are asked. Nothing here is recurrent: the "cell" of these
results is `ngram`.

    python -m experiments.ngram                                            half a minute
    python -m experiments.ngram --task=long_range_recall --length=5,10,20

Expect: little gain beyond order 3 on a text, and chance wherever the answer lies further back than the order.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
import sys
from typing import Any

import jax
import numpy as np

from experiments.grid import POSITIVE_INT, Point, Setting, key_words, one_of
from experiments.language import corpus_of, windows
from experiments.learning import SETTINGS as TRAINING
from experiments.learning import TEXT_SETTINGS, task_of
from experiments.measure import Measure, point_key
from experiments.runner import Experiment, main
from recurrent_lab import ngram
from recurrent_lab.tasks import Task

_CELLS, _TASKS = one_of(("ngram",)), one_of(("language", "long_range_recall", "next_item"))
SETTINGS: Mapping[str, Setting] = {
  "cells": Setting(str, "ngram", "the model", *_CELLS),
  "task": Setting(str, "language", "what to predict", *_TASKS),
  "length": TRAINING["length"],
  "order": Setting(int, "1,2,3,4,5", "n: the model sees n - 1 tokens", *POSITIVE_INT),
  "sequences": Setting(int, "20000", "drawn sequences to count, of a task that draws them", *POSITIVE_INT),
  **TEXT_SETTINGS,
}
TEST_SEQUENCES = 1000


def _of_text(point: Point) -> dict[str, float]:
  """Fitted to the training stream, asked for every token of the test text given those before it in its window."""
  p: Any = point
  corpus = corpus_of(point)
  model = ngram.fit(corpus.train, len(corpus.vocabulary), p["order"])
  losses = -ngram.log_probabilities(model, windows(corpus.test, p["length"]))[:, 1:]
  return {"test_nats": float(losses.mean()), "test_error": np.nan}


def _sequences(task: Task, key: jax.Array, count: int, draw: Callable) -> tuple[np.ndarray, np.ndarray]:
  """(tokens `[count, T + 1]`, mask `[count, T]`): every token is asked for by the one before it where the mask is 1."""
  batch = draw(key, count)
  tokens = np.concatenate([np.argmax(batch.inputs, axis=-1), np.asarray(batch.targets)[-1:]]).T
  return tokens.astype(np.int32), np.asarray(batch.mask).T > 0


def _of_task(point: Point) -> dict[str, float]:
  """Fitted to drawn sequences, asked what the nets are asked."""
  p: Any = point
  task = task_of(point)
  k_fit, k_test = jax.random.split(point_key(p["seed"], np.array(key_words(point), np.uint32)))
  model = ngram.fit(_sequences(task, k_fit, p["sequences"], task.sample)[0], task.input_size, p["order"])
  tokens, asked = _sequences(task, k_test, TEST_SEQUENCES, task.test)
  losses = -ngram.log_probabilities(model, tokens)[:, 1:]
  known: dict[tuple[int, ...], int] = {}

  def guess(context: np.ndarray) -> int:
    seen = tuple(context[len(context) + 1 - p["order"] :] if p["order"] > 1 else ())
    if seen not in known:
      known[seen] = int(np.argmax(ngram.next_log_probabilities(model, np.array(seen, np.int32))))
    return known[seen]

  wrong = [guess(tokens[i, : t + 1]) != tokens[i, t + 1] for i, t in np.argwhere(asked)]
  return {"test_nats": float(losses[asked].mean()), "test_error": float(np.mean(wrong))}


def count_and_test(points: Sequence[Point], folder: Path, checkpoint_seconds: float) -> dict[str, np.ndarray]:
  del folder, checkpoint_seconds  # it takes seconds, and needs none
  each = [(_of_text if point["task"] == "language" else _of_task)(point) for point in points]
  return {name: np.array([one[name] for one in each], np.float32) for name in each[0]}


EXPERIMENT = Experiment(
  "ngram",
  __doc__,
  Measure(
    run=count_and_test,
    dims={"test_nats": (), "test_error": ()},
    coords=lambda point: {},
    may_be_nan=("test_error",),
    settings=SETTINGS,
    check=task_of,
    keeps_files=True,
  ),
  {"length": "64"},
  seeds=1,
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
