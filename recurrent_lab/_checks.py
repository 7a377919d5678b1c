"""Checks that many modules share."""

from typing import Any


def check_choice(what: str, value: object, allowed: Any) -> None:
  """Raises a `ValueError` that names `value` and what is allowed, unless it is allowed."""
  if value not in allowed:
    raise ValueError(f"{what} {value!r} is unknown; choose one of {', '.join(map(str, allowed))}.")
