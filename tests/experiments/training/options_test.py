"""Settings that a cell has not are refused before a run begins, and left out if they have their default values."""

import dataclasses

import pytest

from experiments import adding
from experiments.training import RunSettings, build, check_settings
from experiments.training.build import OPTIONS
import recurrent_lab as rl
from sweepkit import main, plan
from sweepkit.points import read

SMALL = ("--length=8", "--hidden_size=8", "--batch=4", "--updates=50", "--stop=never", "--seeds=1", "--init=flags")
OTHER = {"ws": 2.0, "recurrent_init": "orthogonal", "input_gain": 2.0, "forget_bias": "1"}


@pytest.fixture(scope="module")
def plain():
  return read(RunSettings, plan.parse(adding.EXPERIMENT, [*SMALL, "--cells=rnn"]).points[0])


def refusal(settings):
  """The sentence with which the settings are refused, or ""."""
  try:
    build(settings)
  except ValueError as error:
    return str(error)
  return ""


@pytest.mark.parametrize("setting", OPTIONS)
def test_every_cell_refuses_a_setting_exactly_if_it_has_not(setting, plain):
  assert OTHER.keys() == OPTIONS.keys()
  given = dataclasses.replace(plain, **{setting: OTHER[setting]})
  said = {name: refusal(dataclasses.replace(given, cell=name)) for name in rl.CELLS}
  assert {name for name in said if not said[name]} == {
    name for name, cell in rl.CELLS.items() if OPTIONS[setting] in cell.options
  }
  assert all(
    sentence.startswith(f"Cell {name!r} has no {setting}, which is {OTHER[setting]}; with --init=flags it has ")
    for name, sentence in said.items()
    if sentence
  )


def test_every_cell_can_be_drawn_at_the_default_flags(plain):
  for name in rl.CELLS:
    check_settings(dataclasses.replace(plain, cell=name))
    check_settings(dataclasses.replace(plain, cell=name, layers=2))


@pytest.mark.parametrize(
  ("flags", "sentence"),
  [
    (["--cells=min_gru", "--ws=2"], "Cell 'min_gru' has no ws, which is 2.0; with --init=flags it has input_gain, fo"),
    (
      ["--cells=lru", "--forget_bias=chrono"],
      "Cell 'lru' has no forget_bias, which is chrono; with --init=flags it has",
    ),
    (
      ["--cells=clockwork_rnn", "--hidden_size=2"],
      "Cell 'clockwork_rnn': hidden_size is 2; 4 periods need at least as many units.",
    ),
  ],
)
def test_a_launch_says_so_in_one_sentence(flags, sentence, tmp_path, capsys):
  assert main(adding.EXPERIMENT, [*SMALL, *flags, f"--out={tmp_path}"]) == 2
  said = capsys.readouterr().err
  assert sentence in said
  assert said.count("\n") == 1
  assert list(tmp_path.iterdir()) == []
