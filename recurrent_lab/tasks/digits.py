"""Classification of images that are read pixel by pixel, in reading order or in a fixed scrambled order.

References: Le, Jaitly & Hinton, "A simple way to initialize recurrent networks of rectified linear units" (2015), for MNIST with
its 784 pixels. The experiments use the small images that come with scikit-learn.
"""

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Int
import numpy as np

from recurrent_lab.tasks.task import Batch, Task, answer_at_end, cross_entropy, error_rate, with_replacement


def sequential_digits(
  images: ArrayLike, labels: ArrayLike, permutation: ArrayLike | None = None, test_share: float = 0.2
) -> Task:
  """Shows one pixel per step and asks for the class of the image at the last step.

  The last `test_share` of the examples are held out, so shuffle examples that are sorted by label. `sample` draws training
  images and `test` draws held-out images, both with replacement. Every call returns a new task, because arrays cannot be
  compared cheaply.

  Baseline: the best constant prediction is the distribution p of the training labels. Its loss on `sample` is their entropy
  -Σ p ln p, ln 10 for ten equally frequent digits. Score: the share of images in the wrong class. Solved: below 10 %.

  Args:
    images: `[N, P]`, one image per row.
    labels: `[N]`, whole numbers from 0.
    permutation: `[P]`, the order in which pixels are read. None keeps the given order.
    test_share: the share of held-out examples, between 0 and 1.

  Raises:
    ValueError: if these shapes or values do not fit together, or the training or the held-out part is empty.
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
