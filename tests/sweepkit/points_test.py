"""Points are frozen records, sweeps are every combination of settings, and blocks share a program."""

import dataclasses
import hashlib
import json

import pytest

from sweepkit import Point
from sweepkit.grids import expand
from sweepkit.points import blocks, content_hash, key_words, label, read, static_part
from sweepkit.settings import dimension, dimensions, parse_axis, traced_names
from tests.support.nets import SETTINGS

TRACED = traced_names(SETTINGS)
VALUES = {"cell": "gru", "hidden_size": 4, "ws": 0.5, "seed": 1, "x64": False}


def points(**axes):
  defaults = {dimension(name, SETTINGS): parse_axis(name, one.default, SETTINGS) for name, one in SETTINGS.items()}
  return expand(defaults | axes, 3, False)


def test_a_point_is_frozen():
  point = Point(VALUES)
  for change in (
    lambda: point.__setitem__("ws", 1.0),
    lambda: point.__delitem__("ws"),
    lambda: setattr(point, "ws", 1.0),
    lambda: point.update(ws=1.0),
  ):
    with pytest.raises((AttributeError, TypeError)):
      change()
  given = dict(VALUES)
  point = Point(given)
  given["ws"] = 9.0
  assert point["ws"] == 0.5


def test_a_point_equals_any_mapping_of_the_same_items_and_has_one_hash():
  one, other = Point(VALUES), Point(dict(reversed(VALUES.items())))
  assert one == other == VALUES == dict(one)
  assert one == VALUES
  assert hash(one) == hash(other)
  assert {one: "found"}[other] == "found"
  assert one != one | {"ws": 0.6}
  assert Point([("cell", "gru")], ws=1.0) == {"cell": "gru", "ws": 1.0}


def test_changes_make_new_points():
  one = Point(VALUES)
  before = one.content_hash
  changed = one | {"ws": 2.0, "bias": 1.0}
  assert isinstance(changed, Point)
  assert changed == {**VALUES, "ws": 2.0, "bias": 1.0}
  assert one.without("seed", "x64") == {"cell": "gru", "hidden_size": 4, "ws": 0.5}
  assert one == VALUES
  assert one.content_hash == before != changed.content_hash


def test_the_content_hash_is_that_of_canonical_json():
  """The hash names blocks on disk and seeds random keys. Points, dictionaries and lists of them have one."""
  canonical = '{"cell":"gru","hidden_size":4,"seed":1,"ws":0.5,"x64":false}'
  expected = hashlib.sha256(canonical.encode()).hexdigest()
  assert Point(VALUES).content_hash == content_hash(Point(VALUES)) == content_hash(VALUES) == expected
  assert (
    content_hash([Point(VALUES)]) == content_hash([VALUES]) == hashlib.sha256(f"[{canonical}]".encode()).hexdigest()
  )
  assert key_words(Point(VALUES)) == key_words(VALUES) == (int(expected[:8], 16), int(expected[8:16], 16))
  assert json.loads(canonical) == Point(VALUES)


@dataclasses.dataclass(frozen=True)
class Net:
  cell: str
  ws: float
  bias: float = 0.25


def test_a_dataclass_reads_the_settings_that_it_has_fields_for():
  assert read(Net, Point(VALUES)) == Net("gru", 0.5)
  assert read(Net, Point(VALUES) | {"bias": 2.0}) == Net("gru", 0.5, 2.0)
  assert hash(read(Net, Point(VALUES))) == hash(Net("gru", 0.5))
  with pytest.raises(KeyError, match="ws"):
    read(Net, Point(VALUES).without("ws"))


def test_a_point_is_shown_by_its_first_setting():
  assert label(Point(VALUES)) == "gru"
  assert [label(Point(first)) for first in ({"ws": 1.0, "cell": "gru"}, {"cell": ""}, {})] == ["block"] * 3


def test_points_are_every_combination_once():
  result = points(ws=(0.5, 1.0))
  assert len(result) == len(set(result)) == 3 * 2 * 3
  assert all(set(point) == {*dimensions(SETTINGS), "seed", "x64"} for point in result)
  assert [point["seed"] for point in result[:4]] == [0, 1, 2, 0]


@pytest.mark.parametrize("tile", [1, 4, 8])
def test_blocks_share_one_program_and_hold_every_point_once(tile):
  every = points(ws=tuple(range(7)), hidden_size=(4, 8))
  split = blocks(every, 8, TRACED, tile)
  assert sorted(point.content_hash for block in split for point in block) == sorted(p.content_hash for p in every)
  groups = {}
  for block in split:
    (static,) = {static_part(point, TRACED) for point in block}
    assert not {"ws", "input_scale", "seed"} & set(static)
    assert len(block) <= 8
    groups.setdefault(static, []).append(len(block))
  assert len(groups) == 3 * 2
  assert all(size % tile == 0 for sizes in groups.values() for size in sizes[:-1])


def test_keys_come_from_content_alone():
  first, second = points(ws=(0.5, 1.0)), points(ws=(1.0, 2.0), cell=("gru", "rnn"))
  shared = [point for point in first if point in second]
  assert len(shared) == 6
  words = {key_words(point) for point in first + second}
  assert len(words) == len(first) + len(second) - 6
