"""Judges of the landmarks on random nets, on made-up numbers that must give each verdict."""

from itertools import product

import numpy as np
import pytest
import xarray as xr

from analysis.claims.dynamics import CLARK, extensive, onset, spectrum
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS
from recurrent_lab import theory

NAMES = tuple(CLARK)


def made_up(value, sizes=(128, 256), gains=(3.0,), leaks=(1.0,), seeds=3):
  """Results of `rate_network`: `value(name, size, gain, leak)`, with 0.1 % of it as spread over seeds."""
  axes = {"hidden_size": list(sizes), "ws": list(gains), "leak": list(leaks), "seed": list(range(seeds))}
  around = 1 + 0.001 * (np.arange(seeds) - (seeds - 1) / 2)
  made = {}
  for name in NAMES:
    cells = [value(name, *at) * around for at in product(sizes, gains, leaks)]
    made[name] = (tuple(axes), np.reshape(cells, [len(values) for values in axes.values()]))
  return {"rate_network": xr.Dataset(made, axes)}


def published(name, size, gain, leak):
  return CLARK[name][1]


@pytest.mark.parametrize(
  ("gains", "exponent", "verdict", "condition"),
  [
    ((0.5, 2.0), lambda g: g - 1, HOLDS, ""),
    ((0.5, 2.0), lambda g: 1 - g, FAILS, ""),
    ((0.5, 2.0), lambda g: 1, CONDITIONAL, "it holds at g = 2, and not at g = 0.5"),
    ((2.0, 3.0), lambda g: g - 1, CONDITIONAL, "not measured: below g = 1"),
  ],
)
def test_onset(gains, exponent, verdict, condition):
  found = onset(made_up(lambda name, size, gain, leak: exponent(gain), gains=gains))
  assert found.verdict == verdict
  assert condition in found.condition


def test_a_sign_that_is_not_resolved_says_how_many_seeds_would():
  data = made_up(lambda name, size, gain, leak: gain - 1, gains=(0.5, 2.0))
  nets = data["rate_network"]
  nets.largest_exponent.loc[{"ws": 2.0}] = xr.DataArray([-1.0, 1.0, 1.5], dims="seed")
  found = onset(data)
  assert found.verdict == CONDITIONAL
  # Standard deviation 1.3229; t(29) = 2.0452 gives 0.494 for 30 seeds, t(28) = 2.0484 gives 0.503 for 29, and the mean is 0.5.
  assert "the sign is not resolved; such values need 30 seeds" in found.measured


def test_one_net_is_too_few():
  with pytest.raises(ValueError, match="No case"):
    onset(made_up(published, gains=(0.5, 2.0), sizes=(128,), seeds=1))


HUMP = {1.5: 0.5, 3.0: 1.0, 6.0: 0.6}


@pytest.mark.parametrize(
  ("by_gain", "growth", "verdict", "condition"),
  [
    (HUMP, 1.0, HOLDS, ""),
    ({1.5: 0.5, 3.0: 0.7, 6.0: 1.0}, 1.5, FAILS, ""),
    (
      HUMP,
      1.5,
      CONDITIONAL,
      "for the peak of the entropy rate. It does not hold for the dimension per unit",
    ),
    ({3.0: 1.0}, 1.0, CONDITIONAL, "not measured: for the peak of the dimension and for the peak of the entropy rate"),
  ],
)
def test_extensive(by_gain, growth, verdict, condition):
  value = lambda name, size, gain, leak: by_gain[gain] * (growth if size == 256 else 1)
  found = extensive(made_up(value, gains=by_gain))
  assert found.verdict == verdict
  assert condition in found.condition


def leaky(name, size, gain, leak):
  known = {"largest_exponent": theory.rate_largest_exponent, "mean_exponent": theory.rate_mean_exponent}
  return known[name](gain, leak) if leak < 1 and name in known else published(name, size, gain, leak)


@pytest.mark.parametrize(
  ("leaks", "factor", "verdict", "condition"),
  [
    ((0.5, 1.0), {}, HOLDS, ""),
    ((0.5, 1.0), dict.fromkeys(NAMES, 1.05), FAILS, ""),
    ((1.0,), {"largest_exponent": 0.9}, CONDITIONAL, "and not at δ = 1 for λ₁; not measured: with a leak"),
    ((0.5,), {}, CONDITIONAL, "not measured: at δ = 1"),
  ],
)
def test_spectrum(leaks, factor, verdict, condition):
  """The numbers of a smaller net are wrong, and not judged."""
  value = lambda name, size, gain, leak: leaky(name, size, gain, leak) * (factor.get(name, 1) if size == 256 else 2)
  found = spectrum(made_up(value, leaks=leaks))
  assert found.verdict == verdict
  assert condition in found.condition
