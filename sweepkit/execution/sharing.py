"""Several launchers share a results folder: the operating system locks every point while one of them computes it.

    results/<experiment>/.lock    empty; byte 0 is locked by every launcher, byte h while the point with hash h is computed

A launcher locks the points of a block before it computes them, checks once more whether they are stored, and unlocks them when
they are. So no point is computed twice and none is lost, even between sweeps whose grids only overlap. A lock ends with its
process, however that ends, so nothing has to be cleaned up.

Where a file system has no such locks, a launch says so and works without them. Launchers may then compute the same points: the
files of both are whole and equal, and the later file replaces the earlier. The same happens, without a message, between hosts
whose network file system keeps locks local (NFS mounted with `nolock`).
"""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import NamedTuple

from sweepkit.execution.progress import say
from sweepkit.points import Point, content_hash
from sweepkit.store.blocks import block_name
from sweepkit.store.files import write_atomically, writing
from sweepkit.store.inventory import Inventory


class Work(NamedTuple):
  """A launcher's view of a results folder that others may be writing to.

  Attributes:
    inventory: the blocks of the folder that were read so far.
    lock: the descriptor of the lock file; None where there are no locks.
    done: all points known to be stored.
    counts: whether a point that was computed by a code is done.
  """

  inventory: Inventory
  lock: int | None
  done: set[Point]
  counts: Callable[[Point, str], bool]


def _byte(point: Point) -> int:
  return 1 + int(
    point.content_hash[:15], 16
  )  # 60 bits fit the offsets of a file, and a collision only postpones a point


def _take(lock: int, byte: int, kind: int = fcntl.LOCK_EX) -> bool:
  """Locks one byte, unless another process holds it."""
  try:
    fcntl.lockf(lock, kind | fcntl.LOCK_NB, 1, byte)
  except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, by system
    return False
  return True


@contextlib.contextmanager
def at_work(
  inventory: Inventory, done: set[Point], counts: Callable[[Point, str], bool] = lambda point, code: True
) -> Iterator[Work]:
  """Opens a folder for a launcher. Prints a sentence if another launcher is at work there. `claim` keeps `done` up to date."""
  folder = inventory.folder
  with writing(folder):
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
  lock: int | None = file
  try:
    try:
      if not _take(file, 0):
        say(f"Another launcher is at work in {folder}; what it computes is left to it.")
      _take(file, 0, fcntl.LOCK_SH)
    except OSError as error:
      say(f"{folder} is on a file system without locks ({error.strerror}); start no second launcher.")
      lock = None
    yield Work(inventory, lock, done, counts)
  finally:
    os.close(file)


def _look_again(work: Work) -> None:
  """Adds to `done` what has been stored since the last look. A damaged file counts for nothing."""
  for entry in work.inventory.look():
    work.done.update(point for point in entry.points if work.counts(point, entry.code))


def claim(work: Work, points: Sequence[Point]) -> tuple[list[Point], list[Point]]:
  """Locks what is to be computed among the points of a unit.

  Returns:
    the points that are this launcher's now, and those that another one is computing; what is stored is in neither.
  """
  if work.lock is None:
    mine, busy = list(points), []
  else:
    taken = [_take(work.lock, _byte(point)) for point in points]
    mine = [point for point, is_mine in zip(points, taken, strict=True) if is_mine]
    busy = [point for point, is_mine in zip(points, taken, strict=True) if not is_mine]
  _look_again(work)
  free = [point for point in mine if point not in work.done]
  release(work, [point for point in mine if point in work.done])
  return free, [point for point in busy if point not in work.done]


def release(work: Work, points: Sequence[Point]) -> None:
  """Unlocks points that were claimed, once they are stored or given up."""
  if work.lock is not None:
    for point in points:
      fcntl.lockf(work.lock, fcntl.LOCK_UN, 1, _byte(point))


def shared_out(work: Work, todo: Sequence[Sequence[Point]]) -> Iterator[list[Point]]:
  """Claims one unit after the other; what another launcher is computing is tried again once, after all the rest.

  Yields:
    points to compute, store and `release`; never those that are still being computed elsewhere the second time.
  """
  again: list[list[Point]] = []
  for queue in (todo, again):
    for points in queue:
      mine, busy = claim(work, points)
      if busy and queue is todo:
        again.append(busy)
      if mine:
        yield mine


def write_index(
  inventory: Inventory, experiment: str, shard: tuple[int, int], blocks: Sequence[Sequence[Point]], processes: int
) -> Path:
  """Writes which units belong to a launch of several processes, which process computes each, and where they are stored so far:

      results/<experiment>/index/<hash of all points>.json
      {"experiment": ..., "shard": "i/n", "processes": P,
       "units": [{"unit": name, "points": number, "process": number, "stored": points in `files`, "files": [names]}, ...],
       "sha256": of all the rest}

  The index is for people and their scripts. Sweeps read the blocks.
  """
  where = {point: entry.path.stem for point, entry in inventory.in_force().items()}
  listed = []
  for i, block in enumerate(blocks):
    files = [where[point] for point in block if point in where]
    listed.append(
      {
        "unit": block_name(block),
        "points": len(block),
        "process": i % processes,
        "stored": len(files),
        "files": sorted(set(files)),
      }
    )
  index = {"experiment": experiment, "shard": "{}/{}".format(*shard), "processes": processes, "units": listed}
  name = content_hash([point for block in blocks for point in block])[:16]
  path = inventory.folder / "index" / f"{name}.json"
  path.parent.mkdir(parents=True, exist_ok=True)
  write_atomically(path, json.dumps(index | {"sha256": content_hash(index)}, indent=1).encode())
  return path
