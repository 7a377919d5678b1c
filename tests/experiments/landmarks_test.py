"""Landmarks that are asked for where their theory does not hold are refused before any work."""

import pytest

from experiments import heavy_tails, random_biases, rate_network, rate_theory
from sweepkit import runner


@pytest.mark.parametrize(
  ("experiment", "flags", "message"),
  [
    (rate_network, "--hidden_size=63", "hidden_size is 63; the theory of large nets needs 64 units or more"),
    (rate_network, "--duration=79", "duration is 79; it must be 80 or more, of which a quarter does not count"),
    (rate_theory, "--ws=0.5", "0.5"),
    (rate_theory, "--leak=0", "0.0 is not allowed; it must be a number above 0 and at most 1"),
    (heavy_tails, "--alpha=2.5", "2.5 is not allowed; it must be a number from 0.5 to 2"),
    (random_biases, "--input_size=2", "input_size is 2; a series is one input, so it must be 1"),
    (random_biases, "--samples=199", "199 is not allowed; it must be a whole number of 200 or more"),
    (random_biases, "--cells=mgu", "'mgu' is not allowed here; it must be one of rnn, lstm, gru"),
  ],
)
def test_sizes_without_theory_are_refused(experiment, flags, message, tmp_path, capsys):
  assert runner.main(experiment.EXPERIMENT, [*flags.split(), f"--out={tmp_path / 'x'}"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "x").exists()
