"""A folder of results that is one too deep, or has no flag, is named as it is meant, and a file is not taken for a folder."""

from matplotlib.figure import Figure
import pytest

from analysis import command, signed
from sweepkit.store import ResultsError
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


def test_a_file_is_not_taken_for_the_folder_to_write_to(tmp_path, capsys):
  file = tmp_path / "notes.txt"
  file.write_text("mine")
  assert run(f"--results={tmp_path}", f"--out={file}") == 2
  assert capsys.readouterr().err == f"paper: --out: {file} is a file; give the name of a folder.\n"
  with pytest.raises(ResultsError, match=r"below cannot be written \(Not a directory\)"):
    signed.save(Figure(), "one", "nothing", file / "below")
  assert file.read_text() == "mine"
