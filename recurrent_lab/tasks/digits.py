"""Images read pixel by pixel, in reading order or in one scrambled order.

References: Le, Jaitly & Hinton, "A simple way to initialize recurrent networks of rectified linear units" (2015), for MNIST with
its 784 pixels; `experiments.data.digits` has the small images that come with scikit-learn.
"""

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Int
import numpy as np

from recurrent_lab.tasks.task import Batch, Task, answer_at_end, cross_entropy, error_rate, with_replacement


def sequential_digits(
  images: ArrayLike, labels: ArrayLike, permutation: ArrayLike | None = None, test_share: float = 0.2
) -> Task:
  """One pixel a step, the class at the last step.

  The last `test_share` of the examples are held out, in the order given: examples sorted by label must be shuffled first.
  `sample` and `test` draw with replacement from either part. Arrays cannot be compared cheaply, so two calls give two tasks.

  Baseline: the best constant is the training labels' own distribution p, which pays their entropy, -Σ p ln p (ln 10 for ten
  equally frequent digits), on `sample`. The score is the share of images in the wrong class; solved below 10 %.

  Args:
    images: `[N, P]`, one image a row.
    labels: `[N]`, whole numbers from 0.
    permutation: `[P]`, the order in which pixels are read; None is the order given.
    test_share: between 0 and 1.

  Raises:
    ValueError: if these shapes or values do not fit together, or one of the two parts is empty.
  """
  images, labels = np.asarray(images, np.float32), np.asarray(labels)
  if images.ndim != 2 or labels.shape != images.shape[:1]:
    raise ValueError(f"images have shape {images.shape} and labels {labels.shape}; they must be [N, P] and [N].")
  if not np.issubdtype(labels.dtype, np.integer) or np.any(labels < 0):
    raise ValueError("labels must be whole numbers from 0 on.")
  if permutation is not None:
    permutation = np.asarray(permutation)
    if not np.array_equal(np.sort(permutation), np.arange(images.shape[1])):
      raise ValueError(f"permutation must hold each of the pixels 0 to {images.shape[1] - 1} once.")
    images = images[:, permutation]
  training = len(labels) - round(test_share * len(labels))
  if not 0 < training < len(labels):
    raise ValueError(f"test_share is {test_share}; of {len(labels)} examples it must leave some in either part.")

  labels = labels.astype(np.int32)
  classes = int(labels.max()) + 1
  frequencies = np.bincount(labels[:training]) / training
  seen = frequencies[frequencies > 0]

  def chosen(rows: Int[Array, "B"]) -> Batch:
    return answer_at_end(jnp.asarray(images)[rows].T[..., None], jnp.asarray(labels)[rows])

  return Task(
    name="digits" if permutation is None else "permuted_digits",
    input_size=1,
    output_size=classes,
    steps=images.shape[1],
    sample=with_replacement(np.arange(training), chosen),
    test=with_replacement(np.arange(training, len(labels)), chosen),
    loss=cross_entropy,
    baseline=float(-np.sum(seen * np.log(seen))),
    score=error_rate,
    solved_below=0.1,
  )
