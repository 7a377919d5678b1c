"""Reads the bytes of an ONNX model: bounded before anything is read, and checked before anything is used."""

from collections.abc import Iterator
import math
import os
from pathlib import Path
import stat
from typing import Any

import numpy as np

OPSET = 7  # the oldest operator set whose recurrent operators are those of today

# The types of numbers that a tensor may hold.
NUMBERS = (
  "FLOAT",
  "DOUBLE",
  "FLOAT16",
  "BFLOAT16",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "BOOL",
)
# How the files of other formats begin. Those of safetensors begin with the length of their header, which is not fixed.
OTHERS = {
  b"\x89HDF": "an HDF5 file (.h5, .weights.h5)",
  b"PK\x03\x04": "a zip archive (.pt, .keras, .npz)",
  b"\x80\x02": "a pickle",
  b"\x80\x04": "a pickle",
  b"\x93NUMPY": "a NumPy array (.npy)",
  b"ORTM": "an .ort file, which onnxruntime alone reads",
  b"{": "text in JSON",
  b"<": "text in XML",
}


def read_model(path: str | os.PathLike[str], max_bytes: int) -> Any:
  """Returns the `onnx.ModelProto` of a file. External data are not read.

  Raises:
    ValueError: for a path other than a plain file, a file that is too large, and bytes that are not an ONNX model of opset 7 or
      newer.
  """
  name = Path(path).name
  status = os.stat(path)
  if not stat.S_ISREG(status.st_mode):
    raise ValueError(f"{name} is not a plain file; give the path of an .onnx file.")
  if status.st_size > max_bytes:
    raise ValueError(f"{name} has {status.st_size} bytes, more than max_bytes = {max_bytes}.")
  with open(path, "rb") as file:
    content = file.read(max_bytes + 1)
  for start, kind in OTHERS.items():
    if content.startswith(start):
      raise ValueError(f"{name} is not an ONNX model; it begins like {kind}.")
  if content[8:10] == b'{"' and int.from_bytes(content[:8], "little") < len(content):
    raise ValueError(f"{name} is not an ONNX model; it begins like a safetensors file.")
  return parse_model(content, name)


def parse_model(content: bytes, name: str) -> Any:
  """Returns the checked `onnx.ModelProto` that some bytes hold. Raises `ValueError` for those that hold none."""
  from google.protobuf.message import DecodeError
  from onnx import ModelProto

  model = ModelProto()
  try:
    model.ParseFromString(content)
  except DecodeError as error:
    raise ValueError(f"{name} is cut off or is not an ONNX model: its bytes are not a protobuf message.") from error
  check_model(model, name)
  return model


def check_model(model: Any, name: str) -> None:
  """Raises `ValueError` unless the message has a graph with operators of opset 7 or newer."""
  if model.ir_version < 1 or not model.graph.node or not model.opset_import:
    raise ValueError(f"{name} is cut off or is not an ONNX model: it lacks a version, operators or an operator set.")
  if any(isinstance(text, bytes) or not text.isprintable() for text in _texts(model)):
    raise ValueError(f"{name} is damaged: one of its names is not printable text in UTF-8.")
  if opset(model) < OPSET:
    raise ValueError(f"{name} has operator set {opset(model)}; recurrent operators are read from {OPSET} on.")


def _texts(model: Any) -> Iterator[str | bytes]:
  """Yields the names in a model. Protobuf gives those that are not UTF-8 as bytes."""
  for node in (*model.graph.node, *(node for function in model.functions for node in function.node)):
    yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
    yield from (attribute.name for attribute in node.attribute)
  yield from (tensor.name for tensor in model.graph.initializer)
  yield from (one.name for one in model.functions)
  yield from (one.domain for one in model.opset_import)


def opset(model: Any) -> int:
  """Returns the version of the default operator set, 0 if the model has none."""
  return max((int(one.version) for one in model.opset_import if one.domain in ("", "ai.onnx")), default=0)


def read_tensor(proto: Any, folder: Path | None, max_bytes: int) -> np.ndarray:
  """Returns the array of a `TensorProto`, whose shape, type and amount of data must agree.

  Args:
    proto: the message.
    folder: the folder with external data; None if there can be none.
    max_bytes: the largest array to read from external data.

  Raises:
    ValueError: for a message that does not hold an array of numbers.
  """
  from onnx import TensorProto, helper, numpy_helper

  name = proto.name or "without a name"
  if proto.data_type not in TensorProto.DataType.values() or TensorProto.DataType.Name(proto.data_type) not in NUMBERS:
    raise ValueError(f"The tensor {name} has the type {proto.data_type}; those read are {', '.join(NUMBERS)}.")
  kind = np.dtype(helper.tensor_dtype_to_np_dtype(proto.data_type))
  if any(size < 0 for size in proto.dims):
    raise ValueError(f"The tensor {name} has the impossible shape {tuple(proto.dims)}.")
  count = math.prod(proto.dims)
  if proto.data_location == TensorProto.EXTERNAL:
    return _external(proto, folder, kind, count, max_bytes).reshape(tuple(proto.dims))
  if proto.HasField("segment"):
    raise ValueError(f"The tensor {name} is a segment of another one, which is not read.")
  held = len(proto.raw_data) / kind.itemsize if proto.HasField("raw_data") else _typed_count(proto)
  if held != count:
    raise ValueError(f"The tensor {name} of shape {tuple(proto.dims)} needs {count} numbers; the file has {held:g}.")
  try:
    return np.asarray(numpy_helper.to_array(proto))
  except (TypeError, ValueError) as error:
    raise ValueError(f"The tensor {name} holds numbers of another type than {kind.name}.") from error


def _typed_count(proto: Any) -> int:
  """Returns how many numbers the fields of typed data hold."""
  return sum(
    len(field) for field in (proto.float_data, proto.double_data, proto.int32_data, proto.int64_data, proto.uint64_data)
  )


def _external(proto: Any, folder: Path | None, kind: np.dtype, count: int, max_bytes: int) -> np.ndarray:
  """Reads an array that lies in a file beside the model. Links and other folders are refused."""
  entries = {entry.key: entry.value for entry in proto.external_data}
  location = entries.get("location", "")
  if not all(isinstance(value, str) for value in entries.values()):
    raise ValueError(f"The tensor {proto.name} lies in a file whose name is not text in UTF-8.")
  if folder is None:
    raise ValueError(
      f"The tensor {proto.name} lies in the file {location!r}; give the path of the model instead of the model."
    )
  file = folder / location
  if (
    not location
    or Path(location).name != location
    or location in (".", "..")
    or file.is_symlink()
    or not file.is_file()
  ):
    raise ValueError(f"The tensor {proto.name} lies in {location!r}; only a plain file beside the model is read.")
  try:
    offset, length = int(entries.get("offset", "0")), int(entries.get("length", str(count * kind.itemsize)))
  except ValueError as error:
    raise ValueError(f"The tensor {proto.name} has an offset or a length that is not a number.") from error
  if length != count * kind.itemsize or length > max_bytes or offset < 0 or offset + length > file.stat().st_size:
    raise ValueError(
      f"The tensor {proto.name} of shape {tuple(proto.dims)} needs {count * kind.itemsize} bytes from {offset} on;"
      f" {location} has {file.stat().st_size}, and max_bytes is {max_bytes}."
    )
  with open(file, "rb") as data:
    data.seek(offset)
    return np.frombuffer(data.read(length), kind.newbyteorder("<") if kind.kind != "V" else kind).astype(kind)
