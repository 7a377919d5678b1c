"""What is written is what is read, or there is an error that names the file."""

import re

import numpy as np
import pytest
import xarray as xr

from sweepkit import store
from sweepkit.points import expand
from sweepkit.store import files
from tests.support.results import block, with_schema


def test_round_trip(tmp_path):
  written = block()
  path = store.write_block(tmp_path, written)
  read = store.read_block(path)
  assert read.points == written.points
  assert read.dims == {"log_norm": ["lag"], "rate": []}
  for name, array in written.arrays.items():
    np.testing.assert_array_equal(read.arrays[name], array)
    assert read.arrays[name].dtype == array.dtype
  assert not list(tmp_path.glob(".*"))


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


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_every_flipped_byte_is_found(tmp_path, suffix, rng):
  path = store.write_block(tmp_path, block()).with_suffix(suffix)
  original = path.read_bytes()
  for position in rng.choice(len(original), 60, replace=False):
    flipped = bytearray(original)
    flipped[position] ^= 1 << rng.integers(8)
    path.write_bytes(bytes(flipped))
    with pytest.raises(store.ResultsError, match=path.stem):
      store.load_results(tmp_path)
  path.write_bytes(original)
  store.load_results(tmp_path)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_truncated_and_missing_files_are_named(tmp_path, suffix):
  path = store.write_block(tmp_path, block()).with_suffix(suffix)
  path.write_bytes(path.read_bytes()[:-7])
  with pytest.raises(store.ResultsError, match=re.escape(path.name) + " is (truncated|altered)"):
    store.load_results(tmp_path)
  done, problems = store.done_points(tmp_path)
  assert not done
  assert len(problems) == 1
  path.unlink()
  with pytest.raises(store.ResultsError, match=r"missing|holds no results"):
    store.load_results(tmp_path)


def test_another_schema_is_refused(tmp_path):
  path = store.write_block(tmp_path, block())
  with_schema(path, 99)
  for read in (store.load_results, store.done_points):
    with pytest.raises(
      store.SchemaError, match=f"{path.name} has schema version 99, but this version of the lab reads 1"
    ):
      read(tmp_path)


def test_an_altered_version_is_an_altered_file_and_no_other_schema(tmp_path):
  path = store.write_block(tmp_path, block())
  path.write_bytes(path.read_bytes().replace(b'"schema_version": 1', b'"schema_version": 3'))
  done, (problem,) = store.done_points(tmp_path)
  assert not done
  assert f"{path} is altered" in problem


def test_white_space_counts_too(tmp_path):
  path = store.write_block(tmp_path, block())
  path.write_bytes(path.read_bytes().replace(b"\n ", b"\n\t", 1))
  with pytest.raises(store.ResultsError, match="altered"):
    store.read_block(path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_says_so_and_leaves_what_was_there(tmp_path, monkeypatch, step):
  path = store.write_block(tmp_path / "full", block())
  before = {file.name: file.read_bytes() for file in (tmp_path / "full").iterdir()}

  def full(*_):
    raise OSError(28, "No space left on device")

  for folder in (tmp_path / "full", tmp_path / "empty"):
    with monkeypatch.context() as patch:
      patch.setattr(files.os, step, full)
      with pytest.raises(store.ResultsError, match=rf"{path.stem}.npz cannot be written \(No space left on device\)"):
        store.write_block(folder, block(arrays=block(ws=2.0).arrays))
  assert {file.name: file.read_bytes() for file in (tmp_path / "full").iterdir()} == before
  assert list((tmp_path / "empty").iterdir()) == []
  store.write_block(tmp_path / "empty", block())  # once there is room
  assert store.load_results(tmp_path / "empty").equals(store.load_results(tmp_path / "full"))


def test_arrays_without_their_json_do_not_count(tmp_path):
  path = store.write_block(tmp_path, block())
  path.unlink()  # as after a kill between the two renames
  assert store.done_points(tmp_path) == (set(), [])


def test_empty_folder_says_what_to_run(tmp_path):
  command = re.escape(f"(python -m experiments.recurrent_gain --out={tmp_path})")
  with pytest.raises(store.ResultsError, match=f"holds no results; run the experiment first {command}"):
    store.load_results(tmp_path / "recurrent_gain")


def test_no_pickle_is_ever_read(tmp_path):
  path = store.write_block(tmp_path, block())
  np.savez(path.with_suffix(".npz"), status=np.array([{"a": 1}], dtype=object))
  with pytest.raises(store.ResultsError, match="altered"):
    store.load_results(tmp_path)


@pytest.mark.parametrize("name", ["forget_bias", "adding", "ngram"])
def test_kept_results_say_what_they_are(name):
  data = store.load_results(f"results/reference/{name}")
  for variable in data.variables.values():
    assert variable.attrs.get("long_name")
    if variable.dtype.kind in "if":
      assert variable.attrs.get("units") or "flag_meanings" in variable.attrs
  assert data.status.attrs["flag_meanings"].split() == list(store.STATUS)
  assert data.status.attrs["flag_values"].tolist() == list(range(len(store.STATUS)))
  assert set(np.unique(data.code)) <= {"", store.UNKNOWN}
  assert data.attrs["present"] == data.attrs["planned"]


def test_a_dataset_goes_through_netcdf_with_its_attributes(tmp_path):
  store.write_block(tmp_path, block(attributes={"rate": {"long_name": "rate", "units": "nats per step"}}))
  data = store.load_results(tmp_path)
  data.to_netcdf(tmp_path / "data.nc", engine="scipy")
  with xr.open_dataset(tmp_path / "data.nc", engine="scipy") as read:
    assert read.rate.attrs == {"long_name": "rate", "units": "nats per step"}
    assert read.status.attrs["flag_meanings"] == data.status.attrs["flag_meanings"]
  assert "units" not in data.log_norm.attrs


def test_a_folder_knows_the_points_that_were_planned(tmp_path):
  """Of two plans that overlap, and blocks of a time when plans were not stored."""
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
