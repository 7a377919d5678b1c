"""Reads the named arrays of files that cannot run code: safetensors, npz, the msgpack files of Flax, and HDF5.

Nothing is unpickled. The first bytes of a file must be those of the format that its name claims. All sizes are checked against
the file and a limit before arrays are read, so a small hostile file cannot fill the memory.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO
import zipfile

import jax.numpy as jnp
import numpy as np

Arrays = dict[str, np.ndarray]

LARGEST = 4 * 2**30  # bytes of arrays that are read at most, unless the caller allows more
MOST_MEMBERS = 10_000  # files within a zip archive; models of torch and Keras have hundreds of arrays
HEADER = 1000  # bytes that decide the format of a file

HOW_TO_SAVE = (
  "In torch, save the arrays with safetensors.torch.save_file(module.state_dict(), 'net.safetensors')",
  "In Paddle, save the arrays with safetensors.paddle.save_file(layer.state_dict(), 'net.safetensors')",
  "Load it with eqx.tree_deserialise_leaves, and give import_model the module",
  "In Keras, load it and save it with model.save('net.keras')",
  "Save the arrays of the net by name, with numpy.savez or as safetensors",
)
_MAY_RUN_CODE = "such files are pickles, which can run code when they are read"
#: The suffixes that are refused: the reason, and what to do instead.
REFUSED: Mapping[str, tuple[str, str]] = MappingProxyType(
  {
    **dict.fromkeys((".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".th"), (_MAY_RUN_CODE, HOW_TO_SAVE[0])),
    ".joblib": (_MAY_RUN_CODE, HOW_TO_SAVE[4]),
    ".pdparams": (_MAY_RUN_CODE, HOW_TO_SAVE[1]),
    ".eqx": ("such files hold no names", HOW_TO_SAVE[2]),
    ".npy": ("such files hold one array without a name", HOW_TO_SAVE[4]),
  }
)


class BadFile(ValueError):
  """A file that cannot be imported. The message is one sentence with the reason."""


@contextmanager
def reading(name: str, what: str) -> Iterator[None]:
  """Turns the errors of the libraries that parse a file into a `BadFile` with the name of the file."""
  try:
    yield
  except (BadFile, ImportError):
    raise
  except Exception as error:  # on damaged files the libraries raise errors of many kinds
    raise BadFile(f"{name} is not a valid {what}: {_first_line(error)}") from error


def suffix_of(path: Path) -> str:
  """Returns the suffix that decides the format: `.weights.h5` as a whole, else the last one, in lower case."""
  name = path.name.lower()
  return ".weights.h5" if name.endswith(".weights.h5") else path.suffix.lower()


def content(head: bytes) -> str:
  """Tells the format of a file from its first bytes, as a noun for error messages."""
  if head.startswith(b"\x89HDF\r\n\x1a\n"):
    return "an HDF5 file"
  if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
    return "a zip archive"
  if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= 10**8:
    return "a safetensors file"
  if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
    return "a pickle"
  return "an empty file" if not head else "of another format"


def check_file(path: Path) -> None:
  """Raises `BadFile` for a folder."""
  if path.is_dir():
    raise BadFile(f"{path.name} is a folder; import_model reads single files, such as safetensors or .keras.")


def check_content(path: Path, expected: str) -> None:
  """Raises `BadFile` unless the file begins as its name says."""
  with path.open("rb") as file:
    found = content(file.read(HEADER))
  if found == "a pickle":
    raise BadFile(f"{path.name} is a pickle, which can run code when it is read. {HOW_TO_SAVE[0]}.")
  if found != expected:
    raise BadFile(f"{path.name} is {found}; its name promises {expected}.")


def check_size(name: str, size: int, limit: int) -> None:
  """Raises `BadFile` for more bytes than the limit."""
  if size > limit:
    raise BadFile(f"{name} declares {size} bytes of arrays, which is over the limit of {limit}; limit=… allows more.")


def native(array: np.ndarray) -> np.ndarray:
  """Returns the array in the byte order of this machine, which JAX needs."""
  return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def members(archive: zipfile.ZipFile, name: str, limit: int) -> dict[str, zipfile.ZipInfo]:
  """Returns the files of a zip archive by name, after checking their declared sizes."""
  infos = archive.infolist()
  if len(infos) > MOST_MEMBERS:
    raise BadFile(f"{name} has {len(infos)} files inside; at most {MOST_MEMBERS} are read.")
  if any(info.filename.endswith("data.pkl") for info in infos):
    raise BadFile(f"{name} is a checkpoint of torch, which can run code when it is read. {HOW_TO_SAVE[0]}.")
  check_size(name, sum(info.file_size for info in infos), limit)
  found = {info.filename: info for info in infos}
  if len(found) < len(infos):
    raise BadFile(f"{name} holds two files of the same name.")
  return found


def read_safetensors(path: Path, limit: int) -> Arrays:
  """Reads all arrays of a safetensors file. The library checks that they fill the file exactly."""
  from safetensors import safe_open

  check_content(path, "a safetensors file")
  check_size(path.name, path.stat().st_size, limit)
  arrays: Arrays = {}
  with reading(path.name, "safetensors file"), safe_open(path, framework="numpy") as file:
    for name in file.keys():  # noqa: SIM118 - it is no dict
      part = file.get_slice(name)
      if part.get_dtype().startswith(("F8", "F4", "F6")):
        raise BadFile(f"{path.name}: {name} is stored in {part.get_dtype()}; the lab reads floats of 16 bits or more.")
      if math.prod(size for size in part.get_shape() if size) > limit:
        raise BadFile(f"{path.name}: {name} has shape {tuple(part.get_shape())}, which is too large.")
      arrays[name] = file.get_tensor(name)
  return arrays


def read_npz(path: Path, limit: int) -> Arrays:
  """Reads all arrays of an npz file, without pickle."""
  check_content(path, "a zip archive")
  arrays: Arrays = {}
  with reading(path.name, "npz file"), zipfile.ZipFile(path) as archive:
    found = members(archive, path.name, limit)
    if other := [name for name in found if not name.endswith(".npy")]:
      raise BadFile(f"{path.name} is a zip archive, but no npz file: it holds {other[0]}.")
    for name, info in found.items():
      with archive.open(info) as member:
        _check_npy(f"{path.name}: {name}", member, info.file_size)
      with archive.open(info) as member:
        arrays[name.removesuffix(".npy")] = native(np.lib.format.read_array(member, allow_pickle=False))
  return arrays


def read_msgpack(path: Path, limit: int) -> Any:
  """Reads the tree of a file of `flax.serialization.to_bytes`. Its arrays are parts of the file, so it bounds them."""
  from flax.serialization import msgpack_restore

  with path.open("rb") as file:
    head = file.read(HEADER)
  # The first byte of a map: 0x80 to 0x8f with its size, 0xde or 0xdf. A pickle begins with 0x80 and its protocol.
  is_map = head[:1] and (0x80 < head[0] <= 0x8F or head[0] in (0xDE, 0xDF))
  if not is_map:
    check_content(path, "a msgpack file of Flax")
  check_size(path.name, path.stat().st_size, limit)
  with reading(path.name, "msgpack file of Flax"):
    return msgpack_restore(path.read_bytes())


def _check_npy(name: str, member: BinaryIO | Any, size: int) -> None:
  """Raises `BadFile` unless the header of an npy file fits the size of the file."""
  version = np.lib.format.read_magic(member)
  headers: dict[tuple[int, int], Callable[..., Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
  }
  if version not in headers:
    raise BadFile(f"{name} has version {version} of the npy format; 1.0 and 2.0 are read.")
  shape, _, dtype = headers[version](member)
  if dtype.kind == "V":
    raise BadFile(f"{name} has dtype {dtype}: npz files lose bfloat16. Save it as float32 or as safetensors.")
  if dtype.kind not in "fiub":
    raise BadFile(f"{name} has dtype {dtype}; only arrays of numbers are read.")
  if member.tell() + math.prod(shape) * dtype.itemsize != size:
    raise BadFile(f"{name} declares shape {shape} of {dtype}, which does not fit its {size} bytes.")


def is_float(array: np.ndarray) -> bool:
  """Returns True for floats of 16 bits or more, including bfloat16."""
  return jnp.issubdtype(array.dtype, jnp.floating) and array.dtype.itemsize >= 2


def _first_line(error: Exception) -> str:
  """Returns the first line of an error, as the end of a sentence."""
  lines = str(error).strip().splitlines()
  return f"{lines[0].strip().rstrip('.')}." if lines else f"{type(error).__name__}."
