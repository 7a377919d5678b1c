"""Rows survive a kill, no flipped byte goes unseen, and a row that cannot be written leaves those before it."""

import json

import numpy as np
import pytest

from sweepkit.store import journal


def written(path, rng, steps=(1, 2, 3)):
  rows = []
  for step in steps:
    journal.append(path, rows, {"step": step, "loss": rng.normal(size=2).astype(np.float32), "score": np.inf})
  return rows


def test_a_journal_forgets_a_torn_line_and_repeats_nothing(tmp_path):
  path = tmp_path / "metrics.jsonl"
  written = journal.rows(path)
  journal.append(path, written, {"step": 1, "loss": np.array([0.1, np.nan], np.float32)})
  journal.append(path, written, {"step": 2, "loss": np.array([0.3, np.inf], np.float32)})
  whole = path.read_bytes()
  path.write_bytes(whole + b'{"step":3,"lo')
  read = journal.rows(path)
  assert path.read_bytes() == whole
  journal.append(path, read, {"step": 2, "loss": np.zeros(2)})
  assert path.read_bytes() == whole
  column = journal.column(read, "loss")
  np.testing.assert_array_equal(column.astype(np.float32), np.array([[0.1, np.nan], [0.3, np.inf]], np.float32))


def test_every_altered_byte_is_found(tmp_path, rng):
  path = tmp_path / "metrics.jsonl"
  written(path, rng)
  assert journal.inspect(path) == ([1, 2, 3], None)
  content = path.read_bytes()
  for position in range(len(content)):
    altered = bytearray(content)
    altered[position] ^= rng.integers(1, 256)
    path.write_bytes(altered)
    _, problem = journal.inspect(path)
    assert problem, (position, bytes(altered))
    assert str(path) in problem


def test_an_altered_row_is_refused_and_kept(tmp_path, rng):
  path = tmp_path / "metrics.jsonl"
  written(path, rng)
  content = path.read_bytes().replace(b'"step":2', b'"step":4')
  path.write_bytes(content)
  with pytest.raises(journal.JournalError, match=r"Row 2 of .*metrics.jsonl is altered; remove .* to start again"):
    journal.rows(path)
  assert path.read_bytes() == content


def test_rows_written_before_there_were_checksums_are_read_and_continued(tmp_path, rng):
  path = tmp_path / "metrics.jsonl"
  rows = [row | {"score": None} for row in written(tmp_path / "new.jsonl", rng)]  # they knew no infinity
  path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
  read = journal.rows(path)
  assert read == rows
  journal.append(path, read, {"step": 9, "loss": np.zeros(2)})
  assert journal.inspect(path) == ([1, 2, 3, 9], None)
  assert "sha256" not in journal.rows(path)[-1]


def test_a_row_that_cannot_be_written_leaves_those_before_it(tmp_path, rng, monkeypatch):
  path = tmp_path / "metrics.jsonl"
  rows = written(path, rng)
  content = path.read_bytes()

  def full(*_):
    raise OSError(28, "No space left on device")

  with monkeypatch.context() as patch:
    patch.setattr(journal.os, "fsync", full)
    with pytest.raises(journal.JournalError, match=r"metrics.jsonl cannot be written \(No space left on device\)"):
      journal.append(path, rows, {"step": 4, "loss": np.zeros(2)})
  assert path.read_bytes() == content
  journal.append(path, rows, {"step": 4, "loss": np.zeros(2)})
  assert journal.inspect(path) == ([1, 2, 3, 4], None)
