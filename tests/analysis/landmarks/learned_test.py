"""Judges of the landmarks on training, on made-up counts of seeds that must give each verdict."""

import itertools

import numpy as np
import pytest
import xarray as xr

from analysis.claims import learned
from analysis.claims.evidence import compare, seeds_to_part, wilson
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS
from analysis.learning.success import success_rate

SEEDS = 20


def runs(counts, fixed=None, **axes):
  """Training runs in which `counts[setting]` of 20 seeds solve the task; a setting has a value per axis. Others were not run."""
  axes = {**axes, "seed": range(SEEDS)}
  solved = np.full([len(values) for values in axes.values()], np.nan)
  for at, count in counts.items():
    place = tuple(list(values).index(value) for values, value in zip(axes.values(), at, strict=False))
    solved[place] = np.arange(SEEDS) < count
  made = {"solved": (tuple(axes), solved), "best_score": (tuple(axes), 1 - solved)}
  return xr.Dataset(made, {name: list(values) for name, values in axes.items()} | (fixed or {}))


@pytest.mark.parametrize(
  ("plain", "clipped", "with_omega", "verdict", "condition"),
  [
    ((0, 0), (10, 10), (20, 20), HOLDS, ""),
    ((20, 0), (20, 10), (20, 20), HOLDS, ""),
    ((10, 10), (10, 10), (10, 10), FAILS, ""),
    (
      (20, 8),
      (18, 8),
      (20, 20),
      CONDITIONAL,
      "it holds for Ω over clipping at length 20, and not for clipping over plain",
    ),
  ],
)
def test_clipping(plain, clipped, with_omega, verdict, condition):
  kinds = {("none", 0.0): plain, ("global_norm", 0.0): clipped, ("global_norm", 2.0): with_omega}
  counts = {(*kind, length): solved[i] for kind, solved in kinds.items() for i, length in enumerate((10, 20))}
  fixed = {"cell": "rnn", "optimizer": "sgd", "learning_rate": 0.01, "init": "flags"}
  data = runs(counts, fixed, clip=["none", "global_norm"], omega=[0.0, 2.0], length=[10, 20])
  found = learned.clipping({"temporal_order": data})
  assert found.verdict == verdict
  assert condition in found.condition


@pytest.mark.parametrize(
  ("counts", "verdict"), [((20, 18, 0, 0), HOLDS), ((20, 0, 0, 0), CONDITIONAL), ((10, 10, 10, 8), FAILS)]
)
def test_chrono(counts, verdict):
  settings = itertools.product(["chrono", "1"], [50, 100])
  data = runs(dict(zip(settings, counts, strict=True)), {"cell": "lstm"}, forget_bias=["chrono", "1"], length=[50, 100])
  assert learned.chrono({"copy_memory": data}).verdict == verdict


@pytest.mark.parametrize(
  ("gru", "biased", "verdict"),
  [
    ((20, 20), (20, 20), HOLDS),
    ((20, 20), (20, 2), CONDITIONAL),
    ((20, 0), (4, 0), FAILS),
    ((0, 0), (0, 0), FAILS),
  ],
)
def test_forget_bias(gru, biased, verdict):
  counts = {("gru", "0", lag): gru[i] for i, lag in enumerate((10, 20))}
  counts |= {("lstm", bias, lag): 0 for bias in ("0", "1") for lag in (10, 20)}
  counts |= {("lstm", "2", lag): biased[i] for i, lag in enumerate((10, 20))}
  data = runs(counts, cell=["lstm", "gru"], forget_bias=["0", "1", "2"], length=[10, 20])
  assert learned.forget_bias({"solvable_lag": data}).verdict == verdict


@pytest.mark.parametrize(("count", "verdict"), [(20, CONDITIONAL), (10, FAILS)])
def test_identity_start(count, verdict):
  """The whole claim cannot hold by this experiment, because it has no pixels."""
  fixed = {"cell": "rnn_relu", "recurrent_init": "identity", "layers": 1}
  assert learned.identity_start({"adding": runs({(150,): count}, fixed, length=[150])}).verdict == verdict
  with pytest.raises(ValueError, match="No case"):
    learned.identity_start({"adding": runs({(100,): count}, fixed, length=[100])})
  with pytest.raises(KeyError):
    learned.identity_start({"adding": runs({(150,): count}, fixed | {"cell": "rnn"}, length=[150])})


@pytest.mark.parametrize(
  ("lags", "added", "verdict", "condition"),
  [
    ((20, 20), (20, 0), CONDITIONAL, "not measured: for the RNN on noise-free lags"),
    ((20, 0), (20, 0), CONDITIONAL, "and not for the LSTM at lag 100"),
    ((0, 0), (20, 20), FAILS, ""),
  ],
)
def test_long_lags(lags, added, verdict, condition):
  counts = {("1", 10): 0, ("2", 10): lags[0], ("1", 100): lags[1], ("2", 100): 0}
  noise_free = runs(counts, {"cell": "lstm"}, forget_bias=["1", "2"], length=[10, 100])
  adding = runs({("lstm",): added[0], ("rnn",): added[1]}, {"length": 100, "layers": 1}, cell=["lstm", "rnn"])
  found = learned.long_lags({"solvable_lag": noise_free, "adding": adding})
  assert found.verdict == verdict
  assert condition in found.condition


@pytest.mark.parametrize(
  ("plain", "flossed", "verdict"),
  [((20, 0), (20, 20), HOLDS), ((8, 8), (20, 10), CONDITIONAL), ((16, 0), (20, 0), FAILS)],
)
def test_flossing(plain, flossed, verdict):
  counts = {
    (floss, delay): solved[i] for floss, solved in ((0, plain), (300, flossed)) for i, delay in enumerate((8, 16))
  }
  data = runs(counts, {"cell": "rnn"}, floss=[0, 300], length=[8, 16])
  assert learned.flossing({"flossing": data}).verdict == verdict


@pytest.mark.parametrize(("solved", "seeds"), [(0, 5), (3, 5), (10, 10), (1, 40)])
def test_the_interval_of_a_share_is_that_of_counted_seeds(solved, seeds):
  rate = success_rate(xr.DataArray(np.arange(seeds) < solved, dims="seed").astype(float))
  np.testing.assert_allclose(wilson(solved / seeds, seeds), [float(rate.low), float(rate.high)], atol=1e-12)


def test_seeds_that_would_part_two_shares_do_and_one_less_does_not():
  seeds = seeds_to_part(1.0, 0.6)
  parted = lambda n: wilson(1.0, n)[0] > wilson(0.6, n)[1]
  assert parted(seeds)
  assert not parted(seeds - 1)
  assert seeds_to_part(0.4, 0.4) is None
  more, fewer = (xr.DataArray(np.arange(10) < count, dims="seed").astype(float) for count in (10, 6))
  assert f"such shares need {seeds} seeds each" in compare(more, fewer).text
  assert f"such shares need, for the opposite, {seeds} seeds each" in compare(fewer, more).text
