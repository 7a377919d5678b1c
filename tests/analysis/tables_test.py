"""The tables of the kept results are those in docs, and every figure of both studies can be drawn from them."""

from pathlib import Path

import pytest

from analysis import figure, study
from analysis.defaults import table as defaults
from analysis.language import table as language
from analysis.learning import table as learning
from tests.made_up import REFERENCE

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
  ("table", "page"), [(learning, "learning.md"), (language, "language.md"), (defaults, "library_memory.md")]
)
def test_the_table_in_docs_is_that_of_the_kept_results(table, page, tmp_path):
  assert table.main([f"--results={REFERENCE}", f"--out={tmp_path}"]) == 0
  assert (tmp_path / page).read_text() == (DOCS / page).read_text()


@pytest.mark.parametrize("name", ["learning", "language", "defaults"])
@pytest.mark.slow
def test_every_figure_is_drawn_from_the_kept_results(name, tmp_path):
  written = [path for spec in study.figures(name) for path in figure.draw(spec, REFERENCE, tmp_path)]
  assert len(written) == 2 * len(study.figures(name))


@pytest.mark.parametrize(
  ("table", "message"),
  [
    (learning, "holds no training runs; make learning makes some"),
    (language, "holds nothing of the language study; make language makes some"),
  ],
)
def test_a_folder_without_runs_is_named(table, message, tmp_path, capsys):
  assert table.main([f"--results={tmp_path}", f"--out={tmp_path / 'x'}"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "x").exists()
