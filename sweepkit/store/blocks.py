"""Results on disk: one immutable file per block, checksummed, merged on reading.

    results/<experiment>/<label>-<hash>.npz     the arrays, the block's points on their leading axis
    results/<experiment>/<label>-<hash>.json    the points, dimensions and coordinates, provenance, and the checksums

Both are written under a temporary name, synced and renamed, the JSON last: a block exists when its JSON does. The JSON holds
the SHA-256 of the arrays and of itself, so no flipped byte goes unseen. Nothing is pickled.
"""

from collections.abc import Mapping, Sequence
import hashlib
import io
import json
from pathlib import Path
import re
from types import MappingProxyType
from typing import Any, NamedTuple
import zipfile

import numpy as np

from sweepkit.points import Point, content_hash, label
from sweepkit.settings import Value
from sweepkit.store.files import ResultsError, check_inside, check_name, write_atomically, writing

SCHEMA_VERSION = 1

BLOCK_FILE = re.compile(r"[^.].*-[0-9a-f]{16}(-\d+)?\.(json|npz)")  # the names that `block_name` gives

UNKNOWN = "unknown"  # the code of a block that does not say

STATUS = ("missing", "ok", "nonfinite", "updates_dropped")  # the meaning of the variable `status`


class SchemaError(ResultsError):
  """An intact file of another schema version."""


class Block(NamedTuple):
  """The measurements of some points.

  Attributes:
    points: one per row of the arrays.
    arrays: name -> array with the points on its leading axis.
    dims: name -> names of the axes after the first.
    coords: axis name -> its labels.
    provenance: versions, command, device, wall time.
    code: identity of the code that computed them (`code.identity`).
    revision: 0, or 1 more than that of the block by other code that this one replaces.
    attributes: name of a variable, axis or setting -> its `long_name` and `units`.
    axes: settings that datasets keep as dimensions even where they have a single value -> the order of their values, if they
      are names.
  """

  points: Sequence[Point]
  arrays: Mapping[str, np.ndarray]
  dims: Mapping[str, Sequence[str]]
  coords: Mapping[str, Sequence[Any]]
  provenance: Mapping[str, Any]
  code: str = UNKNOWN
  revision: int = 0
  attributes: Mapping[str, Mapping[str, str]] = MappingProxyType({})
  axes: Mapping[str, Sequence[str]] = MappingProxyType({})


def block_name(points: Sequence[Point], revision: int = 0) -> str:
  """Returns the name of a block, which its files and the folder of its run have.

  Raises:
    ResultsError: if the label of its points does not make a file's name.
  """
  return check_name(f"{label(points[0])}-{content_hash(list(points))[:16]}" + (f"-{revision}" if revision else ""))


def _encode(meta: Mapping[str, Any]) -> bytes:
  return json.dumps({**meta, "sha256": content_hash(meta)}, indent=1).encode()


def _optional(block: Block) -> dict[str, Any]:
  """Returns the optional entries of a block's JSON."""
  return {
    "code": "" if block.code == UNKNOWN else block.code,
    "revision": block.revision,
    "attributes": {name: dict(attributes) for name, attributes in block.attributes.items()},
    "axes": {name: list(order) for name, order in block.axes.items()},
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
    "points": [dict(point) for point in block.points],
    "dims": {name: list(dims) for name, dims in block.dims.items()},
    "coords": {name: list(labels) for name, labels in block.coords.items()},
    "provenance": dict(block.provenance),
    "arrays_sha256": hashlib.sha256(payload).hexdigest(),
  }
  # Empty entries are left out: the file of a block without them is as it always was.
  meta |= {name: value for name, value in _optional(block).items() if value}
  write_atomically(folder / f"{name}.npz", payload)
  path = folder / f"{name}.json"
  write_atomically(path, _encode(meta))
  return path


def read_meta(path: Path) -> dict[str, Any]:
  """Reads and checks the JSON of a block.

  Raises:
    ResultsError: if it is altered, or reached by a link out of its folder.
    SchemaError: if it is intact and of another schema.
  """
  check_inside(path, path.parent)
  try:
    content = path.read_bytes()
    meta = json.loads(content)
    checksum = meta.pop("sha256")
    # Checksums come first: an altered version number is not another schema.
    is_intact = content_hash(meta) == checksum
    version = meta["schema_version"]
  except OSError as error:
    raise ResultsError(
      f"{path} cannot be read ({error.strerror}); run its experiment again to compute it again."
    ) from None
  except (ValueError, KeyError, TypeError, AttributeError):
    raise ResultsError(f"{path} is truncated or altered; run its experiment again to compute it again.") from None
  if is_intact and version != SCHEMA_VERSION:
    raise SchemaError(
      f"{path} has schema version {version!r}, but this version reads {SCHEMA_VERSION}; use another folder."
    )
  if not is_intact or content != _encode(meta):  # no byte may differ, not even white space
    raise ResultsError(f"{path} is altered: its checksum does not match; run its experiment again to compute it again.")
  return meta


def points_of(meta: Mapping[str, Any]) -> list[Point]:
  """Returns the points in the JSON of a block. Equal values of their settings are one object, which saves memory."""
  shared: dict[tuple[type, Value], Value] = {}
  one = lambda value: shared.setdefault((type(value), value), value)
  return [Point({name: one(value) for name, value in values.items()}) for values in meta["points"]]


def read_block(path: Path) -> Block:
  """Reads and checks a block, given the path of its JSON.

  Raises:
    ResultsError: if either file is missing, altered or of another schema.
  """
  return read_arrays(path, read_meta(path))


def _payload(path: Path, meta: Mapping[str, Any]) -> bytes:
  """Returns the checked bytes of the arrays of a block, given the path and the content of its JSON.

  Raises:
    ResultsError: if they are missing or altered.
  """
  arrays_path = check_inside(path.with_suffix(".npz"), path.parent)
  try:
    payload = arrays_path.read_bytes()
  except OSError:
    raise ResultsError(f"{arrays_path} is missing; run its experiment again to compute it again.") from None
  if hashlib.sha256(payload).hexdigest() != meta["arrays_sha256"]:
    raise ResultsError(
      f"{arrays_path} is altered: its checksum does not match; run its experiment again to compute it again."
    )
  return payload


def read_outline(path: Path) -> Block:
  """Reads and checks a block, given the path of its JSON. Its arrays have the types and shapes of the stored ones, but no points.

  Raises:
    ResultsError: if they are missing or altered.
  """
  meta, found = read_meta(path), {}
  with zipfile.ZipFile(io.BytesIO(_payload(path, meta))) as file:
    for member in file.namelist():
      with file.open(member) as array:
        np.lib.format.read_magic(array)  # `savez` writes version 1, unless a header is longer than 65 535 bytes
        shape, _, dtype = np.lib.format.read_array_header_1_0(array)
      found[member.removesuffix(".npy")] = np.empty((0, *shape[1:]), dtype)
  return _block(meta, found)


def read_arrays(path: Path, meta: Mapping[str, Any]) -> Block:
  """Reads and checks the arrays of a block, given the path and the content of its JSON.

  Raises:
    ResultsError: if they are missing or altered.
  """
  with np.load(io.BytesIO(_payload(path, meta)), allow_pickle=False) as file:
    arrays = {name: file[name] for name in file.files}
  return _block(meta, arrays)


def _block(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Block:
  names = ("dims", "coords", "provenance", "code", "revision", "attributes", "axes")
  return Block(points_of(meta), arrays, **{name: meta[name] for name in names if name in meta})


def block_paths(folder: Path) -> list[Path]:
  """Returns the JSON of every block, by name. Other files in the folder of an experiment are left alone."""
  return sorted(path for path in folder.glob("*.json") if BLOCK_FILE.fullmatch(path.name) and not path.is_dir())


def remove_block(path: Path) -> None:
  """Removes the files of a block, given the path of its JSON. Killed halfway, the JSON alone remains: a damaged block."""
  path.with_suffix(".npz").unlink(missing_ok=True)
  path.unlink()
