"""The law of Newton iterations is found from numbers that follow it."""

import numpy as np
import pytest

from analysis.landmarks.newton_iterations import law, logistic


def test_the_law_is_recovered_with_its_residual(rng):
  exponent = np.append(rng.uniform(-1, 0.5, 400), -np.inf)
  noise = 0.02 * rng.standard_normal(401)
  (middle, width, lowest), residual = law(exponent, logistic(exponent, 0.03, 0.08, 0.05) + noise)
  assert (middle, width, lowest) == pytest.approx((0.03, 0.08, 0.05), abs=0.01)
  assert residual == pytest.approx(0.02, rel=0.15)
