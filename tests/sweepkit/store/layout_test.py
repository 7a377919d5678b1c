"""Stored points come as a grid or as a list, in memory proportional to what is stored, and nothing is lost on the way."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from sweepkit import store
from sweepkit.store import ResultsError, layout

AXES = {"ws": 12, "input_scale": 12, "bias_scale": 12, "forget_bias": 12}


def value(point, lag):
  """A number that tells where it belongs."""
  return sum((i + 1) * point[name] for i, name in enumerate(AXES)) + 1000 * point["seed"] + 0.001 * lag


def write_sweep(folder, axis, values, lags=201, seeds=8, **fixed):
  """A sweep of one axis, the others at 1, in blocks of one value."""
  for cell, at in itertools.product(("rnn", "lstm", "gru"), values):
    points = [
      {"cell": cell, "hidden_size": 4, **dict.fromkeys(AXES, 1.0), **fixed, axis: at, "seed": seed}
      for seed in range(seeds)
    ]
    curve = np.array([[value(point, lag) for lag in range(lags)] for point in points], np.float32)
    arrays = {"log_norm": curve, "rate": curve[:, 0], "status": np.ones(len(points), np.int8)}
    coords = {"lag": list(range(lags))}
    store.write_block(folder, store.Block(points, arrays, {"log_norm": ("lag",), "rate": ()}, coords, {}))


def write_sweeps(folder, **more):
  for axis, count in AXES.items():
    write_sweep(folder, axis, [2.0 + i for i in range(count)], **more)


MEMORY = """
import resource, sys
from sweepkit.store import load_results
def peak():
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
data = load_results(sys.argv[1]).load()
print((peak() - before) / 2**10, data.nbytes / 2**20, dict(data.sizes)["point"])
"""


@pytest.mark.parametrize(
  "fifth", [{}, pytest.param({"seq_len": (50, 1000)}, marks=pytest.mark.slow)], ids=["four axes", "and lengths"]
)
def test_sweeps_of_one_axis_each_take_the_memory_of_what_is_stored(tmp_path, fifth):
  write_sweeps(tmp_path, **dict.fromkeys(fifth, 200))
  for name, lengths in fifth.items():
    for length in lengths:
      write_sweep(tmp_path, name, [length], lags=length + 1)
  result = subprocess.run([sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True, check=True)
  added, size, points = map(float, result.stdout.split())
  assert points == 1152 + 24 * sum(map(len, fifth.values()))
  assert added < 100
  assert size < 20


def test_a_list_holds_every_number_at_its_settings(tmp_path):
  write_sweeps(tmp_path)
  data = store.load_results(tmp_path)
  assert set(data.sizes) == {"point", "lag"}
  for name in ("ws", "forget_bias"):
    at = {name: 5.0, **{other: 1.0 for other in AXES if other != name}}
    found = data.sel(cell="gru", seed=3, **at)
    np.testing.assert_allclose(found.log_norm.sel(lag=7), value(at | {"seed": 3}, 7), rtol=1e-6)
  alone = data.where((data.ws == 7) & (data.cell == "rnn"), drop=True)
  assert alone.sizes["point"] == 8
  assert int(data.hidden_size) == 4
  chosen = store.load_results(tmp_path, input_scale=1, bias_scale=1, forget_bias=1)
  assert dict(chosen.sizes) == {
    "cell": 3,
    "ws": 12,
    "input_scale": 1,
    "bias_scale": 1,
    "forget_bias": 1,
    "seed": 8,
    "lag": 201,
  }
  listed = data.where((data.input_scale == 1) & (data.bias_scale == 1) & (data.forget_bias == 1), drop=True)
  xr.testing.assert_equal(layout.as_grid(listed).rate, chosen.rate)
  assert (chosen.attrs["present"], chosen.attrs["planned"]) == (288, 288)
  assert [store.STATUS[int(i)] for i in np.unique(layout.as_grid(listed).status)] == ["ok"]


def test_a_full_grid_keeps_its_dimensions_however_large(tmp_path, monkeypatch):
  monkeypatch.setattr(layout, "SMALL", 0)
  for scale in range(1, 4):
    write_sweep(tmp_path, "ws", range(1, 4), lags=20, seeds=2, input_scale=float(scale))
  data = store.load_results(tmp_path)
  assert dict(data.sizes) == {
    "cell": 3,
    "ws": 3,
    "input_scale": 3,
    "bias_scale": 1,
    "forget_bias": 1,
    "seed": 2,
    "lag": 20,
  }
  assert not np.isnan(data.log_norm).any()


def test_one_long_point_does_not_pad_a_thousand_short_ones(tmp_path):
  write_sweep(tmp_path, "ws", [1.0 + i for i in range(80)], lags=11, seq_len=10)
  write_sweep(tmp_path, "seq_len", [30_000], lags=30_001, seeds=1)
  data = store.load_results(tmp_path)
  assert data.nbytes < 2**23
  assert data.log_norm.dims == ("log_norm_entry",)
  long = data.isel(log_norm_entry=data.log_norm_lag == 29_999)
  assert long.sizes["log_norm_entry"] == 3
  for entry, point in zip(long.log_norm, long.log_norm_point, strict=True):
    settings = dict(zip(data.indexes["point"].names, data.point.values[int(point)], strict=True))
    np.testing.assert_allclose(
      entry, value(dict.fromkeys(AXES, 1.0) | {"seed": 0, "ws": settings["ws"]}, 29_999), rtol=1e-6
    )
  short = store.load_results(tmp_path, seq_len=10)
  assert short.log_norm.dims[-1] == "lag"


def test_settings_that_no_point_has_are_refused_in_one_sentence(tmp_path):
  write_sweep(tmp_path, "ws", [1.0, 2.0], lags=2)
  with pytest.raises(ResultsError, match=r"has no setting 'gain'; it has cell, hidden_size, ws"):
    store.load_results(tmp_path, gain=1)
  with pytest.raises(ResultsError, match=r"has no ws 3; it has 1\.0, 2\.0"):
    store.load_results(tmp_path, ws=[1, 3])
  assert store.load_results(tmp_path, ws=np.float32(2), cell=["rnn", "gru"]).sizes["cell"] == 2
