"""An append-only file of JSON lines, one a logged step, that survives being killed at any moment.

A line that was torn is cut off on opening; a row for a step that is already there is not written again, so that a run which
goes on from a checkpoint repeats nothing. What is not finite is written as null.
"""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

import numpy as np


def rows(path: Path) -> list[dict[str, Any]]:
  """All whole rows; a torn last line is cut off the file."""
  if not path.exists():
    return []
  content = path.read_bytes()
  whole = content[: content.rfind(b"\n") + 1]
  if len(whole) < len(content):
    with open(path, "r+b") as file:
      file.truncate(len(whole))
  return [json.loads(line) for line in whole.splitlines()]


def append(path: Path, written: list[dict[str, Any]], row: Mapping[str, Any]) -> None:
  """Adds a row with a `step` to the file and to `written`, what it already holds, unless that step is there."""
  if written and row["step"] <= written[-1]["step"]:
    return
  plain = {name: _plain(value) for name, value in row.items()}
  with open(path, "a", encoding="utf-8") as file:
    file.write(json.dumps(plain, separators=(",", ":"), allow_nan=False) + "\n")
  written.append(plain)


def column(written: list[dict[str, Any]], name: str) -> np.ndarray:
  """A quantity over all rows [rows, ...], null as NaN."""
  return np.array([_with_nan(row[name]) for row in written], np.float64)


def _plain(value: Any) -> Any:
  """Numbers, lists and null: float32 values become the doubles equal to them, which JSON keeps exactly."""
  if isinstance(value, str | bool | int):
    return value
  array = np.asarray(value)
  if array.ndim:
    return [_plain(entry) for entry in array]
  if array.dtype.kind in "iub":
    return int(array)
  return float(array) if np.isfinite(array) else None


def _with_nan(value: Any) -> Any:
  if isinstance(value, list):
    return [_with_nan(entry) for entry in value]
  return np.nan if value is None else value
