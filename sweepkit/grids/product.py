"""Grids: points as a product of axes, which know their number, their order and their shapes without being listed.

A grid is a union of boxes. A box is a product of groups, and a group holds the values of one setting, or of several that go
together (`--zip`). Only iteration makes points. All questions about their number are answered from the groups.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
import dataclasses
import functools
import itertools
import math
from types import MappingProxyType
from typing import Any, NamedTuple, overload

from sweepkit.points import Brought, Point, block_size
from sweepkit.settings import Value


class Group(NamedTuple):
  """Settings that go together, often a single one.

  Attributes:
    names: the settings, by dimension.
    values: the distinct combinations of their values, in order.
  """

  names: tuple[str, ...]
  values: Sequence[tuple[Value, ...]]

  def by(self, names: Sequence[str]) -> dict[tuple[Value, ...], list[tuple[Value, ...]]]:
    """Returns the combinations that share the values of some settings, by these values."""
    places = [i for i, name in enumerate(self.names) if name in names]
    found: dict[tuple[Value, ...], list[tuple[Value, ...]]] = {}
    for value in self.values:
      found.setdefault(tuple(value[i] for i in places), []).append(value)
    return found


class Box(NamedTuple):
  """A product of groups, the last running fastest.

  Attributes:
    names: all settings, in the order of a point.
    groups: those of the settings, without the seeds.
    x64: whether the points are computed in float64.
  """

  names: tuple[str, ...]
  groups: tuple[Group, ...]
  x64: bool

  @property
  def size(self) -> int:
    """The number of combinations."""
    return math.prod(len(group.values) for group in self.groups)

  def thinned(self, names: Sequence[str]) -> "Box":
    """Returns the box with one combination, the first, for each combination of the values of some settings."""
    first = tuple(Group(group.names, [same[0] for same in group.by(names).values()]) for group in self.groups)
    return self._replace(groups=first)

  def points(self, seeds: Sequence[int]) -> Iterator[Point]:
    """Yields the points, the seed running fastest."""
    flat = tuple(name for group in self.groups for name in group.names)
    is_in_order = flat == self.names
    for combination in itertools.product(*(group.values for group in self.groups)):
      of = dict(zip(flat, itertools.chain.from_iterable(combination), strict=True))
      values = of if is_in_order else {name: of[name] for name in self.names}
      for seed in seeds:
        yield Point(values | {"seed": seed, "x64": self.x64})


@dataclasses.dataclass(frozen=True)
class Grid(Sequence[Point]):
  """Every combination of the values of all settings with all seeds: the points of a launch, made when they are asked for.

  Attributes:
    axes: dimension -> its values.
    seeds: the seeds, or their number for 0 … seeds-1.
    x64: whether the points are computed in float64.
    zipped: groups of dimensions whose values go together, the first with the first and so on.
    brought: the settings that only points with some value have.
  """

  axes: Mapping[str, Sequence[Value]]
  seeds: int | Sequence[int]
  x64: bool
  zipped: Sequence[Sequence[str]] = ()
  brought: Brought = dataclasses.field(default_factory=dict)

  @functools.cached_property
  def boxes(self) -> list[Box]:
    """The boxes, which share no point: one for each combination of the values that bring settings."""
    grids: list[Mapping[str, Sequence[Value]]] = [self.axes]
    for name, of in self.brought.items():
      grids = [{**grid, name: (value,), **of.get(value, {})} for grid in grids for value in grid[name]]
    return [Box(tuple(grid), tuple(_groups(grid, self.zipped)), self.x64) for grid in grids]

  @functools.cached_property
  def each_seed(self) -> Sequence[int]:
    """The seeds."""
    return range(self.seeds) if isinstance(self.seeds, int) else tuple(self.seeds)

  @property
  def size(self) -> int:
    """The number of points, which `len` returns up to the largest integer of the machine."""
    return sum(box.size for box in self.boxes) * len(self.each_seed)

  def __len__(self) -> int:
    return self.size

  def __iter__(self) -> Iterator[Point]:
    return itertools.chain.from_iterable(box.points(self.each_seed) for box in self.boxes)

  @overload
  def __getitem__(self, index: int) -> Point: ...
  @overload
  def __getitem__(self, index: slice) -> list[Point]: ...
  def __getitem__(self, index: int | slice) -> Point | list[Point]:
    if isinstance(index, slice):
      return [self[i] for i in range(self.size)[index]]
    rest, seed = divmod(range(self.size)[index], len(self.each_seed))
    for box in self.boxes:
      if rest < box.size:
        only = tuple(
          Group(group.names, [value]) for group, value in zip(box.groups, _digits(rest, box.groups), strict=True)
        )
        return next(box._replace(groups=only).points(self.each_seed[seed : seed + 1]))
      rest -= box.size
    raise IndexError(index)

  def __contains__(self, point: object) -> bool:
    return isinstance(point, Mapping) and self.place(point) is not None

  @functools.cached_property
  def _places(self) -> list[list[dict[tuple[Value, ...], int]]]:
    """The place of each value in its group, of the groups of every box."""
    return [[{value: i for i, value in enumerate(group.values)} for group in box.groups] for box in self.boxes]

  @functools.cached_property
  def _seed_places(self) -> Mapping[int, int]:
    return {seed: i for i, seed in enumerate(self.each_seed)}

  def _place_of_seed(self, seed: Any) -> int | None:
    if isinstance(self.seeds, int):
      return seed if isinstance(seed, int) and 0 <= seed < self.seeds else None
    return self._seed_places.get(seed)

  def place(self, point: Mapping[str, Value]) -> int | None:
    """Returns the index of a point; None if it is not in the grid."""
    before, in_order = 0, self._place_of_seed(point.get("seed"))
    if in_order is None or point.get("x64") != self.x64:
      return None
    for box, places in zip(self.boxes, self._places, strict=True):
      if point.keys() == {*box.names, "seed", "x64"}:
        found = 0
        for group, of in zip(box.groups, places, strict=True):
          place = of.get(tuple(point[name] for name in group.names))
          if place is None:
            break
          found = found * len(group.values) + place
        else:
          return (before + found) * len(self.each_seed) + in_order
      before += box.size
    return None

  def firsts(self, names: Sequence[str]) -> Iterator[Point]:
    """Yields the first point of every combination of the values of some settings."""
    for box in self.boxes:
      yield from box.thinned(names).points(self.each_seed[:1])

  def combinations(self, names: Sequence[str]) -> int:
    """Returns the number of combinations of the values of some settings."""
    return sum(box.thinned(names).size for box in self.boxes)

  def sizes(self, names: Sequence[str]) -> Counter[int]:
    """Returns how many combinations of the values of some settings have how many points: number of points -> combinations."""
    found: Counter[int] = Counter()
    for box in self.boxes:
      here = Counter({len(self.each_seed): 1})
      for group in box.groups:
        of_group = Counter(len(same) for same in group.by(names).values())
        here = _products(here, of_group)
      found += here
    return found

  def calls(self, static: Sequence[str], chunk: int, tile: int) -> int:
    """Returns the number of blocks into which `points.blocks` splits the grid.

    Args:
      static: the settings that determine a program.
      chunk, tile: as in `points.blocks`.
    """
    return sum(-(-size // block_size(size, chunk, tile)) * times for size, times in self.sizes(static).items())


def _products(one: Counter[int], other: Counter[int]) -> Counter[int]:
  """Returns how often each product comes, of a number of one kind with a number of another kind."""
  found: Counter[int] = Counter()
  for (first, times), (second, more) in itertools.product(one.items(), other.items()):
    found[first * second] += times * more
  return found


def _digits(place: int, groups: Sequence[Group]) -> list[tuple[Value, ...]]:
  """Returns the values of each group at a place in their product."""
  found = []
  for group in reversed(groups):
    place, digit = divmod(place, len(group.values))
    found.append(group.values[digit])
  return found[::-1]


def _groups(grid: Mapping[str, Sequence[Value]], zipped: Sequence[Sequence[str]]) -> Iterator[Group]:
  """Yields the groups of a grid. A group of zipped dimensions varies where its first one would."""
  groups = [tuple(name for name in grid if name in group) for group in zipped]
  leading = {group[0]: group for group in groups if group}
  later = {name for group in groups for name in group[1:]}
  for names in (leading.get(name, (name,)) for name in grid if name not in later):
    values = zip(*(grid[name] for name in names), strict=True)
    yield Group(names, list(dict.fromkeys(values)))  # values that go together may repeat


def expand(
  axes: Mapping[str, Sequence[Value]],
  seeds: int | Sequence[int],
  x64: bool,
  zipped: Sequence[Sequence[str]] = (),
  brought: Brought = MappingProxyType({}),
) -> list[Point]:
  """Returns the points of a grid as a list."""
  return list(Grid(axes, seeds, x64, zipped, brought))
