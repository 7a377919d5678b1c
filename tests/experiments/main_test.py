"""`python -m experiments`: what there is, how large and how long, and names that are mistyped."""

import pkgutil

import pytest

import experiments
from experiments.__main__ import main
from sweepkit import listing
from sweepkit.experiment import MACHINE, default_size, expected_time


def test_every_experiment_is_listed_in_one_line(capsys):
  assert main(["--list"]) == 0
  lines = capsys.readouterr().out.splitlines()
  for name, experiment in listing.experiments(experiments).items():
    (line,) = [line for line in lines if line.split()[:1] == [name]]
    assert default_size(experiment) in line
    assert expected_time(experiment) in line
    assert line.endswith(experiment.doc.splitlines()[0])
  assert MACHINE in " ".join(lines)


def test_every_file_is_a_study_or_a_tool(capsys):
  """The listing leaves nothing out, and every name in the listing is a command."""
  found = {module.name for module in pkgutil.iter_modules(experiments.__path__) if not module.ispkg} - {"__main__"}
  assert found == {*listing.experiments(experiments), *listing.tools(experiments)}
  for name in listing.tools(experiments):
    assert main([name, "--help"]) == 0
    assert f"python -m experiments.{name}" in capsys.readouterr().out


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    (["recurent_gain"], "'recurent_gain' is not an experiment. Did you mean recurrent_gain? --list names all."),
    (["portrait"], "'portrait' is not an experiment."),
    (["no/such"], "'no/such' is not an experiment. --list names all."),
    (["--lst"], "Unknown command line flag 'lst'"),
    (["--list", "one_unit"], "'one_unit' comes too late"),
    (["one_unit", "--hiden_size=3"], "one_unit: Unknown command line flag 'hiden_size'. Did you mean: hidden_size."),
  ],
)
def test_what_is_mistyped_is_refused_with_what_may_be_meant(arguments, message, capsys):
  assert main(arguments) == 2
  assert message in capsys.readouterr().err


def test_a_name_first_is_the_experiment(tmp_path, capsys):
  assert main(["one_unit", "--dry_run", f"--out={tmp_path}"]) == 0
  assert capsys.readouterr().out.startswith("one_unit: 2 064 points in 65 calls")


def test_without_a_word_it_says_what_there_is(capsys):
  assert main([]) == 0
  assert "python -m experiments --list" in capsys.readouterr().out
