"""A folder one too high or too deep, and a folder without its flag, get the sentence that names the right one."""

import pytest

from sweepkit import ResultsError, load_results, runner, verify
from sweepkit.store.places import why_empty, why_too_deep
from tests.support import chaos
from tests.support.results import make_results


@pytest.fixture
def results(tmp_path):
  make_results(tmp_path / "results")
  return tmp_path / "results"


def test_a_dataset_names_the_folder_that_is_meant(results):
  with pytest.raises(ResultsError, match="is the folder of all results; give that of one experiment: adding"):
    load_results(results)
  for deep in ("runs", "runs/rnn-1", "runs/rnn-1/checkpoints"):
    with pytest.raises(ResultsError) as error:
      load_results(results / "adding" / deep)
    assert str(error.value).endswith(f"lies in the folder of an experiment; give that one, {results / 'adding'}.")
  assert why_empty(results / "no_such") == f"{results / 'no_such'} holds no results; run its experiment first."


def test_commands_take_the_folder_of_all_results(results, capsys):
  inner = results / "adding"
  sentence = f"{inner} is the folder of one experiment; give the folder of all results, {results}."
  assert why_too_deep(inner) == sentence
  for deeper in (inner / "runs", inner / "no_such"):
    assert why_too_deep(deeper) == (
      f"{deeper} lies in the folder of one experiment; give the folder of all results, {results}."
    )
  assert why_too_deep(results) == why_too_deep(results / "no_such") == ""
  assert runner.main(chaos.EXPERIMENT, [f"--out={inner}"]) == 2
  assert f"--out: {sentence}" in capsys.readouterr().err


def test_a_folder_without_its_flag_is_understood(results, capsys):
  assert runner.main(chaos.EXPERIMENT, [str(results)]) == 2
  assert f"'{results}' is not a flag; a folder is given as --out={results}." in capsys.readouterr().err
  assert verify.main([str(results)]) == 2
  assert f"a folder is given as --out={results}." in capsys.readouterr().err
