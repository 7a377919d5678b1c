"""The kept results: their table is the one in docs, and every figure of the learning study can be drawn from them."""

from pathlib import Path

from analysis import success
from analysis.figure import main
from analysis.learning import LEARNING

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"


def test_the_table_in_docs_is_that_of_the_kept_results(tmp_path):
  assert success.main([f"--results={REFERENCE}", f"--out={tmp_path}"]) == 0
  assert (tmp_path / "learning.md").read_text() == (ROOT / "docs" / "learning.md").read_text()


def test_every_figure_is_drawn_from_the_kept_results(tmp_path):
  assert main(*LEARNING, argv=[f"--results={REFERENCE}", f"--out={tmp_path}"]) == 0
  assert len(list(tmp_path.glob("*.pdf"))) == len(LEARNING)


def test_a_folder_without_runs_is_named(tmp_path, capsys):
  assert success.main([f"--results={tmp_path}", f"--out={tmp_path / 'x'}"]) == 2
  assert "holds no training runs; make learning makes some" in capsys.readouterr().err
  assert not (tmp_path / "x").exists()
