"""An append-only file of JSON lines, one per logged step, that survives a kill at any moment.

A row ends with the SHA-256 of its rest, so every flipped byte is noticed. Rows of numbers without a checksum, from before there
were checksums, are read too. An incomplete last line is cut off on opening. A row for a step that is already there is not written
again, so a run that resumes from a checkpoint repeats nothing. Infinity, such as a norm that no float can hold, is written as
"inf", and NaN as null.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from sweepkit.points import content_hash
from sweepkit.store.files import ResultsError, writing

# Functions that are told of every row that is added: (the path of the file, all rows up to this one).
_watchers: list[Callable[[Path, Sequence[Mapping[str, Any]]], None]] = []


class JournalError(ResultsError):
  """A journal that cannot be used, with the reason in one sentence."""


def _encode(row: Mapping[str, Any]) -> bytes:
  whole = {**row, "sha256": content_hash(row)}
  return json.dumps(whole, separators=(",", ":"), allow_nan=False).encode()


def _holds_text(value: Any) -> bool:
  return isinstance(value, str) or (isinstance(value, list) and any(map(_holds_text, value)))


def _decode(line: bytes) -> dict[str, Any]:
  """The row of a line, without its checksum.

  Raises:
    ValueError: if a byte of it was altered, as far as that can be known.
  """
  row = json.loads(line)
  if not isinstance(row, dict) or not isinstance(row.get("step"), int):
    raise ValueError("no row")
  if row.pop("sha256", None) is None:
    # Older rows have no checksum and hold numbers alone. With a text, the name of the checksum was altered.
    if any(map(_holds_text, row.values())):
      raise ValueError("no checksum")
  elif line != _encode(row):
    raise ValueError("checksum")
  return row


def _parse(path: Path) -> tuple[list[dict[str, Any]], int, int]:
  """The rows of a file, the size of its whole lines and its own size.

  Raises:
    JournalError: if a whole line is altered.
  """
  if not path.exists():
    return [], 0, 0
  content = path.read_bytes()
  size = content.rfind(b"\n") + 1
  read: list[dict[str, Any]] = []
  for number, line in enumerate(content[:size].split(b"\n")[:-1], 1):
    try:
      row = _decode(line)
      if read and row["step"] <= read[-1]["step"]:
        raise ValueError("order")
    except ValueError:
      raise JournalError(f"Row {number} of {path} is altered; remove {path.parent} to start again.") from None
    read.append(row)
  return read, size, len(content)


def rows(path: Path) -> list[dict[str, Any]]:
  """All whole rows, without their checksums; a torn last line is cut off the file.

  Raises:
    JournalError: if a row is altered.
  """
  read, size, found = _parse(path)
  if size < found:
    with open(path, "r+b") as file:
      file.truncate(size)
  return read


def inspect(path: Path) -> tuple[list[int], str | None]:
  """The steps of a journal and, if a byte of it is altered or torn off, a sentence that says where; nothing is changed."""
  try:
    read, size, found = _parse(path)
  except JournalError as error:
    return [], str(error)
  steps = [row["step"] for row in read]
  return steps, f"{path} ends in the middle of a row; the next run cuts it off." if size < found else None


def append(path: Path, written: list[dict[str, Any]], row: Mapping[str, Any]) -> None:
  """Adds a row with a `step` to the file and to `written`, what it already holds, unless that step is there.

  Raises:
    JournalError: if it cannot be written, as on a full disk; the rows before it are kept.
  """
  if written and row["step"] <= written[-1]["step"]:
    return
  plain = {name: _plain(value) for name, value in row.items()}
  with writing(path, JournalError), open(path, "ab", buffering=0) as file:
    size, line = file.seek(0, os.SEEK_END), _encode(plain) + b"\n"
    try:
      while line:  # a disk that is nearly full writes a part
        line = line[file.write(line) :]
      os.fsync(file.fileno())  # a checkpoint relies on the rows before it
    except OSError:
      file.truncate(size)
      raise
  written.append(plain)
  for watcher in _watchers:
    watcher(path, written)


@contextlib.contextmanager
def watched_by(watcher: Callable[[Path, Sequence[Mapping[str, Any]]], None]) -> Iterator[None]:
  """Tells a function, which must not raise an error, of every row that is added in this process meanwhile."""
  _watchers.append(watcher)
  try:
    yield
  finally:
    _watchers.remove(watcher)


def column(written: list[dict[str, Any]], name: str) -> np.ndarray:
  """A quantity over all rows [rows, ...], null as NaN and "inf" as the number."""
  return np.array([_with_nan(row[name]) for row in written], np.float64)


def _plain(value: Any) -> Any:
  """Numbers, lists, "inf" and null: float32 values become the doubles equal to them, which JSON keeps exactly."""
  if isinstance(value, str | bool | int):
    return value
  array = np.asarray(value)
  if array.ndim:
    return [_plain(entry) for entry in array]
  if array.dtype.kind in "iub":
    return int(array)
  if np.isposinf(array):
    return "inf"
  return float(array) if np.isfinite(array) else None


def _with_nan(value: Any) -> Any:
  if isinstance(value, list):
    return [_with_nan(entry) for entry in value]
  return np.nan if value is None else float(value)
