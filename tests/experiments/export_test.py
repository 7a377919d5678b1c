"""Results for other programs from the command line: whole or not there, and never over something else."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from experiments import export
from sweepkit import load_results, restored, table
from tests.support.launches import ROOT
from tests.support.results import make_results

pytest.importorskip("pyarrow", reason='needs pip install ".[formats]"')
pytest.importorskip("zarr", reason='needs pip install ".[formats]"')
pytest.importorskip("h5netcdf", reason='needs pip install ".[formats]"')
pd = pytest.importorskip("pandas")


@pytest.fixture
def results(tmp_path):
  return make_results(tmp_path / "results").parent


def run(results, kind, out, *flags):
  return export.main([f"--results={results}", f"--format={kind}", f"--out={out}", *flags])


def test_each_format_holds_the_results(results, tmp_path):
  data = load_results(results)
  for kind in export.FORMATS:
    assert run(results, kind, tmp_path / kind) == 0
  xr.testing.assert_identical(restored(xr.load_dataset(tmp_path / "netcdf")), data)
  xr.testing.assert_identical(restored(xr.open_zarr(tmp_path / "zarr").load()), data)
  read = pd.read_parquet(tmp_path / "parquet")
  np.testing.assert_array_equal(read.rate, table(data).rate)
  assert run(results, "parquet", tmp_path / "long", "--values=log_norm") == 0
  assert len(pd.read_parquet(tmp_path / "long")) == data.log_norm.size
  assert sorted(path.name for path in tmp_path.iterdir()) == ["long", "netcdf", "parquet", "results", "zarr"]


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (["--format=csv"], "--format=csv: value should be one of <netcdf|zarr|parquet>"),
    (["--format=zarr", "--out=x"], "--results: it is missing; --help shows all flags."),
    (["--results={results}", "--out={tmp}/x"], "--format: it is missing"),
    (["--results={tmp}/results", "--format=zarr", "--out={tmp}/x"], "give that of one experiment"),
    (["--results={results}", "--format=zarr", "--out={tmp}/results"], "is there already and is not replaced"),
    (["--results={results}", "--format=zarr", "--out={tmp}/no/x"], "There is no folder"),
    (["--results={results}", "--format=parquet", "--out={tmp}/x", "--values=lag"], "There is no number 'lag'"),
    (["results"], "'results' is not a flag; flags look like --results=results/adding."),
  ],
)
def test_what_cannot_be_meant_is_refused(flags, message, results, tmp_path, capsys):
  before = sorted(results.rglob("*"))
  assert export.main([flag.format(results=results, tmp=tmp_path) for flag in flags]) == 2
  said = capsys.readouterr().err
  assert message in said
  assert said.count("\n") == 1
  assert sorted(results.rglob("*")) == before
  assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize("kind", export.FORMATS)
def test_a_full_disk_leaves_nothing(kind, results, tmp_path, capsys, monkeypatch):
  """The disk fills up when all but the name is written."""

  def full(*paths):
    raise OSError(errno.ENOSPC, "No space left on device")

  with monkeypatch.context() as patch:
    patch.setattr(os, "rename", full)
    assert run(results, kind, tmp_path / "x") == 2
  assert "x cannot be written (No space left on device)" in capsys.readouterr().err
  assert [path.name for path in tmp_path.iterdir()] == ["results"]
  assert run(results, kind, tmp_path / "x") == 0


def test_a_package_that_is_missing_is_named(results, tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(export, "find_spec", lambda name: None)
  assert run(results, "zarr", tmp_path / "x") == 2
  assert 'zarr is not installed; pip install ".[formats]" installs what writes zarr.' in capsys.readouterr().err


def test_refusals_import_nothing_heavy():
  program = (
    "import sys; from experiments import export; export.main(['--format=csv']);"
    " print(sorted({'xarray', 'pandas', 'zarr', 'h5py', 'pyarrow'} & set(sys.modules)))"
  )
  done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
  assert done.stdout.strip() == "[]"
