"""The page on reliability is that of the stored rows, and every row can be tried."""

import json
from pathlib import Path

import pytest

from benchmarks import faults

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_that_of_the_stored_rows_and_all_passed():
  rows = json.loads((DOCS / "reliability.json").read_text())
  assert (DOCS / "reliability.md").read_text() == faults.table(rows)
  assert set(map(int, rows)) == set(faults.ROWS)
  for row in rows.values():
    assert row["passed"] == row["tried"] > 0, row


def test_a_row_is_tried_alone_and_the_others_stay(tmp_path):
  other = {"1": json.loads((DOCS / "reliability.json").read_text())["8"] | {"fault": "another"}}
  (tmp_path / "reliability.json").write_text(json.dumps(other))
  assert faults.main(["--only=8", f"--out={tmp_path}"]) == 0
  rows = json.loads((tmp_path / "reliability.json").read_text())
  assert set(rows) == {"1", "8"}
  assert rows["1"] == other["1"]
  assert rows["8"]["passed"] == rows["8"]["tried"] >= 14
  assert (tmp_path / "reliability.md").read_text() == faults.table(rows)


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(set(faults.ROWS) - {8}))
def test_every_row_passes_a_few_tries(number, tmp_path):
  assert faults.main([f"--only={number}", "--tries=2", f"--out={tmp_path}"]) == 0


def test_a_flag_that_cannot_be_used_is_one_sentence(tmp_path, capsys):
  for flag in ("--only=99", "--tries=0", "--no_such_flag"):
    assert faults.main([flag, f"--out={tmp_path / 'none'}"]) == 2
  assert not (tmp_path / "none").exists()
