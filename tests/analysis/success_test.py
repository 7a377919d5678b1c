"""The kept results: their table is the one in docs, and every figure of both studies can be drawn from them."""

from pathlib import Path

import pytest

from analysis import success, uses
from analysis.figure import main
from analysis.language import LANGUAGE
from analysis.learning import LEARNING

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"


@pytest.mark.parametrize(("table", "page"), [(success, "learning.md"), (uses, "language.md")])
def test_the_table_in_docs_is_that_of_the_kept_results(table, page, tmp_path):
  assert table.main([f"--results={REFERENCE}", f"--out={tmp_path}"]) == 0
  assert (tmp_path / page).read_text() == (ROOT / "docs" / page).read_text()


@pytest.mark.parametrize("figures", [LEARNING, LANGUAGE], ids=["learning", "language"])
@pytest.mark.slow
def test_every_figure_is_drawn_from_the_kept_results(figures, tmp_path):
  assert main(*figures, argv=[f"--results={REFERENCE}", f"--out={tmp_path}"]) == 0
  assert len(list(tmp_path.glob("*.pdf"))) == len(figures)


@pytest.mark.parametrize(
  ("table", "message"),
  [
    (success, "holds no training runs; make learning makes some"),
    (uses, "holds nothing of the language study; make language makes some"),
  ],
)
def test_a_folder_without_runs_is_named(table, message, tmp_path, capsys):
  assert table.main([f"--results={tmp_path}", f"--out={tmp_path / 'x'}"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "x").exists()
