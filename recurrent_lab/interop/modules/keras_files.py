"""Finds the recurrent net in a `.keras` or `.weights.h5` file. Keras need not be installed.

A `.keras` file is a zip archive of `config.json`, which says how the layers follow each other, and `model.weights.h5`. The arrays
of a layer are numbered there: 0 is the kernel, 1 the recurrent kernel, 2 the bias. A `.weights.h5` file has these arrays only.
"""

import io
import json
from pathlib import Path
import re
import zipfile

import numpy as np

from recurrent_lab.interop.modules import files, trees
from recurrent_lab.interop.modules.found import Found
from recurrent_lab.interop.modules.hdf5 import Stored, read_hdf5
from recurrent_lab.interop.modules.keras_config import as_written, nodes
from recurrent_lab.interop.modules.keras_layers import FIELDS, by_config

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
LONGEST_CONFIG = 64 * 2**20  # bytes; a model of a thousand layers has about 1 MB
ASSUMED = (
  "A .weights.h5 file holds arrays alone: the default nonlinearities of Keras, concatenated directions, and nothing between the"
  " layers are assumed."
)


def find_in_archive(path: Path, wanted: trees.Wanted, limit: int) -> Found:
  """Returns what a `.keras` file holds. Raises `ValueError` in the cases of `import_model`."""
  files.check_content(path, "a zip archive")
  with files.reading(path.name, ".keras file"), zipfile.ZipFile(path) as archive:
    members = files.members(archive, path.name, limit)
    if missing := [name for name in (CONFIG, WEIGHTS) if name not in members]:
      raise files.BadFile(
        f"{path.name} is no .keras file of Keras 3 with its weights in one HDF5 file: {missing[0]} is missing."
      )
    if members[CONFIG].file_size > LONGEST_CONFIG:
      raise files.BadFile(
        f"{path.name}: {CONFIG} has {members[CONFIG].file_size} bytes; at most {LONGEST_CONFIG} are read."
      )
    config = json.loads(archive.read(CONFIG))
    stored = read_hdf5(io.BytesIO(archive.read(WEIGHTS)), f"{path.name}: {WEIGHTS}", limit)
    found = nodes(config)
  if not found:
    return _by_names(stored, wanted)
  if wanted.activation is not None:
    raise ValueError(f"activation is {wanted.activation!r}, but {path.name} says which nonlinearities it has.")
  with as_written():
    return by_config(found, stored, wanted)


def find_in_weights(path: Path, wanted: trees.Wanted, limit: int) -> Found:
  """Returns what a `.weights.h5` file holds. Raises `ValueError` in the cases of `import_model`."""
  files.check_content(path, "an HDF5 file")
  return _by_names(read_hdf5(path, path.name, limit), wanted)


def _by_names(stored: Stored, wanted: trees.Wanted) -> Found:
  """Finds layers by the paths of their arrays, where there is no configuration of layers."""
  groups: dict[str, dict[str, np.ndarray]] = {}
  for path, array in stored.arrays.items():
    if not path.startswith("optimizer/"):
      groups.setdefault(re.sub(r"/?vars/\d+$", "", path), {})[path.rpartition("/")[2]] = array
  arrays: files.Arrays = {}
  for path, group in groups.items():
    is_cell = re.search(r"(^|/)(cell|cells/[^/]+)$", path)
    is_dense = re.search(r"(^|/)(dense(_\d+)?|time_distributed(_\d+)?/layer)$", path) or _is_dense(group)
    names = dict(zip("012", FIELDS, strict=True)) if is_cell else {"0": "kernel", "1": "bias"} if is_dense else {}
    place = re.sub(r"/cell$", "", path)
    arrays |= {f"{place}/{names.get(number, number)}": array for number, array in group.items()}
  if not arrays:
    raise files.BadFile("The file holds no arrays of layers.")
  found = trees.find(arrays, wanted)
  return found._replace(notes=(*found.notes, ASSUMED))


def _is_dense(group: dict[str, np.ndarray]) -> bool:
  return group.keys() == {"0", "1"} and group["0"].ndim == 2 and group["1"].shape == group["0"].shape[1:]
