"""The estimator of every published time, ratio and rate: the median of a sample, with quantiles of the same sample.

Since all three numbers come from one sample, the interval always contains its centre.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
  """The median of a sample and an interval around it, in the unit of the sample."""

  middle: float
  low: float
  high: float


def estimate(sample: Sequence[float] | np.ndarray, quantiles: tuple[float, float] = (0.25, 0.75)) -> Estimate:
  """Returns the median and two quantiles of a sample, by linear interpolation.

  Args:
    sample: finite numbers, at least one.
    quantiles: the ends of the interval, the first at most 1/2 and the second at least 1/2.
  """
  low, middle, high = np.quantile(np.asarray(sample, float), (quantiles[0], 0.5, quantiles[1]))
  return Estimate(float(middle), float(low), float(high))
