"""A cell of one's own is swept from an empty folder, from Python and from the command line, and both store the same points."""

import os
from pathlib import Path
import shutil
import subprocess
import sys

import numpy as np
import pytest

from examples import own_cell_sweep

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_without_recurrence_a_leak_forgets_at_its_own_rate(tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  rates = own_cell_sweep.main()
  # J = (1 - 1/τ) I at W_s = 0, whatever the share of exciting units.
  np.testing.assert_allclose(rates[0], np.log(1 - 1 / np.array([[2, 2], [4, 4], [8, 8]])), rtol=1e-4)
  assert np.all(np.abs(rates[1] - rates[0]) > 0.01)
  assert capsys.readouterr().out.count("without recurrence") == 3
  assert own_cell_sweep.main().tolist() == rates.tolist()
  assert "0 points to compute, 48 already done" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_line_in_an_empty_folder_finds_what_python_has_stored(tmp_path):
  """The cell lies in another file there. Neither the place nor the way of launching belongs to a point."""
  shutil.copy(own_cell_sweep.__file__, tmp_path / "my_script.py")
  sizes = ("--hidden_size=16", "--input_size=4", "--seq_len=60", "--seeds=4")
  axes = ("--tau=2,4,8", "--ei_ratio=0.5,0.8", "--ws=0,1,2")
  environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}

  def said(*words):
    """Returns what a command prints. The type checks of the tests would be other code, so that both run without."""
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stderr

  assert "48 points to compute" in said("examples.own_cell_sweep")
  again = said("experiments.critical_gain", "--cells=my_script:ei", *axes, *sizes)
  assert "24 points to compute, 48 already done" in again
  assert "The code has changed" not in again
