"""Judges of the landmarks on random nets, on made-up numbers that must give each verdict."""

from itertools import product

import numpy as np
import pytest
import xarray as xr

from analysis.claims.dynamics import CLARK, extensive, onset, random_biases, spectrum
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS
from recurrent_lab import theory

NAMES = tuple(CLARK[1.0])


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
  return CLARK[leak][name]


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


@pytest.mark.parametrize("leak", [0.5, 0.1])
def test_published_numbers_of_a_leak_are_per_step(leak):
  """Theory of λ₁ and of the mean, which are closed equations at every leak, lies within 3 % of the published nets."""
  for name, known in (("largest_exponent", theory.rate_largest_exponent), ("mean_exponent", theory.rate_mean_exponent)):
    np.testing.assert_allclose(CLARK[leak][name], known(3.0, leak), rtol=0.03)


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
  value = lambda name, size, gain, leak: published(name, size, gain, leak) * (factor.get(name, 1) if size == 256 else 2)
  found = spectrum(made_up(value, leaks=leaks))
  assert found.verdict == verdict
  assert condition in found.condition


def reservoirs(forgets_up_to, best, cell="rnn", bias=0.5):
  """Nets of two sizes that forget up to a gain and forecast best at another; the smaller ones are wrong, and not judged."""
  gains = np.geomspace(0.5, 5, 40)
  axes = {
    "cell": [cell],
    "bias_scale": [bias],
    "hidden_size": [64, 128],
    "ws": gains,
    "input_scale": [0.1],
    "seed": [0, 1],
  }
  forgets, error = (np.zeros((1, 1, 2, 40, 1, 2)) for _ in range(2))
  forgets[0, 0, 1] = (gains < forgets_up_to)[:, None, None]
  error[0, 0, 1] = np.abs(np.log(gains / best))[:, None, None]
  made = {"forgets": (tuple(axes), forgets), "forecast_error": (tuple(axes), error)}
  data = xr.Dataset(made, axes)
  return {"random_biases": data.assign(status=xr.zeros_like(data.forgets))}


@pytest.mark.parametrize(
  ("found", "best", "verdict", "condition"),
  [
    (1.02, 0.9, HOLDS, ""),
    (1.2, 0.9, CONDITIONAL, "for the best forecast of RNN at σ_b = 0.5, and not for the critical gain"),
    (1.02, 0.5, CONDITIONAL, "for the critical gain of RNN at σ_b = 0.5, and not for the best forecast"),
    (0.8, 1.5, FAILS, ""),
  ],
)
def test_random_biases(found, best, verdict, condition):
  critical = float(theory.driven_critical_gain(0.25))  # a tanh net sees a frozen bias and a white input alike
  judged = random_biases(reservoirs(found * critical, best * critical))
  assert judged.verdict == verdict
  assert condition in judged.condition
