"""Datasets survive NetCDF, Zarr and Parquet: every number, label, type and attribute, for grids and for lists of points."""

import numpy as np
import pytest
import xarray as xr

from sweepkit import portable, restored, store, table
from sweepkit.store import ResultsError, layout
from tests.support.results import block

pd = pytest.importorskip("pandas")

WRITERS = {
  "netcdf": (
    "h5netcdf",
    lambda data, path: portable(data).to_netcdf(path),
    lambda path: restored(xr.load_dataset(path)),
  ),
  "zarr": (
    "zarr",
    lambda data, path: portable(data).to_zarr(path, zarr_format=2),
    lambda path: restored(xr.open_zarr(path).load()),
  ),
}


@pytest.fixture(autouse=True)
def without_room(monkeypatch):
  """Small results come as a list too, where it takes less memory."""
  monkeypatch.setattr(layout, "SMALL", 0)


def results(folder, kind):
  """A grid with a missing point, or sweeps of one axis each, whose arrays have different lengths."""
  units = {"rate": {"long_name": "growth", "units": "nats per step"}, "ws": {"units": "1"}}
  if kind == "grid":
    store.write_block(folder, block(attributes=units))
    store.write_block(folder, block(seeds=(0,), ws=1.5, attributes=units))
    return store.load_results(folder)
  for i, size in enumerate(range(2, 40)):
    store.write_block(folder, _of_size(size, 0.5 if i % 2 else 2.0 * size, 400 if i == 7 else 3, units))
  return store.load_results(folder)


def _of_size(size, ws, lags, units):
  made = block(seeds=(0,), ws=ws, attributes=units)
  points = [point | {"hidden_size": size, "input_scale": 1.0 + size % 7, "bias": size % 5} for point in made.points]
  arrays = made.arrays | {"log_norm": np.arange(lags, dtype=np.float32)[None] + size}
  return made._replace(points=points, arrays=arrays, coords={"lag": list(range(lags))})


def test_the_list_is_one(tmp_path):
  """With entries of different lengths, which is the hardest to write."""
  data = results(tmp_path, "list")
  assert set(data.log_norm.dims) == {"log_norm_entry"}
  assert "point" in data.indexes


@pytest.mark.parametrize("kind", ["grid", "list"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_dataset_comes_back_as_it_was(name, kind, tmp_path):
  package, write, read = WRITERS[name]
  pytest.importorskip(package, reason='needs pip install ".[formats]"')
  data = results(tmp_path / "results", kind)
  write(data, tmp_path / "file")
  back = read(tmp_path / "file")
  xr.testing.assert_identical(back, data)
  assert {key: values.dtype for key, values in back.variables.items()} == {
    key: values.dtype for key, values in data.variables.items()
  }
  if kind == "list":
    xr.testing.assert_equal(back.sel(ws=0.5).rate, data.sel(ws=0.5).rate)


@pytest.mark.parametrize("name", WRITERS)
def test_what_formats_cannot_hold_is_turned_into_what_they_can(name, tmp_path):
  package, write, read = WRITERS[name]
  pytest.importorskip(package, reason='needs pip install ".[formats]"')
  numbers = np.array([1 + 2j, complex(np.inf, -0.0), complex(np.nan, np.inf)], np.complex64)
  data = xr.Dataset(
    {
      "z": ("i", numbers, {"units": "1", "is_scaled": True, "source": None}),
      "name": ("i", np.array(["a", None, "ü"], object)),
    },
    attrs={"flags": {"a": [1, None]}, "no": False, "nothing": None, "mixed": ["a", 1], "many": [1, 2]},
  )
  write(data, tmp_path / "file")
  back = read(tmp_path / "file")
  np.testing.assert_array_equal(back.z.values.view(np.float32), numbers.view(np.float32))
  assert back.z.dtype == np.complex64
  assert back.z.attrs == {"units": "1", "is_scaled": 1}
  assert list(back.name.values) == ["a", "", "ü"]
  assert list(back.attrs.pop("many")) == [1, 2]
  assert back.attrs == {"flags": '{"a": [1, null]}', "no": 0, "mixed": '["a", 1]'}
  assert data.z.attrs["source"] is None  # what was given stays as it was


def test_a_part_that_is_there_already_is_refused():
  data = xr.Dataset({"z": ("i", [1j]), "z_real": ("i", [1.0])})
  with pytest.raises(ResultsError, match="z cannot be split, because there is z_real already"):
    portable(data)


@pytest.mark.parametrize("kind", ["grid", "list"])
def test_a_table_has_a_row_for_every_stored_point(kind, tmp_path):
  pytest.importorskip("pyarrow", reason='needs pip install ".[formats]"')
  data = results(tmp_path / "results", kind)
  table(data).to_parquet(tmp_path / "file")
  read = pd.read_parquet(tmp_path / "file")
  stored = [(b.points[i], b.arrays, i) for b in map(store.read_block, store.block_paths(tmp_path / "results"))
            for i in range(len(b.points))]  # fmt: skip
  assert len(read) == len(stored)
  rows = {(row.ws, row.hidden_size, row.seed): row for row in read.itertuples()}
  for point, arrays, i in stored:
    row = rows[point["ws"], point["hidden_size"], point["seed"]]
    assert (row.rate, row.status, row.cell) == (arrays["rate"][i], "ok", "rnn")
    np.testing.assert_array_equal(row.log_norm, arrays["log_norm"][i])
  assert read.rate.dtype == np.float32
  assert read.attrs["units"] == {"rate": "nats per step", "ws": "1"}
  assert read.attrs["checksum"] == data.attrs["checksum"]
  if kind == "grid":
    assert (read.attrs["axes"], read.attrs["labels"]) == ({"log_norm": ["lag"]}, {"lag": [0, 1, 2]})


@pytest.mark.parametrize("kind", ["grid", "list"])
def test_a_table_of_one_number_has_a_row_for_every_entry(kind, tmp_path):
  data = results(tmp_path, kind)
  found = table(data, "log_norm")
  for made in map(store.read_block, store.block_paths(tmp_path)):
    for point, norms in zip(made.points, made.arrays["log_norm"], strict=True):
      rows = found[
        (found.ws == point["ws"]) & (found.hidden_size == point["hidden_size"]) & (found.seed == point["seed"])
      ]
      assert list(rows.lag) == made.coords["lag"]
      np.testing.assert_array_equal(rows.log_norm, norms)
  assert len(found) == sum(made.arrays["log_norm"].size for made in map(store.read_block, store.block_paths(tmp_path)))


def test_a_table_of_a_selection_and_of_several_numbers(tmp_path):
  data = results(tmp_path, "grid")
  (row,) = table(data.sel(ws=1.5, seed=0, cell="rnn")).itertuples()
  assert (row.ws, row.seed, row.rate) == (1.5, 0, np.float32(0.25))
  both = table(data.assign(double=2 * data.rate), "rate", "double")
  assert list(both.double) == list(2 * both.rate)
  with pytest.raises(ResultsError, match="rate and log_norm have different axes; make a table of each"):
    table(data, "rate", "log_norm")
  with pytest.raises(ResultsError, match="There is no number 'lag'; there are log_norm, rate, status, code"):
    table(data, "lag")
