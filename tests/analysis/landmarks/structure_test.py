"""Judges of landmarks on structure, on made-up results that call for each verdict."""

import numpy as np
import pytest
import xarray as xr

from analysis.claims import structure
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS


def dataset(values, dims, coords, **scalars):
  """Results with a status, as they are loaded."""
  data = xr.Dataset({name: (dims, array) for name, array in values.items()}, coords | scalars)
  status = data[next(iter(values))].isel({name: 0 for name in dims if name not in DIMENSIONS}, drop=True)
  return data.assign(status=status.notnull().astype(np.int8)).assign_attrs(source="made up")


DIMENSIONS = ("cell", "input", "seed", "alpha", "hidden_size", "ws", "eigenvalues", "task", "memory")


def tracked(positive, signed_at_40, signed_at_256, seeds=8):
  shares = np.empty((2, 1, 1, 2, seeds, 2))
  shares[:, :, :, 0] = positive
  shares[:, :, :, 1, :, 0], shares[:, :, :, 1, :, 1] = signed_at_40, signed_at_256
  coords = {
    "cell": ["s6", "delta_net"],
    "hidden_size": [8],
    "task": ["parity"],
    "eigenvalues": ["positive", "signed"],
    "seed": range(seeds),
    "test_length": [40, 256],
  }
  return {"state_tracking": dataset({"accuracy": shares}, tuple(coords), coords)}


@pytest.mark.parametrize(
  ("shares", "verdict"),
  [((0.5, 1, 1), HOLDS), ((0.5, 1, 0.6), CONDITIONAL), ((0.9, 0.6, 0.5), FAILS), ((0.9, 1, 1), CONDITIONAL)],
)
def test_parity_needs_chance_on_one_side_and_success_at_both_lengths_on_the_other(shares, verdict):
  assert structure.parity(tracked(*shares)).verdict == verdict


def test_one_seed_in_eight_that_fails_does_not_turn_the_verdict_and_half_of_them_do():
  most, half = np.array([1.0] * 7 + [0.5]), np.array([1.0] * 4 + [0.5] * 4)
  assert structure.parity(tracked(0.5, 1, most)).verdict == HOLDS
  assert structure.parity(tracked(0.5, 1, half)).verdict == CONDITIONAL


def searched(found, seeds=4):
  cells, inputs = ["rnn", "cfn", "lru"], ["zero", "constant", "white"]
  positive = np.zeros((3, 3, seeds))
  positive[0] = 1
  for cell, kind in found:
    positive[cells.index(cell), inputs.index(kind), 0] = 1
  coords = {"cell": cells, "input": inputs, "seed": range(seeds)}
  return {"chaos_search": dataset({"is_positive": positive, "largest_exponent": positive - 0.5}, tuple(coords), coords)}


def test_one_net_is_a_counterexample():
  assert structure.chaos_free(searched([])).verdict == HOLDS
  finding = structure.chaos_free(searched([("cfn", "white")]))
  assert finding.verdict == CONDITIONAL
  assert "not for cfn with white input" in finding.condition
  every = [(cell, kind) for cell in ("cfn", "lru") for kind in ("zero", "constant", "white")]
  assert structure.chaos_free(searched(every)).verdict == FAILS


def test_a_search_that_finds_no_chaos_in_an_rnn_says_nothing():
  data = searched([])
  data["chaos_search"]["is_positive"][0] = 0
  with pytest.raises(ValueError, match="no chaos in an RNN"):
    structure.chaos_free(data)


def moments(powers):
  memory = np.array([10.0, 100.0, 1000.0])
  square = np.full((2, 3, 2, 3, 5), np.nan)
  for (cell, scale, parameter), power in powers.items():
    square[cell, :, scale, parameter] = memory[:, None] ** power
  coords = {
    "cell": ["rnn_linear", "lru"],
    "memory": memory,
    "scale": ["plain", "normalized"],
    "parameter": ["recurrent_kernel", "log_decay", "log_angle"],
    "seed": range(5),
  }
  return {"curse_of_memory": dataset({"squared_gradient": square}, tuple(coords), coords)}


@pytest.mark.parametrize(
  ("grows", "decay", "angle", "verdict"),
  [(4, 0, 0, HOLDS), (4, 0, 2, CONDITIONAL), (0, 1, 2, FAILS), (4, 1, 2, CONDITIONAL)],
)
def test_the_curse_is_growth_and_its_removal_is_none(grows, decay, angle, verdict):
  data = moments({(0, 0, 0): grows, (0, 1, 0): 2, (1, 0, 1): 2, (1, 1, 1): decay, (1, 1, 2): angle})
  assert structure.memory(data).verdict == verdict


def tails(gains, dimensions):
  """Nets that are chaotic above a gain for each α and size, and dimensions that grow with the gain up to one for each α."""
  alphas, sizes, ws = [1.0, 2.0], [64, 512], np.array([0.4, 0.6, 0.8, 1.0, 1.2])
  noise = 1e-3 * np.arange(5)
  chaotic = np.stack([[[(ws > gain)[:, None] + 0 * noise for gain in row] for row in gains]])[0].astype(float)
  share = np.full(chaotic.shape, np.nan)
  share[:, 0] = np.asarray(dimensions)[:, None, None] * (ws / ws[-1])[:, None] + noise
  coords = {"alpha": alphas, "hidden_size": sizes, "ws": ws, "seed": range(5)}
  data = dataset({"is_chaotic": chaotic, "dimension_share": share}, tuple(coords), coords)
  return {"heavy_tails": data.expand_dims(cell=["rnn"])}


@pytest.mark.parametrize(
  ("gains", "dimensions", "shifted", "lower"),
  [
    ([[1.1, 0.5], [1.1, 0.9]], [0.05, 0.3], True, True),
    ([[1.1, 0.9], [1.1, 0.5]], [0.05, 0.3], False, True),
    ([[1.1, 0.5], [1.1, 0.9]], [0.3, 0.3], True, False),
  ],
)
def test_heavy_tails_must_shift_more_and_stay_lower(gains, dimensions, shifted, lower):
  finding = structure.heavy_tails(tails(gains, dimensions))
  assert finding.verdict == CONDITIONAL  # the width is not measured
  holds = finding.condition.partition("not ")[0]
  assert ("the shift" in holds) == shifted
  assert ("lower dimension" in holds) == lower


def test_what_was_not_measured_counts_on_neither_side():
  data = searched([("cfn", "zero")])
  data["chaos_search"].is_positive.loc[{"cell": "cfn", "input": ["constant", "white"]}] = np.nan
  assert "cfn with no input" in structure.chaos_free(data).condition
  assert "constant input" not in structure.chaos_free(data).condition
  known = moments({(0, 0, 0): 4, (0, 1, 0): 2, (1, 0, 1): 2, (1, 1, 1): 0})  # no angle
  assert "not measured: for its removal from the angle" in structure.memory(known).condition
  runs = tracked(0.5, 1, np.array([1.0] * 7 + [np.nan]))
  assert structure.parity(runs).verdict == HOLDS
