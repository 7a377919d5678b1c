"""The results that the repository keeps: whole, and without a trace of the machine that made them but its versions."""

import json
from pathlib import Path
import re

import pytest

from sweepkit import verify

KEPT = Path(__file__).parent.parent.parent / "results" / "reference"
# The start of a path from a root, a home or a drive, at the beginning of a text or of a word or a flag's value in it. A slash
# before a space is a division.
PATH = re.compile(r"(?:^|[\s='\",:])(?:/(?! )|~|[A-Za-z]:\\|file:)")


def texts(content):
  """All texts in plain data, names included."""
  if isinstance(content, dict):
    for name, value in content.items():
      yield name
      yield from texts(value)
  elif isinstance(content, list):
    for value in content:
      yield from texts(value)
  elif isinstance(content, str):
    yield content


def test_kept_results_hold_no_path():
  paths = sorted(KEPT.rglob("*.json"))
  assert len(paths) > 200
  for path in paths:
    for text in texts(json.loads(path.read_text())):
      assert not PATH.search(text), (path, text)


@pytest.mark.parametrize("text", ["--out=/tmp/x", "/home/me/x", "python -m a '--out=/a b'", "~/x", "a ~me/x", "C:\\x"])
def test_a_path_is_noticed(text):
  assert PATH.search(text)


def test_kept_results_are_whole():
  report = verify.check(KEPT)
  assert report.checked > 400
  assert report.problems == []
