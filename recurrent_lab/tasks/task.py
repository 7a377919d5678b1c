"""What all tasks share: batches, losses, scores.

A task is data drawn from a key, a loss, and two numbers that say what the loss means: that of the best predictor that does not
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
  """What an encoder and a decoder are given; the two sequences have vocabularies of their own."""

  source: Shaped[Array, "S B ..."]  # what the encoder reads
  source_mask: Float[Array, "S B"]  # 1 where the source is real
  shifted: Shaped[Array, "T B ..."]  # the target one step late: what the decoder has put out so far, if it was right


class Batch(NamedTuple):
  """Sequences and what is wanted of them, time first.

  Inputs are float32 in 64-bit mode too, so that a key gives the same data, and the parameters decide the precision.
  """

  inputs: Any  # floats [T, B, I]; integers [T, B], tokens that stand for one-hot inputs; or a `Pair`
  targets: Shaped[Array, "T B ..."]  # floats [T, B, O], or class labels [T, B] of dtype int32
  mask: Float[Array, "T B"]  # 1 where the output counts, else 0


Sample = Callable[[Key[Array, ""], int], Batch]
Measure = Callable[[Float[Array, "T B O"], Batch], Float[Array, ""]]


class Task(NamedTuple):
  """A task as values and pure functions; equal arguments to a factory give the identical task, fit for a static argument.

  Attributes:
    name: as in `TASKS`, where it is there.
    input_size: I.
    output_size: O; for classification the number of classes.
    steps: T.
    sample: `(key, batch_size) -> Batch` of training data; `batch_size` is static under `jit`.
    test: the same for held-out data; the very function `sample` where data are generated and never end.
    loss: `(outputs [T, B, O], batch) -> scalar`, the mean over what counts: nats for classification, else the squared error.
    baseline: the expected loss of the best predictor that knows the step but not the inputs.
    score: `(outputs, batch) -> scalar` that decides success, on the steps that need memory.
    solved_below: the task is solved when the score is below.
    source_size: the input size of an encoder; 0 for a task of one sequence, whose batches have no `Pair`.
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
  """Mean of (output - target)² over the entries that count and over O."""
  return mean_square(outputs - batch.targets, batch.mask > 0)


def cross_entropy(outputs: Float[Array, "T *batch O"], batch: Batch) -> Float[Array, ""]:
  """Mean of -ln softmax(outputs)[label] over the entries that count, in nats; `outputs` are logits.

  Raises:
    ValueError: for a label that counts and is none of the O classes; a traced one adds 0, as with `jax.nn.one_hot`.
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
  """Share of the entries that count whose largest logit is not the label's; NaN is wrong."""
  # argmax points at the NaN, which may well sit at the label.
  wrong = (jnp.argmax(outputs, axis=-1) != batch.targets) | jnp.any(jnp.isnan(outputs), axis=-1)
  return jnp.mean(wrong, where=batch.mask > 0)


def on_last_steps(measure: Measure, count: int) -> Measure:
  """`measure` of the last `count` steps alone."""
  return lambda outputs, batch: measure(outputs[-count:], jax.tree.map(lambda a: a[-count:], batch))


def count_from(first: int, steps: int, batch_size: int) -> Float[Array, "T B"]:
  """A mask that is 1 from step `first` on, steps being numbered from 0."""
  return jnp.zeros((steps, batch_size), jnp.float32).at[first:].set(1.0)


def answer_at_end(inputs: Float[Array, "T B I"], answers: Shaped[Array, "B ..."]) -> Batch:
  """A batch in which the answer is asked for at the last step; targets elsewhere are 0 and do not count."""
  steps, batch_size, _ = inputs.shape
  targets = jnp.zeros((steps, *answers.shape), answers.dtype).at[-1].set(answers)
  return Batch(inputs, targets, count_from(steps - 1, steps, batch_size))


def check_at_least(name: str, value: int, least: int) -> None:
  """Raises a `ValueError` unless `value` is a whole number of at least `least`."""
  if not isinstance(value, numbers.Integral) or value < least:
    raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {least}.")


def with_replacement(rows: np.ndarray, batch: Callable[[Int[Array, "B"]], Batch]) -> Sample:
  """Draws from `rows`, the indices of training examples, of which `batch` makes a batch."""
  rows = np.asarray(rows, np.int32)
  return lambda key, size: batch(jnp.asarray(rows)[jax.random.randint(key, (size,), 0, len(rows), jnp.int32)])


def each_once(rows: np.ndarray, batch: Callable[[Int[Array, "B"]], Batch]) -> Sample:
  """All `rows` in order where as many or more are asked for, and else that many of them at random, no two alike."""
  rows = np.asarray(rows, np.int32)

  def test(key: Key[Array, ""], batch_size: int) -> Batch:
    if batch_size >= len(rows):
      return batch(jnp.asarray(rows))
    return batch(jax.random.permutation(key, rows)[:batch_size])

  return test


def entropy_by_step(labels: Int[np.ndarray, "T N"], mask: np.ndarray) -> float:
  """Σ_t n_t H_t / Σ_t n_t: what the best predictor pays that knows the step t alone, H_t the entropy of the n_t labels there
  whose mask is on: n_t H_t = n_t ln n_t - Σ_w n_tw ln n_tw.
  """
  nats = 0.0
  for column, is_counted in zip(labels, mask > 0, strict=True):
    counts = np.bincount(column[is_counted])
    counts = counts[counts > 0]
    total = int(counts.sum())
    nats += total * math.log(max(1, total)) - float(np.sum(counts * np.log(counts)))
  return nats / int(np.sum(mask > 0))
