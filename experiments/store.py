"""Results on disk: one immutable file a block, checksummed, merged on reading.

    results/<experiment>/<cell>-<hash>.npz     the arrays, the block's points on their leading axis
    results/<experiment>/<cell>-<hash>.json    the points, dimensions and coordinates, provenance, and the checksums

Both are written under a temporary name, synced and renamed, the JSON last: a block exists when its JSON does. The JSON holds
the SHA-256 of the arrays and of itself, so no flipped byte goes unseen. Nothing is pickled.
"""

from collections.abc import Iterable, Mapping, Sequence
import hashlib
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from experiments import commands
from experiments.files import ResultsError, at_home, check_inside, check_name, write_atomically, writing
from experiments.grid import Point, content_hash
from recurrent_lab.cells import CELLS

SCHEMA_VERSION = 1

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
  """

  points: Sequence[Point]
  arrays: Mapping[str, np.ndarray]
  dims: Mapping[str, Sequence[str]]
  coords: Mapping[str, Sequence[Any]]
  provenance: Mapping[str, Any]


def block_name(points: Sequence[Point]) -> str:
  """The name of a block, which is that of its files and of its run's folder.

  Raises:
    ResultsError: if the cell's name does not make a file's name.
  """
  return check_name(f"{points[0]['cell']}-{content_hash(list(points))[:16]}")


def _encode(meta: Mapping[str, Any]) -> bytes:
  return json.dumps({**meta, "sha256": content_hash(meta)}, indent=1).encode()


def write_block(folder: Path, block: Block) -> Path:
  """Writes one block and returns the path of its JSON.

  Raises:
    ResultsError: if it cannot be written.
  """
  with writing(folder):
    folder.mkdir(parents=True, exist_ok=True)
  name = block_name(block.points)
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
  return Block(meta["points"], arrays, meta["dims"], meta["coords"], meta["provenance"])


def block_paths(folder: Path) -> list[Path]:
  return sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))


def done_points(folder: Path) -> tuple[set[str], list[str]]:
  """The hashes of all points already stored intact, and a sentence for every altered file.

  Raises:
    SchemaError: if the folder holds another schema.
  """
  done: set[str] = set()
  problems = []
  for path in block_paths(folder):
    try:
      block = read_block(path)
    except SchemaError:
      raise
    except ResultsError as error:
      problems.append(str(error))
      continue
    done.update(content_hash(point) for point in block.points)
  return done, problems


def remove_block(path: Path) -> None:
  """Removes the files of a block, given the path of its JSON. Killed halfway, the JSON alone remains: a damaged block."""
  path.with_suffix(".npz").unlink(missing_ok=True)
  path.unlink()


def _distinct(values: Iterable[Any]) -> list[Any]:
  """Distinct values, numbers in increasing order, names in the order in which they come."""
  seen = list(dict.fromkeys(values))
  return sorted(seen) if all(isinstance(v, int | float) for v in seen) else seen


def axis_values(points: Sequence[Point]) -> dict[str, list[Any]]:
  """The distinct values of every setting of some points, cells in the order of their table, other models after them."""
  values = {name: _distinct(point[name] for point in points) for name in points[0]}
  values["cell"].sort(key=[*CELLS, *values["cell"]].index)
  return values


# These stay dimensions even where they have a single value.
ALWAYS_DIMENSIONS = ("cell", "ws", "input_scale", "bias_scale", "bias", "forget_bias", "seed")


def load_results(folder: str | Path) -> xr.Dataset:
  """All blocks of an experiment as one labelled dataset.

  Dimensions are named as the flags are (`cell`, `ws`, ..., `seed`), then those of each variable (`lag`, ...). A setting
  that never changes is a scalar coordinate. Points that were not computed hold NaN and the status `missing`; `status`
  holds indices into `STATUS`. `attrs["source"]` names the folder and `attrs["checksum"]` what was read.

  Raises:
    ResultsError: if there is nothing to read, or a file is altered or of another schema.
  """
  folder = Path(at_home(str(folder)))
  paths = block_paths(folder)
  if not paths:
    raise ResultsError(f"{folder} holds no results; run the experiment first{commands.filling(folder)}.")
  stored = [read_block(path) for path in paths]
  points = [point for block in stored for point in block.points]
  values = axis_values(points)
  names = [name for name in values if name in ALWAYS_DIMENSIONS or len(values[name]) > 1]
  shape = tuple(len(values[name]) for name in names)
  coords: dict[str, list[Any]] = {}
  for block in stored:
    for dim, labels in block.coords.items():
      coords[dim] = _distinct([*coords.get(dim, []), *labels])
  dims = {name: tuple(axes) for block in stored for name, axes in block.dims.items()}
  variables = {
    # Integers become floats, since what was not computed is NaN.
    name: np.full(
      (*shape, *(len(coords[axis]) for axis in axes)),
      np.nan,
      np.result_type(np.float32, *(b.arrays[name].dtype for b in stored)),
    )
    for name, axes in dims.items()
  }
  status = np.zeros(shape, np.int8)
  for block in stored:
    where = {dim: [coords[dim].index(label) for label in labels] for dim, labels in block.coords.items()}
    for i, point in enumerate(block.points):
      at = tuple(values[name].index(point[name]) for name in names)
      status[at] = block.arrays["status"][i]
      for name, axes in dims.items():
        variables[name][np.ix_(*([j] for j in at), *(where[axis] for axis in axes))] = block.arrays[name][i]
  checksum = content_hash([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths])
  return xr.Dataset(
    {name: ((*names, *axes), variables[name]) for name, axes in dims.items()} | {"status": (names, status)},
    coords={name: values[name] for name in names}
    | {name: values[name][0] for name in values if name not in names}
    | coords,
    attrs={"source": str(folder), "checksum": checksum, "schema_version": SCHEMA_VERSION},
  )
