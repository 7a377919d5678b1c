"""What can counts do where the answer lies further back than they see?

The models of `experiments.ngram` on the stories of `experiments.recall` and the sessions of `experiments.next_item`: fitted to
drawn sequences, asked what the nets are asked.

    python -m experiments.ngram_tasks

Expect: the error of guessing among seven names, whatever the gap, and that of who knows the last item alone.
"""

from collections.abc import Sequence
import dataclasses
from pathlib import Path
import sys

import jax
import numpy as np

from experiments.language.ngrams import COUNTS, NATS
from experiments.training import task_of
from recurrent_lab import ngram
from recurrent_lab.tasks import Batch, Task
from sweepkit import Experiment, Point, Quantity, RunMeasure, Setting, main
from sweepkit.execution import signals
from sweepkit.measure import point_key
from sweepkit.points import key_words, read
from sweepkit.settings import POSITIVE_INT, one_of

TEST_SEQUENCES, ASKED = 1000, 2000  # sequences, and tokens among all that they ask for


@dataclasses.dataclass(frozen=True, kw_only=True)
class CountSettings:
  """The settings of a count model of a task.

  Attributes:
    task: its name.
    length: of the task.
    order: n, of which the model sees n - 1 tokens.
    sequences: drawn sequences to count.
  """

  task: str
  length: int
  order: int
  sequences: int

  def make_task(self) -> Task:
    """Returns the task."""
    return task_of(self.task, self.length)


def tokens_of(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
  """(tokens `[B, T + 1]`, mask `[B, T]`): the inputs and the last target; token t + 1 is asked for where mask t is on."""
  tokens = np.concatenate([np.argmax(batch.inputs, axis=-1), np.asarray(batch.targets)[-1:]])
  return tokens.T.astype(np.int32), np.asarray(batch.mask).T > 0


def count_and_test(points: Sequence[Point], folder: Path, checkpoint_seconds: float) -> dict[str, np.ndarray]:
  """Nats and errors of the top token, on what the task asks for."""
  del folder, checkpoint_seconds  # it takes seconds, and needs none

  def one(point: Point) -> tuple[float, float]:
    signals.stop_if_asked()
    settings = read(CountSettings, point)
    task, order = settings.make_task(), settings.order
    k_fit, k_test = jax.random.split(point_key(point["seed"], np.array(key_words(point), np.uint32)))
    model = ngram.fit(tokens_of(task.sample(k_fit, settings.sequences))[0], task.input_size, order)
    tokens, asked = tokens_of(task.test(k_test, TEST_SEQUENCES))
    places = np.argwhere(asked)
    places = places[np.linspace(0, len(places) - 1, min(ASKED, len(places))).astype(int)]
    seen = [(tuple(tokens[i, max(0, t + 2 - order) : t + 1]), tokens[i, t + 1]) for i, t in places]
    after = {context: ngram.next_log_probabilities(model, np.array(context, np.int32)) for context, _ in seen}
    return (
      -float(np.mean([after[context][token] for context, token in seen])),
      float(np.mean([np.argmax(after[context]) != token for context, token in seen])),
    )

  nats, errors = zip(*map(one, points), strict=True)
  return {"test_nats": np.array(nats, np.float32), "test_error": np.array(errors, np.float32)}


EXPERIMENT = Experiment(
  "experiments.ngram_tasks",
  __doc__,
  RunMeasure(
    run=count_and_test,
    dims={"test_nats": (), "test_error": ()},
    settings={
      **COUNTS,
      "task": Setting(str, "long_range_recall", "what to predict", *one_of(("long_range_recall", "next_item"))),
      "sequences": Setting(int, "5000", "drawn sequences to count", *POSITIVE_INT, units="1"),
    },
    check=lambda point: read(CountSettings, point).make_task(),
    headline={"test_error": "of what is asked for", "test_nats": "nats per token"},
    quantities={"test_nats": NATS, "test_error": Quantity("share of wrong answers", "1")},
  ),
  {"task": "long_range_recall,next_item", "length": "5,20,60"},
  seeds=1,
  seconds=58,
  figure="analysis.language.recall",
  drawn_beside="recall",
  tiny={"order": "1,2", "length": "5", "sequences": "500"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
