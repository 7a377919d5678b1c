"""Settings and sizes that a cell has not are refused before any work."""

import os
import subprocess
import sys

import pytest

from experiments.recurrent_gain import EXPERIMENT
from sweepkit import main


def test_points_are_checked_before_jax_starts():
  """The launch chooses the number of devices after the check, which JAX allows only before it starts."""
  code = """
import jax
from experiments.portrait.nets import settings_of
import recurrent_lab as rl
for name in rl.CELLS:
  settings_of(rl.CELLS[name], 4, 8)
jax.config.update("jax_num_cpu_devices", 2)
print(jax.device_count())
"""
  environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
  run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
  assert run.stdout.split() == ["2"]


@pytest.mark.parametrize(
  ("flags", "sentence"),
  [
    (["--cells=lru", "--ws=2"], "Cell 'lru' has no ws, which is 2.0; it has none of these settings."),
    (["--cells=min_gru", "--ws=1", "--recurrent_init=orthogonal"], "Cell 'min_gru' has no recurrent_init"),
    (
      ["--cells=clockwork_rnn", "--ws=1", "--hidden_size=2"],
      "Cell 'clockwork_rnn': hidden_size is 2; 4 periods need at least as many units.",
    ),
    (["--cells=delta_net", "--ws=1", "--hidden_size=0"], "hidden_size"),
  ],
)
def test_what_a_cell_has_not_is_refused_in_one_sentence(flags, sentence, tmp_path, capsys):
  assert main(EXPERIMENT, [*flags, f"--out={tmp_path}"]) == 2
  said = capsys.readouterr().err
  assert sentence in said
  assert said.count("\n") == 1
  assert list(tmp_path.iterdir()) == []
