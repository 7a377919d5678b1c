"""What a folder of results holds, read once: each block is opened a single time, however often a launch asks about it.

Blocks are immutable, so a file that was read needs no second look. `Inventory.look` reads the files that are new since the last
look, and everything else answers from memory.
"""

from collections.abc import Mapping, Sequence
import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sweepkit.points import Point
from sweepkit.store.blocks import Block, SchemaError, block_paths, read_block, remove_block
from sweepkit.store.files import ResultsError


class Entry(NamedTuple):
  """What a launch needs to know of an intact block.

  Attributes:
    path: of its JSON.
    points: those of the block.
    code: the code that computed them.
    revision: the number of times that other code had computed them before.
    provenance: as stored.
    firsts: name -> the first entry of that array at every point, of the names that the inventory keeps.
    axes: as stored.
  """

  path: Path
  points: Sequence[Point]
  code: str
  revision: int
  provenance: Mapping[str, Any]
  firsts: Mapping[str, np.ndarray]
  axes: Mapping[str, Sequence[str]]


@dataclasses.dataclass
class Inventory:
  """The blocks of the folder of one experiment.

  Attributes:
    folder: that folder.
    kept: names of arrays of which the first entry at every point is kept.
    entries: path of its JSON -> every intact block.
    problems: path of its JSON -> a sentence about every damaged block.
  """

  folder: Path
  kept: Sequence[str] = ()
  entries: dict[Path, Entry] = dataclasses.field(default_factory=dict)
  problems: dict[Path, str] = dataclasses.field(default_factory=dict)

  def look(self) -> list[Entry]:
    """Reads the blocks that are new since the last look, and returns the intact ones.

    Raises:
      SchemaError: if a block has another schema.
    """
    return [entry for path in block_paths(self.folder) if path not in self and (entry := self._read(path))]

  def __contains__(self, path: Path) -> bool:
    return path in self.entries or path in self.problems

  def _read(self, path: Path) -> Entry | None:
    try:
      return self.add(path, read_block(path))
    except SchemaError:
      raise
    except ResultsError as error:
      self.problems[path] = str(error)
      return None

  def add(self, path: Path, block: Block) -> Entry:
    """Notes a block that this process has read or written."""
    firsts = {name: _firsts(block.arrays[name]) for name in self.kept if name in block.arrays}
    self.problems.pop(path, None)
    self.entries[path] = Entry(path, block.points, block.code, block.revision, block.provenance, firsts, block.axes)
    return self.entries[path]

  def remove(self, path: Path) -> None:
    """Removes a block from the disk and from the inventory."""
    remove_block(path)
    self.entries.pop(path, None)
    self.problems.pop(path, None)

  def points(self) -> list[Point]:
    """All points of all intact blocks."""
    return [point for entry in self.entries.values() for point in entry.points]

  def in_force(self) -> dict[Point, Entry]:
    """Every stored point -> the block that holds its measurement in force: the highest revision, and of equal ones the last."""
    best: dict[Point, Entry] = {}
    for _, entry in sorted(self.entries.items()):
      for point in entry.points:
        if point not in best or entry.revision >= best[point].revision:
          best[point] = entry
    return best


def _firsts(array: np.ndarray) -> np.ndarray:
  """The first entry of an array at every point."""
  return array.reshape(len(array), -1)[:, 0].copy()
