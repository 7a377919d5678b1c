"""Inventory of a folder of results: each block is opened once, however often a launch asks about it.

Blocks are immutable, so an intact block is never read again. A damaged block is read again only after it was replaced on disk.
`Inventory.look` reads the files that are new since the last look, and everything else answers from memory.
"""

from collections.abc import Mapping, Sequence
import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sweepkit.points import Point
from sweepkit.store.blocks import Block, SchemaError, block_paths, points_of, read_arrays, read_meta, remove_block
from sweepkit.store.files import ResultsError


class Entry(NamedTuple):
  """Facts about an intact block that a launch needs.

  Attributes:
    path: of its JSON.
    points: those of the block.
    code: the code that computed them.
    revision: the number of times that other code had computed them before.
    provenance: as stored.
    firsts: name -> the first entry of that array at every point, of the names that the inventory keeps.
    axes: as stored.
    attributes: as stored.
  """

  path: Path
  points: Sequence[Point]
  code: str
  revision: int
  provenance: Mapping[str, Any]
  firsts: Mapping[str, np.ndarray]
  axes: Mapping[str, Sequence[str]]
  attributes: Mapping[str, Mapping[str, str]]


class Damage(NamedTuple):
  """A block that cannot be used.

  Attributes:
    reason: a sentence that names the file.
    points: those of the block; None if its JSON is damaged, so that they are unknown.
    stamp: what the file system says of the files of the block, to notice that they were replaced.
  """

  reason: str
  points: Sequence[Point] | None
  stamp: Sequence[int]


@dataclasses.dataclass
class Inventory:
  """The blocks of the folder of one experiment.

  Attributes:
    folder: that folder.
    kept: names of arrays of which the first entry at every point is kept.
    entries: path of its JSON -> every intact block.
    damaged: path of its JSON -> every damaged block.
  """

  folder: Path
  kept: Sequence[str] = ()
  entries: dict[Path, Entry] = dataclasses.field(default_factory=dict)
  damaged: dict[Path, Damage] = dataclasses.field(default_factory=dict)

  @property
  def problems(self) -> list[str]:
    """A sentence for every damaged block."""
    return [damage.reason for damage in self.damaged.values()]

  def look(self) -> list[Entry]:
    """Reads the blocks that are new since the last look, and returns the intact ones.

    Raises:
      SchemaError: if a block has another schema.
    """
    return [entry for path in block_paths(self.folder) if path not in self and (entry := self._read(path))]

  def __contains__(self, path: Path) -> bool:
    return path in self.entries or (path in self.damaged and self.damaged[path].stamp == _stamp(path))

  def _read(self, path: Path) -> Entry | None:
    stamp, points = _stamp(path), None
    try:
      meta = read_meta(path)
      points = points_of(meta)
      return self.add(path, read_arrays(path, meta))
    except SchemaError:
      raise
    except ResultsError as error:
      self.damaged[path] = Damage(str(error), points, stamp)
      return None

  def add(self, path: Path, block: Block) -> Entry:
    """Notes a block that this process has read or written."""
    firsts = {name: _firsts(block.arrays[name]) for name in self.kept if name in block.arrays}
    self.damaged.pop(path, None)
    self.entries[path] = Entry(
      path, block.points, block.code, block.revision, block.provenance, firsts, block.axes, block.attributes
    )
    return self.entries[path]

  def set_aside(self, path: Path, reason: str) -> None:
    """Counts an intact block as damaged, such as one whose run is damaged."""
    self.damaged[path] = Damage(reason, self.entries.pop(path).points, _stamp(path))

  def remove(self, path: Path) -> None:
    """Removes a block from the disk and from the inventory."""
    remove_block(path)
    self.entries.pop(path, None)
    self.damaged.pop(path, None)

  def points(self) -> list[Point]:
    """All points of all intact blocks."""
    return [point for entry in self.entries.values() for point in entry.points]

  def in_force(self) -> dict[Point, Entry]:
    """Returns every stored point -> the block whose measurement counts: the highest revision, and the last of equal ones."""
    best: dict[Point, Entry] = {}
    for _, entry in sorted(self.entries.items()):
      for point in entry.points:
        if point not in best or entry.revision >= best[point].revision:
          best[point] = entry
    return best


def _firsts(array: np.ndarray) -> np.ndarray:
  """The first entry of an array at every point."""
  return array.reshape(len(array), -1)[:, 0].copy()


def _stamp(path: Path) -> list[int]:
  """Inode and time of change of the files of a block, given the path of its JSON."""
  found = [file.stat() for file in (path, path.with_suffix(".npz")) if file.exists()]
  return [number for one in found for number in (one.st_ino, one.st_mtime_ns)]
