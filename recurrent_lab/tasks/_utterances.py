"""Speaker recognition: name the speaker of a recorded utterance, at its end or at every frame.

Reference: Kudo, Toyama & Shimbo, "Multidimensional curve classification using passing-through regions", Pattern Recognition
Letters 20 (1999), for the vowels of nine men, which the experiments use.
"""

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Int
import numpy as np

from recurrent_lab.tasks.task import (
  Batch,
  Task,
  cross_entropy,
  each_once,
  entropy_by_step,
  error_rate,
  with_replacement,
)


def utterances(
  frames: ArrayLike, lengths: ArrayLike, labels: ArrayLike, is_test: ArrayLike, per_frame: bool = False
) -> Task:
  """Asks for the class of a padded sequence of up to T frames, at its last real frame or at every real frame.

  Nothing after the last real frame counts, so the padding has no effect. `sample` draws training utterances with replacement.
  `test` draws held-out utterances without replacement; it returns all of them, in order, if the batch is at least as large.
  Every call returns a new task, because arrays cannot be compared cheaply.

  Baseline: a predictor that knows only the step t predicts the class frequencies at that step. Its loss is Σ_t n_t H_t / Σ_t n_t,
  where n_t training utterances count at step t and H_t is the entropy of their classes. (If only the last frame counts, the step
  gives the length.) Score: the share of utterances, or of frames, in the wrong class. Solved: below 10 %.

  Args:
    frames: `[N, T, I]`.
    lengths: `[N]`, the number of real frames of each utterance, from 1 to T.
    labels: `[N]`, whole numbers from 0.
    is_test: `[N]`, True for held-out utterances.
    per_frame: whether every real frame counts, instead of only the last one.

  Raises:
    ValueError: if these shapes or values do not fit together, or the training or the held-out part is empty.
  """
  frames, lengths, labels, is_test = np.asarray(frames, np.float32), *map(np.asarray, (lengths, labels, is_test))
  shapes = [a.shape for a in (lengths, labels, is_test)]
  if frames.ndim != 3 or shapes != [frames.shape[:1]] * 3:
    raise ValueError(
      f"frames have shape {frames.shape}, lengths {shapes[0]}, labels {shapes[1]} and is_test {shapes[2]}; they must be "
      "[N, T, I], and [N] three times."
    )
  if not np.issubdtype(labels.dtype, np.integer) or np.any(labels < 0):
    raise ValueError("labels must be whole numbers from 0 on.")
  steps = frames.shape[1]
  if not np.issubdtype(lengths.dtype, np.integer) or np.any((lengths < 1) | (lengths > steps)):
    raise ValueError(f"lengths must be whole numbers from 1 to the {steps} frames there are.")
  if is_test.dtype != np.bool_ or is_test.all() or not is_test.any():
    raise ValueError("is_test must be False for some utterances, to train with, and True for others.")

  labels = labels.astype(np.int32)
  step = np.arange(steps)[:, None]
  asked = ((step < lengths) if per_frame else (step == lengths - 1)).astype(np.float32)  # [T, N]
  wanted = np.broadcast_to(labels, asked.shape)

  def batch(chosen: Int[Array, "B"]) -> Batch:
    mask = jnp.asarray(asked)[:, chosen]
    targets = jnp.where(mask > 0, jnp.asarray(labels)[chosen], 0)
    return Batch(jnp.swapaxes(jnp.asarray(frames)[chosen], 0, 1), targets, mask)

  return Task(
    name="utterances_per_frame" if per_frame else "utterances",
    input_size=frames.shape[2],
    output_size=int(labels.max()) + 1,
    steps=steps,
    sample=with_replacement(np.flatnonzero(~is_test), batch),
    test=each_once(np.flatnonzero(is_test), batch),
    loss=cross_entropy,
    baseline=entropy_by_step(wanted[:, ~is_test], asked[:, ~is_test]),
    score=error_rate,
    solved_below=0.1,
  )
