"""A folder of blocks is one labelled dataset, whichever version has written them."""

import hashlib
import io
import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from sweepkit import store
from sweepkit.grids import expand
from tests.support.launches import ROOT
from tests.support.results import block


def test_dataset_is_labelled_and_holes_are_missing(tmp_path):
  store.write_block(tmp_path, block())
  store.write_block(tmp_path, block(seeds=(1,), ws=-1.0))
  data = store.load_results(tmp_path)
  assert dict(data.sizes) == {"cell": 1, "ws": 2, "seed": 2, "lag": 3}
  assert float(data.rate.sel(cell="rnn", ws=0.5, seed=1)) == 1.25
  np.testing.assert_array_equal(data.log_norm.sel(cell="rnn", ws=-1.0, seed=1), [-1, 0, 1])
  assert np.isnan(data.rate.sel(cell="rnn", ws=-1.0, seed=0))
  statuses = [store.STATUS[int(data.status.sel(cell="rnn", ws=-1.0, seed=seed))] for seed in (0, 1)]
  assert statuses == ["missing", "ok"]
  assert int(data.hidden_size) == 4
  assert data.attrs["source"] == str(tmp_path)


def test_an_empty_folder_says_what_to_run(tmp_path):
  with pytest.raises(store.ResultsError, match=r"recurrent_gain holds no results; run its experiment first\.$"):
    store.load_results(tmp_path / "recurrent_gain")


def test_a_dataset_goes_through_netcdf_with_its_attributes(tmp_path):
  store.write_block(tmp_path, block(attributes={"rate": {"long_name": "rate", "units": "nats per step"}}))
  data = store.load_results(tmp_path)
  data.to_netcdf(tmp_path / "data.nc", engine="scipy")
  with xr.open_dataset(tmp_path / "data.nc", engine="scipy") as read:
    assert read.rate.attrs == {"long_name": "rate", "units": "nats per step"}
    assert read.status.attrs["flag_meanings"] == data.status.attrs["flag_meanings"]
  assert "units" not in data.log_norm.attrs


def test_a_folder_knows_the_points_that_were_planned(tmp_path):
  """Two plans overlap, and blocks from before plans were stored count as planned."""
  axes = {"cells": ["rnn"], "ws": [0.5, 1.0, 2.0], "hidden_size": [4]}
  points = expand(axes, 2, False)
  made = block()._replace(points=points[:2], provenance={"planned": {"axes": axes, "seeds": 2, "x64": False}})
  store.write_block(tmp_path, made)
  assert (store.load_results(tmp_path).attrs["present"], store.load_results(tmp_path).attrs["planned"]) == (2, 6)
  store.write_block(
    tmp_path, made._replace(points=points[2:4], provenance={"planned": {"axes": axes, "seeds": 3, "x64": False}})
  )
  data = store.load_results(tmp_path)
  assert (data.attrs["present"], data.attrs["planned"]) == (4, 9)
  assert store.load_results(tmp_path, ws=0.5).attrs["planned"] == 3
  store.write_block(tmp_path / "before", block())
  assert store.load_results(tmp_path / "before").attrs["planned"] == 2


OLD_POINT = {
  "cell": "gru",
  "hidden_size": 4,
  "ws": 0.5,
  "input_scale": 1.0,
  "forget_bias": 0.0,
  "seed": 0,
  "x64": False,
}


def write_as_before(folder, cell, planned):
  """A block as it was written before blocks held their code, attributes and axes: only json, hashlib and NumPy are used."""
  points = [OLD_POINT | {"cell": cell, "seed": seed} for seed in (0, 1)]
  payload = io.BytesIO()
  np.savez_compressed(
    payload, log_norm=np.full((2, 3), len(cell), np.float32), status=np.ones(2, np.int8), rate=np.float32([1, 2])
  )
  canonical = lambda content: json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
  meta = {
    "schema_version": 1,
    "points": points,
    "dims": {"log_norm": ["lag"], "rate": []},
    "coords": {"lag": [0, 1, 2]},
    "provenance": {"planned": {"axes": planned, "seeds": 2, "x64": False}, "jax": "0.4"},
    "arrays_sha256": hashlib.sha256(payload.getvalue()).hexdigest(),
  }
  meta["sha256"] = hashlib.sha256(canonical(meta)).hexdigest()
  path = folder / f"{cell}-{hashlib.sha256(canonical(points)).hexdigest()[:16]}.json"
  path.with_suffix(".npz").write_bytes(payload.getvalue())
  path.write_text(json.dumps(meta, indent=1))
  return path


def test_blocks_of_an_older_version_load_as_they_did(tmp_path):
  """Their axes come from the library that is installed: the order of its cells, and its gains and biases as dimensions."""
  planned = {
    "cells": ["gru", "rnn", "lstm"],
    "hidden_size": [4],
    "ws": [0.5],
    "input_scale": [1.0],
    "forget_bias": [0.0],
  }
  paths = [write_as_before(tmp_path, cell, planned) for cell in ("gru", "rnn")]
  data = store.load_results(tmp_path)
  assert dict(data.sizes) == {"cell": 2, "ws": 1, "input_scale": 1, "forget_bias": 1, "seed": 2, "lag": 3}
  assert data.cell.values.tolist() == ["rnn", "gru"]
  assert data.log_norm.dims == ("cell", "ws", "input_scale", "forget_bias", "seed", "lag")
  assert data.log_norm.squeeze().isel(seed=0, lag=0).values.tolist() == [3, 3]
  assert data.rate.sel(cell="gru").values.ravel().tolist() == [1, 2]
  assert (data.attrs["present"], data.attrs["planned"]) == (4, 6)
  assert set(data.code.values.ravel()) == {store.UNKNOWN}
  assert (int(data.hidden_size), bool(data.x64)) == (4, False)
  read = store.read_block(paths[0])
  assert (read.code, read.revision, dict(read.attributes), dict(read.axes)) == (store.UNKNOWN, 0, {}, {})
  assert store.block_name(read.points) == paths[0].stem


def test_older_and_newer_blocks_are_one_dataset(tmp_path):
  write_as_before(
    tmp_path, "gru", {"cells": ["gru"], "hidden_size": [4], "ws": [0.5], "input_scale": [1.0], "forget_bias": [0.0]}
  )
  points = expand(
    {"cell": ["rnn", "lstm"], "hidden_size": [4], "ws": [0.5], "input_scale": [1.0], "forget_bias": [0.0]}, 2, False
  )
  axes = {"cell": ["rnn", "lstm", "gru"], "ws": [], "input_scale": [], "forget_bias": [], "seed": []}
  for some in (points[:2], points[2:]):
    written = store.write_block(
      tmp_path, block(points=some, axes=axes, attributes={"rate": {"units": "nats per step"}})
    )
  data = store.load_results(tmp_path)
  assert written.exists()
  assert data.cell.values.tolist() == ["rnn", "lstm", "gru"]
  assert dict(data.sizes) == {"cell": 3, "ws": 1, "input_scale": 1, "forget_bias": 1, "seed": 2, "lag": 3}
  assert data.rate.attrs == {"units": "nats per step"}
  assert not np.isnan(data.rate).any()


MEASURE_LOAD = """
import pathlib, sys, tracemalloc
import xarray, sweepkit
folder = pathlib.Path(sys.argv[1])
sweepkit.load_results(folder / "warm")
tracemalloc.start()
data = sweepkit.load_results(folder / "results")
print(tracemalloc.get_traced_memory()[1], sum(file.stat().st_size for file in (folder / "results").iterdir()))
"""


def test_loading_takes_at_most_twice_the_size_of_the_files(tmp_path, rng):
  """Sixteen seeds of 40 gains and two cells with states of two sizes; the peak of all that Python and NumPy allocate."""
  coords = {"lag": list(range(60)), "index": list(range(120))}
  axes = {"cell": ["rnn", "lstm"], "ws": [], "seed": []}
  plan = {"axes": {"cell": ["rnn", "lstm"], "ws": [0.5 + i for i in range(40)], "hidden_size": [4]}, "seeds": 16}
  points = expand({"cell": ["rnn", "lstm"], "ws": plan["axes"]["ws"], "hidden_size": [4]}, 16, False)
  for first in range(0, len(points), 32):
    some = points[first : first + 32]
    entries = 60 if some[0]["cell"] == "rnn" else 120
    arrays = {
      "norm": rng.standard_normal((32, 2, 60)).astype(np.float32),
      "sv": rng.standard_normal((32, 3, entries)).astype(np.float32),
      "status": np.ones(32, np.int8),
    }
    made = store.Block(
      some,
      arrays,
      {"norm": ("kind", "lag"), "sv": ("sv_lag", "index")},
      {**coords, "kind": ["a", "b"], "sv_lag": [1, 5, 9], "index": list(range(entries))},
      {"planned": plan | {"x64": False}},
      axes=axes,
    )
    store.write_block(tmp_path / "results", made)
  store.write_block(tmp_path / "warm", made)
  done = subprocess.run(
    [sys.executable, "-c", MEASURE_LOAD, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT
  )
  peak, size = map(int, done.stdout.split())
  assert size > 2**20
  assert peak <= 2 * size
