"""Training runs at equal parameters: sizes are those of the nets that are drawn, and close to what was asked for."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from experiments import atlas_training
from experiments.training.build import initial_params
from experiments.training.sizes import EqualSettings
from recurrent_lab.cells import CELLS
from studies import jobs
from sweepkit import plan, runner, store
from sweepkit.points import read


def size(settings):
  """The number of parameters of the net as its run draws it."""
  params = jax.eval_shape(lambda seed: initial_params(settings, jax.random.key(seed)), 0)
  return sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.mark.slow
def test_every_net_of_the_study_has_the_same_parameters_up_to_five_percent():
  """At the options with which it is trained, which the search for its units does not know."""
  launches = [plan.parse(atlas_training.EXPERIMENT, [*job.flags, "--seeds=1"]) for job in jobs.read("atlas_training")]
  every = [read(EqualSettings, point) for launch in launches for point in launch.points]
  off = {(settings.task, settings.cell): size(settings) / settings.parameters - 1 for settings in every}
  assert len(off) >= 3 * 24
  assert max(map(abs, off.values())) < 0.05, off


def test_the_cells_of_the_study_are_of_all_rooms():
  rooms = {CELLS[cell].init.__module__.rsplit(".", 2)[-2] for cell in atlas_training.CELLS}
  assert {"dense", "elementwise", "matrices"} <= rooms
  assert len(set(atlas_training.CELLS)) == len(atlas_training.CELLS) >= 24


@pytest.mark.parametrize("cell", ["rnn", "lstm", "min_gru", "retnet_rotary"])
def test_no_other_number_of_units_is_closer(cell):
  flags = [f"--cells={cell}", "--parameters=2500", "--length=8", "--seeds=1"]
  settings = read(EqualSettings, plan.parse(atlas_training.EXPERIMENT, flags).points[0])
  task, net = settings.make_task(), settings.make_cell()
  distances = {}
  for units in range(10, 40, 2 if cell == "retnet_rotary" else 1):
    params = jax.eval_shape(lambda seed, units=units: net.init(jax.random.key(seed), task.input_size, units), 0)
    count = sum(leaf.size for leaf in jax.tree.leaves(params)) + (units + 1) * task.output_size
    distances[units] = abs(count - 2500)
  assert distances[settings.units()] == min(distances.values())


def test_sizes_are_chosen_before_jax_starts():
  """The launch chooses the number of devices after the check, which JAX allows only before it starts."""
  code = """
import jax
from experiments.atlas_training import EXPERIMENT
from sweepkit import plan
plan.parse(EXPERIMENT, ["--cells=lstm,s5,delta_net"])
jax.config.update("jax_num_cpu_devices", 2)
print(jax.device_count())
"""
  environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
  run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
  assert run.stdout.split() == ["2"]


def test_a_cell_that_is_too_large_is_named_before_any_work(tmp_path, capsys):
  assert runner.main(atlas_training.EXPERIMENT, ["--cells=rnn,lstm", "--parameters=900", f"--out={tmp_path}"]) == 2
  said = capsys.readouterr().err
  assert "Cell 'lstm': parameters is 900; it must be at least 905, with which a net has 8 units." in said
  assert said.count("\n") == 1
  assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_sizes_are_stored_and_the_dynamics_are_not(tmp_path):
  flags = ["--cells=rnn", "--length=8", "--parameters=800", "--batch=4", "--updates=20", "--seeds=2"]
  assert runner.main(atlas_training.EXPERIMENT, [*flags, f"--out={tmp_path}"]) == 0
  data = store.load_results(tmp_path / "atlas_training").squeeze(drop=True)
  # Two layers of H units with one input more than two, and a readout: (2 + H + 1) H + (2 H + 1) H + H + 1.
  count = lambda h: (2 + h + 1) * h + (2 * h + 1) * h + h + 1
  best = min(range(1, 40), key=lambda h: abs(count(h) - 800))
  np.testing.assert_array_equal(data.units, best)
  np.testing.assert_array_equal(data.parameter_count, count(best))
  np.testing.assert_array_equal(data.cell_parameter_count, count(best) - best - 1)
  assert "product_growth" not in data
  assert "watched_update" not in data.dims
