"""Data that come from elsewhere, as arrays."""

import numpy as np

from recurrent_lab.tasks import Task, sequential_digits

# Tasks that the lab cannot generate.
DATA_TASKS = ("digits", "permuted_digits")


def digits() -> tuple[np.ndarray, np.ndarray]:
  """The 1797 handwritten digits of 8x8 pixels that come with scikit-learn: images `[1797, 64]` in [0, 1], labels `[1797]`.

  Raises:
    ImportError: without scikit-learn.
  """
  try:
    from sklearn.datasets import load_digits
  except ImportError as error:
    raise ImportError(
      "The digits need scikit-learn, the extra `digits` of recurrent-lab: pip install scikit-learn."
    ) from error
  data = load_digits()
  return (data.data / 16).astype(np.float32), data.target.astype(np.int32)


PERMUTATION_SEED = 0  # every run and machine permutes the pixels alike


def digits_task(name: str) -> Task:
  """`digits`, or `permuted_digits` with one fixed permutation of the pixels; raises `ImportError` as `digits` does."""
  images, labels = digits()
  permutation = np.random.default_rng(PERMUTATION_SEED).permutation(images.shape[1])
  return sequential_digits(images, labels, permutation if name == "permuted_digits" else None)
