"""The value of |a| from which 1 - tanh² is 0 in float32 is the same on every page and in the figure: that of the cells' tanh."""

import os
from pathlib import Path
import re
import subprocess
import sys

ROOT = Path(__file__).parents[3]
MEASURE = """
import jax.numpy as jnp, numpy as np
from analysis.paper import tanh_slope
from recurrent_lab.activations import ACTIVATIONS
a = np.linspace(0, 20, 20_001, dtype=np.float32)
slope = 1 - np.asarray(ACTIVATIONS["tanh"].function(jnp.asarray(a))) ** 2
print(a[slope > 0].max() + 1e-3, tanh_slope.finding(tanh_slope.numbers({})))
"""


def test_one_measured_number_stands_everywhere():
  """Measured in another process, in the programs that users run."""
  flags = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
  made = subprocess.run(
    [sys.executable, "-c", MEASURE], capture_output=True, text=True, env=flags, check=True, cwd=ROOT
  )
  lost, _, finding = made.stdout.partition(" ")
  number = f"{float(lost):.2g}".removesuffix(".0")
  assert f"is 0 from |a| = {number} on" in finding
  pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "recurrent_lab").rglob("*.py"), *ROOT.glob("README*.md")]
  told = {(page.name, told) for page in pages for told in re.findall(r"from \|a\| ≈ (\d+)", page.read_text())}
  assert len(told) >= 4
  assert {told for _, told in told} == {number}
