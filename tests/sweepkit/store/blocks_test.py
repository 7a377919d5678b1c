"""Blocks are read as they were written, or an error names the file."""

import re

import numpy as np
import pytest

from sweepkit import store
from sweepkit.store import files
from tests.support.results import block, with_schema


def looked_at(folder):
  inventory = store.Inventory(folder)
  inventory.look()
  return inventory


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
  inventory = looked_at(tmp_path)
  assert inventory.points() == []
  assert len(inventory.problems) == 1
  path.unlink()
  with pytest.raises(store.ResultsError, match=r"missing|holds no results"):
    store.load_results(tmp_path)


def test_another_schema_is_refused(tmp_path):
  path = store.write_block(tmp_path, block())
  with_schema(path, 99)
  for read in (store.load_results, looked_at):
    with pytest.raises(store.SchemaError, match=f"{path.name} has schema version 99, but this version reads 1"):
      read(tmp_path)


def test_an_altered_version_is_an_altered_file_and_no_other_schema(tmp_path):
  path = store.write_block(tmp_path, block())
  path.write_bytes(path.read_bytes().replace(b'"schema_version": 1', b'"schema_version": 3'))
  inventory = looked_at(tmp_path)
  assert inventory.points() == []
  (problem,) = inventory.problems
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
  inventory = looked_at(tmp_path)
  assert (inventory.points(), inventory.problems) == ([], [])


def test_no_pickle_is_ever_read(tmp_path):
  path = store.write_block(tmp_path, block())
  np.savez(path.with_suffix(".npz"), status=np.array([{"a": 1}], dtype=object))
  with pytest.raises(store.ResultsError, match="altered"):
    store.load_results(tmp_path)
