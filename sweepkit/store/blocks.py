"""Results on disk: one immutable file a block, checksummed, merged on reading.

    results/<experiment>/<cell>-<hash>.npz     the arrays, the block's points on their leading axis
    results/<experiment>/<cell>-<hash>.json    the points, dimensions and coordinates, provenance, and the checksums

Both are written under a temporary name, synced and renamed, the JSON last: a block exists when its JSON does. The JSON holds
the SHA-256 of the arrays and of itself, so no flipped byte goes unseen. Nothing is pickled.
"""

from collections.abc import Mapping, Sequence
import contextlib
import hashlib
import io
import json
from pathlib import Path
import re
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sweepkit.store import attributes, layout, selection
from sweepkit import commands
from sweepkit.store.files import ResultsError, at_home, check_inside, check_name, write_atomically, writing
from sweepkit.points import Point, content_hash
from sweepkit.store.layout import as_grid as as_grid
from sweepkit.store.layout import axis_values as axis_values

SCHEMA_VERSION = 1

BLOCK_FILE = re.compile(r"[^.].*-[0-9a-f]{16}(-\d+)?\.(json|npz)")  # the names that `block_name` gives

UNKNOWN = "unknown"  # the code of a block that does not say

STATUS = ("missing", "ok", "nonfinite", "updates_dropped")  # the meaning of the variable `status`


class SchemaError(ResultsError):
  """An intact file that another version of the lab has written."""


class Block(NamedTuple):
  """The measurements of some points.

  Attributes:
    points: one dict each.
    arrays: name -> array with the points on its leading axis.
    dims: name -> names of the axes after the first.
    coords: axis name -> its labels.
    provenance: versions, device, wall time and the like.
    code: the code that computed them, as `code.identity` names it.
    revision: 1 more than that of the measurements of the same points whose place they take, by other code.
    attributes: name of a variable, axis or setting -> its `long_name` and `units`.
  """

  points: Sequence[Point]
  arrays: Mapping[str, np.ndarray]
  dims: Mapping[str, Sequence[str]]
  coords: Mapping[str, Sequence[Any]]
  provenance: Mapping[str, Any]
  code: str = UNKNOWN
  revision: int = 0
  attributes: Mapping[str, Mapping[str, str]] = MappingProxyType({})


def block_name(points: Sequence[Point], revision: int = 0) -> str:
  """The name of a block, which is that of its files and of its run's folder.

  Raises:
    ResultsError: if the cell's name does not make a file's name.
  """
  return check_name(f"{points[0]['cell']}-{content_hash(list(points))[:16]}" + (f"-{revision}" if revision else ""))


def _encode(meta: Mapping[str, Any]) -> bytes:
  return json.dumps({**meta, "sha256": content_hash(meta)}, indent=1).encode()


def _optional(block: Block) -> dict[str, Any]:
  """What a block may lack."""
  return {
    "code": "" if block.code == UNKNOWN else block.code,
    "revision": block.revision,
    "attributes": {name: dict(attributes) for name, attributes in block.attributes.items()},
  }


def write_block(folder: Path, block: Block) -> Path:
  """Writes one block and returns the path of its JSON.

  Raises:
    ResultsError: if it cannot be written.
  """
  with writing(folder):
    folder.mkdir(parents=True, exist_ok=True)
  name = block_name(block.points, block.revision)
  buffer = io.BytesIO()
  np.savez_compressed(buffer, **block.arrays)  # type: ignore[arg-type]  # its stub takes the keyword allow_pickle only
  payload = buffer.getvalue()
  meta = {
    "schema_version": SCHEMA_VERSION,
    "points": list(block.points),
    "dims": {name: list(dims) for name, dims in block.dims.items()},
    "coords": {name: list(labels) for name, labels in block.coords.items()},
    "provenance": dict(block.provenance),
    "arrays_sha256": hashlib.sha256(payload).hexdigest(),
  }
  # Only what there is: the file of a block without them is as it always was.
  meta |= {name: value for name, value in _optional(block).items() if value}
  write_atomically(folder / f"{name}.npz", payload)
  path = folder / f"{name}.json"
  write_atomically(path, _encode(meta))
  return path


def read_meta(path: Path) -> dict[str, Any]:
  """The JSON of a block.

  Raises:
    ResultsError: if it is altered, or reached by a link out of its folder.
    SchemaError: if it is intact and of another schema.
  """
  check_inside(path, path.parent)
  try:
    content = path.read_bytes()
    meta = json.loads(content)
    checksum = meta.pop("sha256")
    # Whether a byte was altered comes first: an altered version is no other schema.
    is_intact = content_hash(meta) == checksum
    version = meta["schema_version"]
  except OSError as error:
    raise ResultsError(
      f"{path} cannot be read ({error.strerror}); run its experiment again to compute it anew."
    ) from None
  except (ValueError, KeyError, TypeError, AttributeError):
    raise ResultsError(f"{path} is truncated or altered; run its experiment again to compute it anew.") from None
  if is_intact and version != SCHEMA_VERSION:
    raise SchemaError(
      f"{path} has schema version {version!r}, but this version of the lab reads {SCHEMA_VERSION}; use another folder."
    )
  if not is_intact or content != _encode(meta):  # not one byte may differ, not even in white space
    raise ResultsError(f"{path} is altered: its checksum does not match; run its experiment again to compute it anew.")
  return meta


def read_block(path: Path) -> Block:
  """Reads and checks a block, given the path of its JSON.

  Raises:
    ResultsError: if either file is missing, altered or of another schema.
  """
  meta = read_meta(path)
  arrays_path = check_inside(path.with_suffix(".npz"), path.parent)
  try:
    payload = arrays_path.read_bytes()
  except OSError:
    raise ResultsError(f"{arrays_path} is missing; run its experiment again to compute it anew.") from None
  if hashlib.sha256(payload).hexdigest() != meta["arrays_sha256"]:
    raise ResultsError(
      f"{arrays_path} is altered: its checksum does not match; run its experiment again to compute it anew."
    )
  with np.load(io.BytesIO(payload), allow_pickle=False) as file:
    arrays = {name: file[name] for name in file.files}
  names = ("points", "dims", "coords", "provenance", "code", "revision", "attributes")
  return Block(arrays=arrays, **{name: meta[name] for name in names if name in meta})


def block_paths(folder: Path) -> list[Path]:
  """The JSON of every block, by name; other files and folders in the folder of an experiment are nobody's business."""
  return sorted(path for path in folder.glob("*.json") if BLOCK_FILE.fullmatch(path.name) and not path.is_dir())


def in_force(folder: Path) -> dict[str, Path]:
  """The hash of every stored point -> the JSON of the block that holds the measurement in force; no arrays are read."""
  best: dict[str, tuple[int, Path]] = {}
  for path in block_paths(folder):
    with contextlib.suppress(ResultsError):
      meta = read_meta(path)
      for point in map(content_hash, meta["points"]):
        if point not in best or meta.get("revision", 0) >= best[point][0]:
          best[point] = meta.get("revision", 0), path
  return {point: path for point, (_, path) in best.items()}


class Version(NamedTuple):
  """Which measurement of a point counts: the JSON of its block, its code and its revision."""

  path: Path
  code: str
  revision: int


def stored_points(folder: Path) -> tuple[dict[str, Version], list[str]]:
  """The hash of every point that is stored intact -> its version in force, and a sentence for every altered file.

  Raises:
    SchemaError: if the folder holds another schema.
  """
  stored: dict[str, Version] = {}
  problems = []
  for path in block_paths(folder):
    try:
      block = read_block(path)
    except SchemaError:
      raise
    except ResultsError as error:
      problems.append(str(error))
      continue
    for point in map(content_hash, block.points):
      if point not in stored or block.revision >= stored[point].revision:
        stored[point] = Version(path, block.code, block.revision)
  return stored, problems


def done_points(folder: Path) -> tuple[set[str], list[str]]:
  """The hashes of all points already stored intact, and a sentence for every altered file; errors as `stored_points`."""
  stored, problems = stored_points(folder)
  return set(stored), problems


def remove_block(path: Path) -> None:
  """Removes the files of a block, given the path of its JSON. Killed halfway, the JSON alone remains: a damaged block."""
  path.with_suffix(".npz").unlink(missing_ok=True)
  path.unlink()


def load_results(folder: str | Path, **settings: Any) -> xr.Dataset:
  """All blocks of an experiment as one labelled dataset, in memory proportional to what is stored.

  Dimensions are named as the flags are (`cell`, `ws`, ..., `seed`), then those of each variable (`lag`, ...). A setting
  that never changes is a scalar coordinate. Points that were not computed hold NaN and the status `missing`; `status`
  holds indices into `STATUS`, which its attributes `flag_values` and `flag_meanings` name, and `code` the code that computed a
  point (`code.py`), "unknown" for results from before that was stored.

  Points that leave most of their grid empty, such as sweeps of one axis each, come with one dimension `point` instead. Its index
  holds the settings: `data.sel(cell="rnn", ws=1.0)` selects, and so does `data.where(data.ws == 1, drop=True)`.

      load_results("results/recurrent_gain", bias=0, input_scale=1)      points of these settings alone, a grid if they fill it

  Attributes of the dataset: `source`, the folder; `checksum` of what was read; `planned`, the number of points that the launches
  were asked for; `present`, how many of them are there. Variables and coordinates have `long_name` and `units`.

  Args:
    folder: of the experiment, such as results/recurrent_gain.
    settings: a value or a list of values by name; only points that have them are loaded.

  Raises:
    ResultsError: if there is nothing to read, a file is altered or of another schema, or no point has these settings.
  """
  folder = Path(at_home(str(folder)))
  paths = block_paths(folder)
  if not paths:
    raise ResultsError(f"{folder} holds no results; run the experiment first{commands.filling(folder)}.")
  blocks = [read_block(path) for path in paths]
  wanted = selection.settings_of(folder, blocks, settings)
  parts = []
  for block, rows in zip(blocks, selection.rows_in_force(blocks), strict=True):
    if chosen := [i for i in rows if selection.has(block.points[i], wanted)]:
      arrays = {name: array[chosen] for name, array in block.arrays.items()} | {
        "code": np.full(len(chosen), block.code)
      }
      dims = {**block.dims, "status": (), "code": ()}
      parts.append(layout.Part([block.points[i] for i in chosen], arrays, dims, block.coords))
  if not parts:
    said = ", ".join(f"{name} {value!r}" for name, value in settings.items())
    raise ResultsError(f"{folder} holds no point with {said}.")
  data = layout.dataset(parts)
  attributes.annotate(data, folder.name, [block.attributes for block in blocks])
  data.status.attrs = {
    "long_name": "what became of the point",
    "flag_values": np.arange(len(STATUS), dtype=np.int8),
    "flag_meanings": " ".join(STATUS),
  }
  data.attrs = {
    "source": str(folder),
    "checksum": content_hash([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]),
    "schema_version": SCHEMA_VERSION,
    "planned": sum(selection.has(point, wanted) for point in selection.planned_points(blocks)),
    "present": sum(len(part.points) for part in parts),
  }
  return data
