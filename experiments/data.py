"""Data that come from elsewhere, as arrays."""

import numpy as np


def digits() -> tuple[np.ndarray, np.ndarray]:
  """The 1797 handwritten digits of 8x8 pixels that come with scikit-learn: images `[1797, 64]` in [0, 1], labels `[1797]`.

  Raises:
    ImportError: without scikit-learn.
  """
  try:
    from sklearn.datasets import load_digits  # type: ignore
  except ImportError as error:
    raise ImportError(
      "The digits need scikit-learn, the extra `digits` of recurrent-lab: pip install scikit-learn."
    ) from error
  data = load_digits()
  return (data.data / 16).astype(np.float32), data.target.astype(np.int32)
