"""A folder of results that is one too deep, or has no flag, is named as it is meant."""

from analysis import command
from tests.support.results import make_results


def run(*argv):
  return command.run("paper", lambda *_: (), argv, "figures", "figures", "About.")


def test_the_folder_of_all_results_is_asked_for(tmp_path, capsys):
  inner = make_results(tmp_path).parent
  assert run(f"--results={inner}") == 2
  said = capsys.readouterr().err
  assert (
    said == f"paper: --results: {inner} is the folder of one experiment; give the folder of all results, {tmp_path}.\n"
  )
  assert run(str(tmp_path)) == 2
  assert capsys.readouterr().err == f"paper: '{tmp_path}' is not a flag; a folder is given as --results={tmp_path}.\n"
  assert run(f"--results={tmp_path}") == 0
