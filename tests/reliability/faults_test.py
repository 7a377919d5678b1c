"""The page on reliability is written from the stored rows, and every row can be tried."""

import ast
import json
from pathlib import Path

import pytest

from reliability import page
from reliability.__main__ import main
from tests.nets import slow

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize(("room", "other"), [("reliability", "benchmarks"), ("benchmarks", "reliability")])
def test_the_rooms_of_speed_and_of_safety_do_not_import_each_other(room, other):
  nodes = [node for path in (ROOT / room).rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
  imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
  imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
  assert "sweepkit.store.files" in imported
  assert other not in {name.partition(".")[0] for name in imported}


def test_the_page_is_written_from_the_stored_rows_and_all_passed():
  rows = json.loads((DOCS / "reliability.json").read_text())
  assert (DOCS / "reliability.md").read_text() == page.table(rows)
  assert set(map(int, rows)) == set(page.ROWS)
  for row in rows.values():
    assert row["passed"] == row["tried"] > 0, row


def test_a_row_is_tried_alone_and_the_others_are_kept(tmp_path):
  stored = json.loads((DOCS / "reliability.json").read_text())
  other = {"1": stored["1"] | {"fault": "another"}}
  (tmp_path / "reliability.json").write_text(json.dumps(other))
  assert main(["--only=8", f"--out={tmp_path}"]) == 0
  rows = json.loads((tmp_path / "reliability.json").read_text())
  assert set(rows) == {"1", "8"}
  assert rows["1"] == other["1"]
  assert rows["8"]["passed"] == rows["8"]["tried"] >= 14
  assert (tmp_path / "reliability.md").read_text() == page.table(rows)


@pytest.mark.parametrize("number", slow((5, 9), sorted(set(page.ROWS) - {8})))
def test_every_row_passes_a_few_tries(number, tmp_path):
  assert main([f"--only={number}", "--tries=2", f"--out={tmp_path}"]) == 0


def test_a_flag_that_cannot_be_used_is_one_sentence(tmp_path, capsys):
  for flag in ("--only=99", "--tries=0", "--no_such_flag", "everything"):
    assert main([flag, f"--out={tmp_path / 'none'}"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
  assert not (tmp_path / "none").exists()


def test_help_is_printed_and_nothing_is_tried(capsys):
  with pytest.raises(SystemExit) as ended:
    main(["--help"])
  assert ended.value.code == 0
  assert "--only" in capsys.readouterr().out
