"""The example of the README of sweepkit runs, away from the checkout and without the library that the lab measures."""

import io
import os
from pathlib import Path
import re
import subprocess
import sys
import tokenize

import numpy as np
import pytest

from sweepkit import load_results

KIT = Path(__file__).parents[2] / "sweepkit"
EXAMPLE = re.search(r"```python\n(.*?)```", (KIT / "README.md").read_text(), re.DOTALL)[1]


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
  folder = tmp_path_factory.mktemp("elsewhere")
  (folder / "chaos.py").write_text(EXAMPLE)
  environment = os.environ | {"PYTHONPATH": str(KIT.parent)}
  run = lambda *flags: subprocess.run(
    [sys.executable, "chaos.py", *flags], cwd=folder, env=environment, capture_output=True, text=True, check=True
  )
  return folder, run("--r=2.9,4"), run("--r=2.9,4"), run("--summary")


def test_the_example_is_about_thirty_lines():
  assert len([line for line in EXAMPLE.splitlines() if line]) <= 40


def test_it_computes_and_then_skips_what_is_stored(launched):
  _, first, again, _ = launched
  assert "8 points to compute" in first.stderr
  assert "0 points to compute, 8 already done" in again.stderr


def test_the_exponent_is_that_of_the_closed_forms(launched):
  """At r = 4 it is ln 2. At r = 2.9 the orbit ends in the fixed point 1 - 1/r, where the slope is 2 - r."""
  data = load_results(launched[0] / "results" / "chaos")
  mean = data.exponent.sel(map="logistic").mean("seed")
  np.testing.assert_allclose(mean.sel(r=2.9), np.log(0.9), atol=0.02)
  np.testing.assert_allclose(mean.sel(r=4.0), np.log(2), atol=0.05)
  assert data.exponent.attrs == {"long_name": "Lyapunov exponent", "units": "nats per step"}


def test_the_summary_shows_it(launched):
  assert re.search(r"logistic +4 +0\.6\d", launched[3].stdout)


def test_the_kit_imports_nothing_of_the_lab():
  code = "import sys, sweepkit, sweepkit.verify, sweepkit.merge, sweepkit.slurm, sweepkit.listing, sweepkit.store.checkpoints; "
  code += "print({name.partition('.')[0] for name in sys.modules} & {'recurrent_lab', 'experiments', 'analysis'})"
  done = subprocess.run([sys.executable, "-c", code], cwd=KIT.parent, capture_output=True, text=True, check=True)
  assert done.stdout.strip() == "set()"


def test_the_kit_names_no_cell_and_no_setting_of_the_lab():
  from experiments.portrait import SETTINGS
  from experiments.training import SETTINGS as TRAINING
  from recurrent_lab.cells import CELLS

  plain_english = {"batch", "clip", "init", "input", "length", "layers", "stop", "task", "updates"}
  names = {*CELLS, *SETTINGS, "cell", *TRAINING} - plain_english
  for path in KIT.rglob("*.py"):
    words = {token.string.strip("\"'") for token in tokenize.tokenize(io.BytesIO(path.read_bytes()).readline)}
    assert not words & names, (path, words & names)
