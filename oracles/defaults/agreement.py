"""The distance between two sets of draws, in standard errors, and how much of it is allowed."""

from collections.abc import Mapping

import numpy as np

# A statistic of equal distributions is further away once in two million comparisons; there are about three thousand.
ALLOWED = 5.0
ROUNDING = 1e-5  # absolute, for statistics that do not vary, such as singular values of orthogonal matrices in float32

Summary = Mapping[str, tuple[float, float]]  # statistic -> its mean over draws and the standard error of that mean


def distances(ours: Summary, theirs: Summary) -> dict[str, float]:
  """Returns how far two means of each statistic are apart, in standard errors of their difference, beyond rounding.

  Raises:
    AssertionError: if they have not the same statistics.
  """
  assert set(ours) == set(theirs), set(ours) ^ set(theirs)
  apart = {}
  for name, (mean, error) in ours.items():
    other, other_error = theirs[name]
    beyond = max(0.0, abs(mean - other) - ROUNDING)
    error = np.hypot(error, other_error)
    apart[name] = float(beyond / error) if error else float(beyond and np.inf)
  return apart
