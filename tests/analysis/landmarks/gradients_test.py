"""Judges of the landmarks on gradients and exponents, on made-up numbers that must give each verdict."""

import numpy as np
import pytest
import xarray as xr

from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS
from analysis.claims.gradients import critical_lines, forward_gradients, marginal_stability, newton_iterations

SEEDS = np.arange(4)
AROUND = 1 + 0.001 * (SEEDS - 1.5)


def newton(calm, chaotic):
  """Two cells with a calm and a chaotic gain; `calm` and `chaotic` are iterations by cell, of 100 steps."""
  exponent = np.broadcast_to(np.array([-0.5, 0.5])[None, :, None], (2, 2, 4))
  iterations = np.broadcast_to(np.array([calm, chaotic]).T[..., None, None], (2, 2, 4, 1))
  axes = {"cell": ["rnn", "lstm"], "ws": [1.0, 4.0], "seed": SEEDS, "jacobians": ["whole"]}
  made = {"largest_exponent": (("cell", "ws", "seed"), exponent), "iterations": (tuple(axes), iterations)}
  return {"newton_iterations": xr.Dataset(made, {**axes, "seq_len": 100})}


@pytest.mark.parametrize(
  ("calm", "chaotic", "verdict", "condition"),
  [
    ((5, 19), (50, 100), HOLDS, ""),
    ((20, 30), (49, 10), FAILS, ""),
    ((5, 30), (100, 100), CONDITIONAL, "and not where λ₁ < -0.2 for LSTM"),
    ((5, 5), (100, np.nan), HOLDS, ""),
    ((5, 5), (np.nan, np.nan), CONDITIONAL, "not measured: where λ₁ > 0.1"),
  ],
)
def test_newton_iterations(calm, chaotic, verdict, condition):
  found = newton_iterations(newton(calm, chaotic))
  assert found.verdict == verdict
  assert condition in found.condition


def online(bias, spread):
  estimators = ["snap1", "eprop", "uoro", "rtrl"]
  axes = {"ws": [1.0, 2.0], "seed": SEEDS, "estimator": estimators}
  made = {
    f"whole_relative_{name}": (tuple(axes), np.ones((2, 1, 1)) * AROUND[:, None] * [values[one] for one in estimators])
    for name, values in (("bias", bias), ("deviation", spread))
  }
  return {"online_learning": xr.Dataset(made, axes)}


BIAS = {"snap1": 0.5, "eprop": 0.5, "uoro": 0.5, "rtrl": 1e-15}
SPREAD = {"snap1": 0.0, "eprop": 0.0, "uoro": 9.0, "rtrl": 0.0}


@pytest.mark.parametrize(
  ("bias", "spread", "verdict", "condition"),
  [
    ({}, {}, HOLDS, ""),
    ({"rtrl": 0.1}, {}, CONDITIONAL, "and not for RTRL"),
    ({"snap1": 0.0}, {"eprop": 0.1}, CONDITIONAL, "and not for SnAp-1 and for e-prop"),
    (dict.fromkeys(BIAS, 0.0) | {"rtrl": 0.1}, {"uoro": 0.0}, FAILS, ""),
  ],
)
def test_forward_gradients(bias, spread, verdict, condition):
  found = forward_gradients(online(BIAS | bias, SPREAD | spread))
  assert found.verdict == verdict
  assert condition in found.condition


@pytest.mark.parametrize(
  ("lstm", "gru", "verdict", "condition"),
  [
    ((-1, -0.1, -0.004), (-1, -0.1, -0.004), CONDITIONAL, "for the LSTM and for the GRU; not measured: over a range"),
    ((-1, -0.1, -0.004), (-1, -0.1, -0.02), CONDITIONAL, "and not for the GRU"),
    ((-1, -0.1, 0.02), (-0.001, -0.1, -0.004), FAILS, ""),
  ],
)
def test_marginal_stability(lstm, gru, verdict, condition):
  """The whole claim cannot hold by this experiment, because it has one gain only."""
  axes = {"cell": ["lstm", "gru"], "forget_bias": [-2.0, 0.0, 5.0], "seed": SEEDS}
  exponent = np.array([lstm, gru])[..., None] * AROUND
  nets = xr.Dataset({"largest_exponent": (tuple(axes), exponent)}, {**axes, "ws": 1.0, "seq_len": 100})
  found = marginal_stability({"open_gates": nets})
  assert found.verdict == verdict
  assert condition in found.condition


@pytest.mark.parametrize(
  ("far", "verdict", "condition"),
  [
    ((0.0, 0.0), CONDITIONAL, "it holds for the RNN at W_s = 1 and 2, for the LSTM at W_s = 1 and 2 and for the GRU"),
    ((0.0, 0.1), CONDITIONAL, "It does not hold for the RNN at W_s = 2"),
    ((0.1, 0.1), FAILS, ""),
  ],
)
def test_critical_lines(far, verdict, condition):
  """The whole claim cannot hold by these experiments, because nothing is trained."""
  axes = {"cell": ["rnn", "lstm", "gru"], "ws": [1.0, 2.0], "seed": SEEDS}
  rate = np.zeros((3, 2, 4))
  theory = xr.Dataset({"growth_rate": (tuple(axes), rate + np.array(far)[:, None])}, {**axes, "forget_bias": 0.0})
  nets = xr.Dataset({"growth_rate": (tuple(axes), rate)}, {**axes, "forget_bias": 0.0, "norm": "spectral"})
  found = critical_lines({"atlas_mean_field": theory, "critical_gain": nets})
  assert found.verdict == verdict
  assert condition in found.condition
