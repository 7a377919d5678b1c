"""The parts that all tasks share: batches, losses and scores.

A task is data drawn from a key, a loss and a score. Two numbers give them meaning: the loss of the best predictor that does not
look at its inputs, and the score below which the task counts as solved.
"""

from collections.abc import Callable
import math
import numbers
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, Shaped
import numpy as np
import optax

from recurrent_lab.scaled import mean_square


class Pair(NamedTuple):
  """Inputs of an encoder and a decoder. The two sequences have separate vocabularies."""

  source: Shaped[Array, "S B ..."]  # the input of the encoder
  source_mask: Float[Array, "S B"]  # 1 where the source is real, 0 in the padding
  shifted: Shaped[Array, "T B ..."]  # the input of the decoder: the target, one step late


class Batch(NamedTuple):
  """Sequences and their targets, time-major.

  Inputs are float32 even in 64-bit mode, so that a key always gives the same data. The parameters decide the precision.
  """

  inputs: Any  # floats [T, B, I]; integers [T, B], which are tokens for one-hot inputs; or a `Pair`
  targets: Shaped[Array, "T B ..."]  # floats [T, B, O], or class labels [T, B] of dtype int32
  mask: Float[Array, "T B"]  # 1 where the output counts, else 0


Sample = Callable[[Key[Array, ""], int], Batch]
Measure = Callable[[Float[Array, "T B O"], Batch], Float[Array, ""]]


class Task(NamedTuple):
  """A task as values and pure functions. A factory of tasks returns the same object for equal arguments, unless it takes arrays.

  Attributes:
    name: the name; for tasks in `TASKS`, the name there.
    input_size: I.
    output_size: O; for classification, the number of classes.
    steps: T.
    sample: `(key, batch_size) -> Batch` of training data. `batch_size` is static under `jit`.
    test: the same for held-out data. It is the function `sample` itself if data are generated without end.
    loss: `(outputs [T, B, O], batch) -> scalar`, a mean over the entries that count: in nats for classification, else the squared
      error.
    baseline: the expected loss of the best predictor that knows the step but not the inputs.
    score: `(outputs, batch) -> scalar`, which decides success, on the steps that need memory.
    solved_below: the task is solved if the score is below this number.
    source_size: the input size of the encoder. 0 for a task with one sequence, whose batches have no `Pair`.
  """

  name: str
  input_size: int
  output_size: int
  steps: int
  sample: Sample
  test: Sample
  loss: Measure
  baseline: float
  score: Measure
  solved_below: float
  source_size: int = 0


def mean_squared_error(outputs: Float[Array, "T *batch O"], batch: Batch) -> Float[Array, ""]:
  """Returns the mean of (output - target)² over the entries that count and over O."""
  return mean_square(outputs - batch.targets, batch.mask > 0)


def cross_entropy(outputs: Float[Array, "T *batch O"], batch: Batch) -> Float[Array, ""]:
  """Returns the mean of -ln softmax(outputs)[label] over the entries that count, in nats. `outputs` are logits.

  Raises:
    ValueError: for a label that counts and is not one of the O classes. A traced label of this kind adds 0 instead, as with
      `jax.nn.one_hot`.
  """
  labels, classes, counts = batch.targets, outputs.shape[-1], batch.mask > 0
  if not any(isinstance(a, jax.core.Tracer) for a in (labels, batch.mask)):
    known = np.asarray(labels)[np.asarray(batch.mask) > 0]
    wrong = known[(known < 0) | (known >= classes)]
    if wrong.size:
      raise ValueError(f"There is a label {wrong[0]}; the outputs have classes 0 to {classes - 1}.")
  inside = (labels >= 0) & (labels < classes)
  losses = optax.softmax_cross_entropy_with_integer_labels(outputs, jnp.where(inside, labels, 0))
  return jnp.mean(jnp.where(inside, losses, 0), where=counts)


def error_rate(outputs: Float[Array, "T *batch O"], batch: Batch) -> Float[Array, ""]:
  """Returns the share of wrong entries among those that count: the largest logit is not that of the label, or is NaN."""
  # argmax returns the index of a NaN, which may be the label.
  wrong = (jnp.argmax(outputs, axis=-1) != batch.targets) | jnp.any(jnp.isnan(outputs), axis=-1)
  return jnp.mean(wrong, where=batch.mask > 0)


def on_last_steps(measure: Measure, count: int) -> Measure:
  """Restricts `measure` to the last `count` steps."""
  return lambda outputs, batch: measure(outputs[-count:], jax.tree.map(lambda a: a[-count:], batch))


def count_from(first: int, steps: int, batch_size: int) -> Float[Array, "T B"]:
  """Returns a mask that is 1 from step `first` on. Steps are numbered from 0."""
  return jnp.zeros((steps, batch_size), jnp.float32).at[first:].set(1.0)


def answer_at_end(inputs: Float[Array, "T B I"], answers: Shaped[Array, "B ..."]) -> Batch:
  """Returns a batch that asks for the answer at the last step. Targets at other steps are 0 and do not count."""
  steps, batch_size, _ = inputs.shape
  targets = jnp.zeros((steps, *answers.shape), answers.dtype).at[-1].set(answers)
  return Batch(inputs, targets, count_from(steps - 1, steps, batch_size))


def check_at_least(name: str, value: int, least: int) -> None:
  """Raises a `ValueError` unless `value` is a whole number of at least `least`."""
  if not isinstance(value, numbers.Integral) or value < least:
    raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {least}.")


def with_replacement(rows: np.ndarray, batch: Callable[[Int[Array, "B"]], Batch]) -> Sample:
  """Draws indices from `rows` with replacement. `batch` turns them into a batch."""
  rows = np.asarray(rows, np.int32)
  return lambda key, size: batch(jnp.asarray(rows)[jax.random.randint(key, (size,), 0, len(rows), jnp.int32)])


def each_once(rows: np.ndarray, batch: Callable[[Int[Array, "B"]], Batch]) -> Sample:
  """Draws indices from `rows` without replacement, or all of them, in order, if the batch size is at least their number."""
  rows = np.asarray(rows, np.int32)

  def test(key: Key[Array, ""], batch_size: int) -> Batch:
    if batch_size >= len(rows):
      return batch(jnp.asarray(rows))
    return batch(jax.random.permutation(key, rows)[:batch_size])

  return test


def entropy_by_step(labels: Int[np.ndarray, "T N"], mask: np.ndarray) -> float:
  """Returns Σ_t n_t H_t / Σ_t n_t in nats, the loss of the best predictor that knows only the step t.

  n_t labels count at step t, and H_t is their entropy: n_t H_t = n_t ln n_t - Σ_w n_tw ln n_tw for n_tw labels of class w.
  """
  nats = 0.0
  for column, is_counted in zip(labels, mask > 0, strict=True):
    counts = np.bincount(column[is_counted])
    counts = counts[counts > 0]
    total = int(counts.sum())
    nats += total * math.log(max(1, total)) - float(np.sum(counts * np.log(counts)))
  return nats / int(np.sum(mask > 0))
