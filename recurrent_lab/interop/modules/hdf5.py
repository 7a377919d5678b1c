"""Reads the arrays of an HDF5 file that Keras wrote, and nothing else that such files may hold.

Links out of the file, links that go round in circles, arrays that are stored elsewhere and arrays of anything but numbers are
refused. Declared sizes are checked before an array is read.
"""

from collections.abc import Iterator
import math
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import jax.numpy as jnp
import numpy as np

from recurrent_lab.interop.modules.files import Arrays, BadFile, check_size, native, reading

DEEPEST = 40  # levels of groups; a model of Keras within a model within a model has about 12
MOST_OBJECTS = 100_000
EXPANSION = 1000  # a compressed array may be this many times larger than its bytes in the file


class Stored(NamedTuple):
  """The content of an HDF5 file.

  Attributes:
    arrays: all arrays by their path, such as `layers/lstm/cell/vars/0`.
    names: the attribute `name` of groups, by path: Keras' name of a layer at `layers/lstm/vars`.
  """

  arrays: Arrays
  names: dict[str, str]


def read_hdf5(source: Path | BinaryIO, name: str, limit: int) -> Stored:
  """Reads all arrays of an HDF5 file.

  Args:
    source: the file.
    name: its name, for error messages.
    limit: the largest number of bytes of all arrays together.

  Raises:
    BadFile: in the cases of the module's docstring, or if `h5py` cannot read the file.
    ModuleNotFoundError: without `h5py`.
  """
  import h5py

  stored, total = Stored({}, {}), 0
  with reading(name, "HDF5 file"), h5py.File(source, "r") as file:
    for path, item in _walk(file, name):
      if isinstance(item, h5py.Group):
        if (label := _text(item, "name")) is not None:
          stored.names[path] = label
        continue
      total += _check(f"{name}: {path}", item)
      check_size(name, total, limit)
      array = np.asarray(item[()])
      is_bfloat16 = array.dtype.kind == "V"  # the only void type that passes the check
      stored.arrays[path] = array.view(jnp.bfloat16) if is_bfloat16 else native(array)
  return stored


def _walk(file: Any, name: str) -> Iterator[tuple[str, Any]]:
  """Yields all groups and arrays with their paths."""
  import h5py

  todo, count = [("", file)], 0
  addresses = {h5py.h5o.get_info(file.id).addr}
  while todo:
    path, group = todo.pop()
    if path.count("/") >= DEEPEST:
      raise BadFile(f"{name} has groups within groups over {DEEPEST} levels.")
    for key in group:
      count += 1
      inner = f"{path}/{key}".lstrip("/")
      if count > MOST_OBJECTS:
        raise BadFile(f"{name} has more than {MOST_OBJECTS} groups and arrays.")
      if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        raise BadFile(f"{name}: {inner} is a link to another place; such files are not read.")
      item = group[key]
      if isinstance(item, h5py.Group):
        address = h5py.h5o.get_info(item.id).addr
        if address in addresses:
          raise BadFile(f"{name}: {inner} is a group that stands at two places.")
        addresses.add(address)
        todo.append((inner, item))
        yield inner, item
      elif isinstance(item, h5py.Dataset):
        yield inner, item


def _check(name: str, item: Any) -> int:
  """Returns the size of an array in bytes. Raises `BadFile` unless it is one of numbers that lie in this file."""
  if item.external or item.is_virtual:
    raise BadFile(f"{name} is stored in another file.")
  if item.shape is None:
    raise BadFile(f"{name} is empty.")
  is_bfloat16 = item.dtype == np.dtype("V2") and _text(item, "dtype") == "bfloat16"
  if item.dtype.kind not in "fiub" and not is_bfloat16:
    raise BadFile(f"{name} has dtype {item.dtype}; only arrays of numbers are read.")
  size, stored = math.prod(item.shape) * item.dtype.itemsize, item.id.get_storage_size()
  if size > stored * (1 if item.chunks is None else EXPANSION):
    raise BadFile(f"{name} declares shape {item.shape} of {item.dtype}, but the file holds {stored} bytes of it.")
  return size


def _text(item: Any, key: str) -> str | None:
  """Returns an attribute that is one text, or None."""
  import h5py

  if key not in item.attrs:
    return None
  attribute = item.attrs.get_id(key)
  if attribute.shape != () or h5py.check_string_dtype(attribute.dtype) is None:
    return None
  value = item.attrs[key]
  return value if isinstance(value, str) else None
