"""Everything that a folder of results holds, as one labelled dataset."""

from collections.abc import Mapping, Sequence
from functools import partial
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepkit.points import content_hash
from sweepkit.store import layout
from sweepkit.store.attributes import annotate, older_axes
from sweepkit.store.blocks import SCHEMA_VERSION, STATUS, Block, block_paths, read_block, read_outline
from sweepkit.store.files import ResultsError, at_home
from sweepkit.store.places import why_empty
from sweepkit.store.selection import completed_blocks, count_planned, has, rows_in_force, settings_of

if TYPE_CHECKING:
  import xarray as xr


def _read_rows(path: Path, rows: Sequence[int]) -> dict[str, np.ndarray]:
  """The arrays of some points of a block, and the code that computed them."""
  block = read_block(path)
  found = {name: array[rows] for name, array in block.arrays.items()}
  return found | {"code": np.full(len(rows), block.code)}


def _parts(
  paths: Sequence[Path], blocks: Sequence[Block], rows_of: Sequence[Sequence[int]], wanted: Mapping[str, Any]
) -> list[layout.Part]:
  """The points of the blocks that are in force and wanted, with what reads their arrays."""
  parts = []
  for path, block, rows in zip(paths, blocks, rows_of, strict=True):
    if chosen := [i for i in rows if has(block.points[i], wanted)]:
      empty = {**block.arrays, "code": np.empty(0, np.asarray(block.code).dtype)}
      dims = {**block.dims, "status": (), "code": ()}
      read = partial(_read_rows, path, chosen)
      parts.append(layout.Part([block.points[i] for i in chosen], empty, read, dims, block.coords))
  return parts


def load_results(folder: str | Path, **settings: Any) -> "xr.Dataset":
  """Returns all blocks of an experiment as one labelled dataset, in memory proportional to what is stored.

  Dimensions are named as the settings are, then come `seed` and those of each variable. A setting that never changes is a scalar
  coordinate, unless its experiment says that it is always an axis. Points that were not computed hold NaN and the status
  `missing`. `status` holds indices into `STATUS`, which its attributes `flag_values` and `flag_meanings` name. `code` names the
  code that computed a point, "unknown" for results from before that was stored.

  Points that leave most of their grid empty, such as sweeps of one axis each, come with one dimension `point` instead. Its index
  holds the settings: `data.sel(r=1.0)` selects, and so does `data.where(data.r == 1, drop=True)`, for a setting `r`.

  A point that lacks a setting which others have, such as an option of a cell of your own, is shown at the default of the setting.

      load_results("results/chaos", r=4)      points of this setting alone, a grid if they fill it

  Attributes of the dataset: `source`, the folder; `checksum` of what was read; `planned`, the number of points that the launches
  were asked for; `present`, how many of them are there. `settings` are the names of the settings and of the seed.
  Variables and coordinates have `long_name` and `units`.

  Args:
    folder: of the experiment, such as results/chaos.
    settings: a value or a list of values by name; only points that have them are loaded.

  Raises:
    ResultsError: if there is nothing to read, a file is altered or of another schema, or no point has these settings.
  """
  folder = Path(at_home(str(folder)))
  paths = block_paths(folder)
  if not paths:
    raise ResultsError(why_empty(folder))
  stored = [read_outline(path) for path in paths]
  blocks = completed_blocks(stored)
  wanted = settings_of(folder, blocks, settings)
  parts = _parts(paths, blocks, rows_in_force(stored), wanted)
  if not parts:
    said = ", ".join(f"{name} {value!r}" for name, value in settings.items())
    raise ResultsError(f"{folder} holds no point with {said}.")
  axes: dict[str, Sequence[str]] = {}
  for block in blocks:
    axes |= block.axes or older_axes()
  planned = count_planned(stored, wanted)
  data = layout.dataset(parts, axes)
  annotate(data, [block.attributes for block in blocks])
  data.status.attrs = {
    "long_name": "what became of the point",
    "flag_values": np.arange(len(STATUS), dtype=np.int8),
    "flag_meanings": " ".join(STATUS),
  }
  data.attrs |= {
    "source": str(folder),
    "checksum": content_hash([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]),
    "schema_version": SCHEMA_VERSION,
    "settings": " ".join(parts[0].points[0]),
    "planned": planned,
    "present": sum(len(part.points) for part in parts),
  }
  return data
