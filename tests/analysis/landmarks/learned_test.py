"""Judges of the landmarks on training, on made-up counts of seeds that must give each verdict."""

import itertools

import numpy as np
import pytest
import xarray as xr

from analysis.claims import learned, starts
from analysis.claims.evidence import compare, most, seeds_for_half, seeds_to_part, wilson
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS
from analysis.learning.success import success_rate
from sweepkit.store import STATUS

SEEDS = 20


def runs(counts, fixed=None, **axes):
  """Training runs in which `counts[setting]` of 20 seeds solve the task; a setting has a value per axis. Others were not run."""
  axes = {**axes, "seed": range(SEEDS)}
  solved = np.full([len(values) for values in axes.values()], np.nan)
  for at, count in counts.items():
    place = tuple(list(values).index(value) for values, value in zip(axes.values(), at, strict=False))
    solved[place] = np.arange(SEEDS) < count
  made = {name: (tuple(axes), values) for name, values in (("solved", solved), ("best_score", 1 - solved))}
  made["solved_at"] = (tuple(axes), np.where(solved == 1, 100.0, np.nan))
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
  assert starts.chrono({"copy_memory": data}).verdict == verdict


@pytest.mark.parametrize(
  ("gru", "biased", "added", "verdict"),
  [
    ((20, 20), (20, 20), (20, 20), HOLDS),
    ((20, 20), (20, 2), (0, 0), CONDITIONAL),
    ((0, 0), (0, 0), (20, 20), HOLDS),
    ((20, 0), (4, 0), (20, 2), FAILS),
    ((0, 0), (0, 0), (0, 20), FAILS),
  ],
)
def test_forget_bias(gru, biased, added, verdict):
  counts = {("gru", "0", lag): gru[i] for i, lag in enumerate((10, 20))}
  counts |= {("lstm", bias, lag): 0 for bias in ("0", "1") for lag in (10, 20)}
  counts |= {("lstm", "2", lag): biased[i] for i, lag in enumerate((10, 20))}
  axes = {"cell": ["lstm", "gru"], "forget_bias": ["0", "1", "2"]}
  counts_added = {("gru", "0"): added[0], ("lstm", "0"): 0, ("lstm", "1"): 0, ("lstm", "2"): added[1]}
  data = {
    "solvable_lag": runs(counts, **axes, length=[10, 20]),
    "forget_gap": runs(counts_added, {"length": 50}, **axes),
  }
  assert starts.forget_bias(data).verdict == verdict


@pytest.mark.parametrize(("biased", "verdict"), [(400, HOLDS), (900, FAILS)])
def test_a_gap_in_updates_is_closed_by_a_bias_or_not(biased, verdict):
  """All seeds solve all tasks, so that the updates of adding are the only case."""
  axes = {"cell": ["lstm", "gru"], "forget_bias": ["0", "1", "2"]}
  every = {("gru", "0"): 20} | {("lstm", bias): 20 for bias in ("0", "1", "2")}
  data = {"solvable_lag": runs(every, {"length": 10}, **axes), "forget_gap": runs(every, {"length": 50}, **axes)}
  updates = {"gru": 300, "0": 800, "1": biased, "2": 1200}
  solved = data["forget_gap"].solved
  at = [[updates["gru"] if cell == "gru" else updates[bias] for bias in axes["forget_bias"]] for cell in axes["cell"]]
  around = xr.DataArray(np.linspace(-50, 50, SEEDS), dims="seed")
  data["forget_gap"]["solved_at"] = (xr.DataArray(at, dims=("cell", "forget_bias")) + around).where(solved == 1)
  found = starts.forget_bias(data)
  assert found.verdict == verdict
  assert "GRU 300 ±" in found.measured


@pytest.mark.parametrize(("added", "read", "verdict"), [(20, 20, HOLDS), (20, 10, CONDITIONAL), (10, 2, FAILS)])
def test_identity_start(added, read, verdict):
  """The counts of the tanh net are told beside, and not judged."""
  counts = {("rnn_relu", "adding", "identity"): added, ("rnn_relu", "digits", "identity"): read}
  counts[("rnn", "adding", "gaussian")] = 3
  axes = {"cell": ["rnn_relu", "rnn"], "task": ["adding", "digits"], "recurrent_init": ["identity", "gaussian"]}
  data = runs(counts, **axes).expand_dims(["input_gain", "output_gain", "forget_bias"])
  data = data.assign(status=data.solved * 0, score=data.solved)
  found = starts.identity_learns({"identity_start": data})
  assert found.verdict == verdict
  assert "RNN 0.15 (0.0524 – 0.36), 3 of 20" in found.measured


def test_a_share_near_one_half_says_how_many_seeds_would_resolve_it():
  solved = xr.DataArray(np.arange(5) < 4, dims="seed").astype(float)
  holds, text = most(solved)
  seeds = seeds_for_half(0.8)
  assert not holds
  assert wilson(0.8, 5)[0] < 0.5 < wilson(0.8, seeds)[0]
  assert wilson(0.8, seeds - 1)[0] < 0.5
  assert text.endswith(f"4 of 5 (the side of one half is not resolved; such a share needs {seeds} seeds)")
  assert seeds_for_half(0.5) is None


@pytest.mark.parametrize(
  ("lags", "added", "verdict", "condition"),
  [
    ((20, 20), (20, 0), HOLDS, ""),
    ((20, 0), (20, 0), CONDITIONAL, "It does not hold for the LSTM at lag 100 and for the LSTM over"),
    ((0, 0), (20, 20), FAILS, ""),
  ],
)
def test_long_lags(lags, added, verdict, condition):
  counts = {("1", 10): 0, ("2", 10): lags[0], ("1", 100): lags[1], ("2", 100): 0}
  counts = {("lstm", *at): count for at, count in counts.items()} | {("rnn", "0", lag): 0 for lag in (10, 100)}
  noise_free = runs(counts, cell=["lstm", "rnn"], forget_bias=["0", "1", "2"], length=[10, 100])
  adding = runs({("lstm",): added[0], ("rnn",): added[1]}, {"length": 100, "layers": 1}, cell=["lstm", "rnn"])
  found = starts.long_lags({"solvable_lag": noise_free, "adding": adding})
  assert found.verdict == verdict
  assert condition in found.condition


@pytest.mark.parametrize(
  ("plain", "flossed", "between", "verdict"),
  [((20, 0), (20, 20), 20, HOLDS), ((8, 8), (20, 10), 0, CONDITIONAL), ((16, 0), (20, 0), 0, FAILS)],
)
def test_flossing(plain, flossed, between, verdict):
  counts = {
    (floss, delay): solved[i] for floss, solved in ((0, plain), (300, flossed)) for i, delay in enumerate((8, 16))
  }
  data = runs(counts, {"cell": "rnn"}, floss=[0, 300], length=[8, 16])
  kinds = {(0, 0, 0): 0, (100, 0, 0): between, (100, 250, 20): between}  # updates of flossing, every …, each
  counts = {(*kind, 20): count for kind, count in kinds.items()}
  longer = runs(counts, floss=[0, 100], floss_every=[0, 250], floss_updates=[0, 20], length=[20]).expand_dims(
    cell=["rnn"]
  )
  status = longer.solved.notnull() * STATUS.index("ok")
  longer = longer.assign(status=status, score=longer.solved)
  assert learned.flossing({"flossing": data, "flossing_in_training": longer}).verdict == verdict


@pytest.mark.parametrize(("told", "verdict"), [(("rnn", "gru"), HOLDS), (("rnn",), CONDITIONAL), ((), FAILS)])
def test_spectra_of_trained_nets(told, verdict):
  """Errors that follow the exponents, and errors that follow nothing."""
  rng = np.random.default_rng(0)
  axes = {"cell": ["rnn", "gru"], "ws": [0.5, 1.0, 2.0, 3.0], "seed": range(6), "index": range(12)}
  exponents = rng.normal(size=[len(values) for values in axes.values()])
  follows = [float(cell in told) for cell in axes["cell"]]
  error = np.reshape(follows, (-1, 1, 1)) * exponents.mean(-1) + 0.01 * rng.normal(size=exponents.shape[:3])
  names = tuple(axes)
  made = {"exponent": (names, exponents), "exponent_before": (names, exponents), "final_score": (names[:3], error)}
  data = xr.Dataset(made | {"status": (names[:3], error * 0)}, axes)
  assert learned.spectra_tell({"trained_spectra": data}).verdict == verdict


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
