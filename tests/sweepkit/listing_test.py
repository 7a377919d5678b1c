"""`python -m experiments`: what there is, how large and how long, and names that are mistyped."""

import pytest

from experiments.__main__ import main
from sweepkit import listing as catalogue
from sweepkit.experiment import default_size
from sweepkit.plan import parse


def test_every_experiment_is_listed_in_one_line(capsys):
  assert main(["--list"]) == 0
  lines = capsys.readouterr().out.splitlines()
  for name, experiment in catalogue.experiments().items():
    (line,) = [line for line in lines if line.split()[:1] == [name]]
    assert default_size(experiment) in line
    assert catalogue.expected_time(experiment) in line
    assert line.endswith(experiment.doc.splitlines()[0])
  assert catalogue.MACHINE in " ".join(lines)


def test_a_narrow_terminal_cuts_the_lines():
  for width in (60, 100):
    lines = catalogue.listing(width).splitlines()
    assert max(map(len, lines)) == width


def test_times_are_those_of_experiments_that_there_are():
  """One that was not measured says so."""
  every = catalogue.experiments()
  assert set(catalogue.SECONDS) <= set(every)
  assert catalogue.expected_time(every["one_unit"]._replace(name="new")) == "not measured"


@pytest.mark.parametrize("name", ["recurrent_gain", "one_unit", "adding", "temporal_order", "ngram_tasks"])
def test_the_default_size_is_that_of_the_default_grid(name):
  experiment = catalogue.experiments()[name]
  count = len(parse(experiment, []).points)
  assert default_size(experiment).startswith(f"{count:,} points".replace(",", " "))


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    (["recurent_gain"], "'recurent_gain' is not an experiment. Did you mean recurrent_gain? --list names all."),
    (["store"], "'store' is a part of the launcher and not an experiment."),
    (["no/such"], "'no/such' is not an experiment. --list names all."),
    (["--lst"], "Unknown command line flag 'lst'"),
    (["--list", "one_unit"], "'one_unit' comes too late"),
    (["one_unit", "--hiden_size=3"], "one_unit: Unknown command line flag 'hiden_size'. Did you mean: hidden_size."),
    (["verify", "--out=/no/such/folder"], "verify: '/no/such/folder' is not a folder"),
  ],
)
def test_what_is_mistyped_is_refused_with_what_may_be_meant(arguments, message, capsys):
  assert main(arguments) == 2
  assert message in capsys.readouterr().err


def test_a_name_first_is_the_experiment(tmp_path, capsys):
  assert main(["one_unit", "--dry_run", f"--out={tmp_path}"]) == 0
  assert capsys.readouterr().out.startswith("one_unit: 2 064 points in 65 calls")


@pytest.mark.parametrize("name", ["verify", "merge", "generate"])
def test_the_tools_beside_them_have_a_page_of_help(name, capsys):
  assert main([name, "--help"]) == 0
  assert f"python -m experiments.{name}" in capsys.readouterr().out


def test_without_a_word_it_says_what_there_is(capsys):
  assert main([]) == 0
  assert "python -m experiments --list" in capsys.readouterr().out
