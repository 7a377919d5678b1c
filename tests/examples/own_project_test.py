"""A project in a folder of its own: its cell obeys Dale's law, its sweep survives a kill, and nets of torch are read right."""

import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from examples.own_project import circuit, torch_net
from recurrent_lab.interop import load
from sweepkit import load_results

FOLDER = Path(circuit.__file__).parent
ROOT = FOLDER.parents[1]
AXES = ("--ws=0", "--tau=2:10:5", "--inhibition=0:1.5:4")
SIZES = ("--hidden_size=5", "--input_size=2", "--seq_len=20", "--seeds=2")
SWEEP = ("-m", "experiments.critical_gain", "--cells=circuit:leaky_ei", *AXES, *SIZES, "--chunk=8", "--cpu_devices=1")


def test_every_unit_of_the_circuit_only_excites_or_only_inhibits():
  params = circuit.leaky_ei.init(jax.random.key(0), 2, 10, recurrent_gain=1.5, tau=4.0, inhibition=0.7)
  signs = np.sign(circuit.weights(params))
  assert signs.tolist() == [[1.0] * 10] * 8 + [[-1.0] * 10] * 2
  negated = params._replace(V=-params.V, inhibition=-params.inhibition)  # as training might leave them
  np.testing.assert_array_equal(circuit.weights(negated), circuit.weights(params))


def test_the_lab_answers_as_torch_did():
  kept = load(FOLDER / "answers.safetensors")
  answers = torch_net.answer(torch_net.read(FOLDER / "open.safetensors"), kept["inputs"])
  np.testing.assert_allclose(answers, kept["answers"], atol=1e-5)  # written by torch
  np.testing.assert_allclose(answers, kept["inputs"][0, :, 0], atol=0.1)  # the net holds the numbers


def test_the_readme_shows_this_circuit():
  """The README has the cell without what a sweep may know beside its settings."""
  text = (ROOT / "README.md").read_text()
  shown = {}
  exec(next(code for code in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if "leaky_ei = " in code), shown)
  params = circuit.leaky_ei.init(jax.random.key(0), 2, 5, recurrent_gain=1.5, tau=4.0, inhibition=0.7)
  other = shown["leaky_ei"].init(jax.random.key(0), 2, 5, recurrent_gain=1.5, tau=4.0, inhibition=0.7)
  state, x = np.full(5, 0.3, np.float32), np.array([0.5, -1.0], np.float32)
  np.testing.assert_allclose(circuit.step(params, state, x)[0], shown["leaky_ei"].step(other, state, x)[0], rtol=1e-6)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
  """A copy of the project outside the checkout, whose sweep was killed when its first block was stored."""
  folder = tmp_path_factory.mktemp("mine") / "my_project"
  shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
  running = subprocess.Popen([sys.executable, *SWEEP], cwd=folder, env=environment(), stderr=subprocess.DEVNULL)
  while running.poll() is None and not any(folder.glob("results/critical_gain/*.json")):
    time.sleep(0.01)
  running.send_signal(signal.SIGKILL)
  running.wait()
  return folder


def environment():
  return os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}


def said(folder, *words):
  done = subprocess.run(
    [sys.executable, *words], cwd=folder, env=environment(), capture_output=True, text=True, check=True
  )
  return done.stdout + done.stderr


@pytest.mark.slow
def test_a_killed_sweep_is_resumed_and_drawn(project):
  kept = int(re.search(r"points to compute, (\d+) already done", said(project, *SWEEP))[1])
  assert 8 <= kept <= 40
  data = load_results(project / "results" / "critical_gain")
  assert data.attrs["present"] == 40
  # Without recurrence J = (1 - 1/τ) I, for every inhibition and seed.
  rates = data.growth_rate.sel(cell="leaky_ei", norm="spectral").transpose("tau", ...)
  expected = np.log(1 - 1 / rates.tau.values)
  np.testing.assert_allclose(rates.values.reshape(5, -1), np.repeat(expected[:, None], 8, axis=1), rtol=1e-4)

  axes = ("--results=results/critical_gain", "--x=tau", "--y=inhibition", "--value=growth_rate")
  said(project, "-m", "analysis.plot", *axes, "--style=paper.mplstyle", "--name=map")
  assert (project / "figures" / "map.pdf").stat().st_size > 1000


@pytest.mark.slow
def test_the_sweep_becomes_a_table(project):
  pyarrow = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed, so no Parquet file is written")
  said(project, *SWEEP)  # whichever points are missing
  to = ("--format=parquet", "--values=growth_rate", "--out=critical_gain.parquet")
  said(project, "-m", "experiments.export", "--results=results/critical_gain", *to)
  table = pyarrow.read_table(project / "critical_gain.parquet").to_pandas().query("norm == 'spectral'")
  np.testing.assert_allclose(table.growth_rate, np.log(1 - 1 / table.tau), rtol=1e-4)
  assert len(table) == 40


@pytest.mark.slow
def test_the_nets_of_torch_are_measured_without_torch(project):
  printed = said(project, "torch_net.py")
  slopes = {name: float(slope) for name, slope in re.findall(r"^(\w+): ∂answer/∂number ([+-][\d.]+)", printed, re.M)}
  assert abs(slopes["plain"]) < 0.05
  assert abs(slopes["open"] - 1) < 0.2
  found = dict(re.findall(r"^(\w+):.*steps ([+-][\d.]+);", printed, re.M))
  assert float(found["plain"]) < -10 < -1 < float(found["open"])
