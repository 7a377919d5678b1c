"""The example runs from a shell and says what it promises."""

from pathlib import Path
import re
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_example_prints_spectra_before_and_after_training():
  root = Path(__file__).parent.parent.parent
  command = [sys.executable, "-m", "examples.trained_flax_lstm", "--updates=1000"]
  printed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
  loss, baseline = map(float, re.search(r"loss ([\d.]+) after 1000 updates; ([\d.]+) without", printed).groups())
  assert loss < 0.5 * baseline
  largest = {name: float(rate) for name, rate in re.findall(r"(\w+): λ = (-?[\d.]+),", printed)}
  assert largest["untrained"] < largest["trained"]
  assert all(float(residual) < 1e-3 for residual in re.findall(r"certificate ([\d.e+-]+)", printed))
