"""Points of a sweep: flat, frozen records of everything that determines a result.

The random key of a point comes from its content, so a result does not depend on the order, shard or block in which it was
computed.
"""

from collections.abc import Iterator, Mapping, Sequence
import dataclasses
import hashlib
import json
from typing import Any, TypeVar

from sweepkit.settings import Value

Typed = TypeVar("Typed")

REST = {"rest": True}  # the metadata of a field that holds the settings without a field of their own


class Point(Mapping[str, Value]):
  """The value of every setting, by dimension, and the `seed` and `x64` of one computation. Frozen and hashable.

  A point equals any mapping with the same items. The first setting of a point names the blocks that hold it (`label`).
  """

  __slots__ = ("_hash", "_values")

  def __init__(self, values: Mapping[str, Value] | Sequence[tuple[str, Value]] = (), **more: Value) -> None:
    self._values: dict[str, Value] = {**dict(values), **more}
    self._hash: str | None = None

  def __getitem__(self, name: str) -> Value:
    return self._values[name]

  def __iter__(self) -> Iterator[str]:
    return iter(self._values)

  def __len__(self) -> int:
    return len(self._values)

  def __or__(self, other: Mapping[str, Value]) -> "Point":
    return Point({**self._values, **other})

  def __hash__(self) -> int:
    return hash(frozenset(self._values.items()))

  def __repr__(self) -> str:
    return f"Point({self._values!r})"

  @property
  def content_hash(self) -> str:
    """The SHA-256 of the content, in hex."""
    if self._hash is None:
      self._hash = content_hash(self._values)  # the hash of the plain dictionary
    return self._hash

  def without(self, *names: str) -> "Point":
    """Returns the point without some of its settings."""
    return Point({name: value for name, value in self._values.items() if name not in names})


def read(kind: type[Typed], point: Mapping[str, Value]) -> Typed:
  """Returns the settings of a point that a frozen dataclass has fields for, as that dataclass.

  A field with `metadata=REST` gets all other settings but the seed, as a tuple of pairs in the order of their names.

  Raises:
    KeyError: if the point lacks a field that has no default.
  """
  values: dict[str, Any] = {}
  fields = dataclasses.fields(kind)  # type: ignore[arg-type]  # a dataclass has no type of its own
  others = set(point) - {field.name for field in fields} - {"seed"}
  for field in fields:
    if field.metadata == REST:
      values[field.name] = tuple((name, point[name]) for name in sorted(others))
    elif field.name in point or field.default is dataclasses.MISSING:
      values[field.name] = point[field.name]
  return kind(**values)


def label(point: Mapping[str, Value]) -> str:
  """Returns the name under which messages and files show a point: the value of its first setting, if that is a text."""
  first = next(iter(point.values()), "")
  return first if isinstance(first, str) and first else "block"


# Setting -> its value -> the settings that only points with this value have, with their values; all by dimension.
Brought = Mapping[str, Mapping[Value, Mapping[str, Sequence[Value]]]]


def _plain(value: Any) -> Any:
  if isinstance(value, Mapping):
    return dict(value)
  raise TypeError(f"{type(value).__name__} is not plain data")


def content_hash(content: Any) -> str:
  """Returns the SHA-256, in hex, of plain data in canonical JSON."""
  if isinstance(content, Point):
    return content.content_hash
  text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
  return hashlib.sha256(text.encode()).hexdigest()


def key_words(point: Mapping[str, Value]) -> tuple[int, int]:
  """Returns 64 bits of the hash of a point, to be folded into its random key."""
  digest = content_hash(point)
  return int(digest[:8], 16), int(digest[8:16], 16)


def static_part(point: Point, traced: Sequence[str]) -> Point:
  """Returns what determines the compiled program: everything but the traced settings and the seed."""
  return point.without(*traced, "seed")


def blocks(points: Sequence[Point], chunk: int, traced: Sequence[str], tile: int = 1) -> list[list[Point]]:
  """Splits points into blocks that are computed and stored as a unit: one program each, at most `chunk` points, nearly even.

  A block is a whole number of tiles, except for the last block of a group. A chunk smaller than a tile is a smaller tile.
  """
  groups: dict[Point, list[Point]] = {}
  for point in points:
    groups.setdefault(static_part(point, traced), []).append(point)
  result: list[list[Point]] = []
  for group in groups.values():
    size = block_size(len(group), chunk, tile)
    result.extend(group[i : i + size] for i in range(0, len(group), size))
  return result


def block_size(points: int, chunk: int, tile: int) -> int:
  """Returns the size of the blocks of so many points that share a program."""
  tile = min(tile, chunk)
  chunk -= chunk % tile
  size = -(-points // -(-points // chunk))
  return size + -size % tile
