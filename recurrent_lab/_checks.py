"""Checks that several modules share."""

from typing import Any


def check_choice(what: str, value: object, allowed: Any) -> None:
  """Raises a `ValueError` that names `value` and the allowed choices, unless `value` is one of them."""
  if value not in allowed:
    raise ValueError(f"{what} {value!r} is unknown; choose one of {', '.join(map(str, allowed))}.")
