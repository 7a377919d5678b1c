"""The constants of a graph: initializers, Constant nodes, and what exporters compute from them by operators on shapes."""

from collections.abc import Callable, Mapping
import math
from pathlib import Path
from typing import Any

import numpy as np

from recurrent_lab.interop.onnx._files import opset, read_tensor


class NotConstant(Exception):
  """A tensor depends on what is fed at run time. The message says on what."""


def _first(arrays: list[np.ndarray], _: Any) -> int:
  return arrays[0].size


def _all(arrays: list[np.ndarray], _: Any) -> int:
  return sum(array.size for array in arrays)


def _broadcast(arrays: list[np.ndarray], _: Any) -> int:
  return math.prod(np.broadcast_shapes(*(array.shape for array in arrays)))


def _filled(arrays: list[np.ndarray], _: Any) -> int:
  return math.prod(max(int(size), 1) for size in arrays[-1].ravel()) * max(array.size for array in arrays)


def _gathered(arrays: list[np.ndarray], node: Any) -> int:
  axis = next((int(a.i) for a in node.attribute if a.name == "axis"), 0)
  return arrays[0].size // max(arrays[0].shape[axis], 1) * arrays[1].size


#: Operators that are computed, and a bound on the size of their results, so that nothing large is made of a small file.
FOLDED: Mapping[str, Callable[[list[np.ndarray], Any], int]] = {
  **dict.fromkeys(
    ["Identity", "Cast", "Squeeze", "Unsqueeze", "Transpose", "Reshape", "Flatten", "Slice", "Split"], _first
  ),
  **dict.fromkeys(["Neg", "DequantizeLinear"], _first),
  "Shape": lambda arrays, _: arrays[0].ndim,
  "Concat": _all,
  **dict.fromkeys(["Add", "Sub", "Mul", "Div"], _broadcast),
  **dict.fromkeys(["Expand", "ConstantOfShape"], _filled),
  "Gather": _gathered,
}
# Operators that keep the value of an array whose entries are all equal, whatever they do to its shape.
KEEPING = ("Identity", "Squeeze", "Unsqueeze", "Transpose", "Reshape", "Flatten", "Slice", "Expand", "Tile", "Gather")
TENSORS = {"value_float": "f", "value_int": "i", "value_floats": "floats", "value_ints": "ints"}


class Constants:
  """Looks up the constants of a graph by name, and computes each only once."""

  def __init__(self, model: Any, folder: Path | None, max_bytes: int) -> None:
    self._initializers = {proto.name: proto for proto in model.graph.initializer}
    self._sparse = {proto.values.name for proto in model.graph.sparse_initializer}
    self.producers = {name: node for node in model.graph.node for name in node.output if name}
    self._folder, self._left, self._opset = folder, max_bytes, opset(model)
    self._max_bytes = max_bytes
    self._found: dict[str, np.ndarray | NotConstant] = {}

  def value(self, name: str) -> np.ndarray:
    """Returns the array of that name.

    Raises:
      NotConstant: if it depends on an input of the model, or on an operator that is not folded.
      ValueError: if the file is damaged, or if the constants take more than `max_bytes`.
    """
    todo, waiting = [name], set[str]()
    while todo:
      now = todo[-1]
      missing = [] if now in self._found else [one for one in self._needs(now) if one not in self._found]
      if missing and waiting.intersection(missing):
        raise ValueError(f"The tensor {now} depends on itself.")
      if missing:
        waiting.add(now)
        todo.extend(missing)
        continue
      todo.pop()
      waiting.discard(now)
      if now not in self._found:
        self._found[now] = self._made(now)
    found = self._found[name]
    if isinstance(found, NotConstant):
      raise found
    return found

  def broadcast(self, name: str, batch_axis: int) -> np.ndarray:
    """Returns a constant, of size 1 on the batch axis if it is repeated for a batch whose size is known only at run time.

    Raises:
      NotConstant: if the array is not the same for every size of the batch.
    """
    repeated, moved = False, False
    for _ in range(len(self.producers) + 1):
      try:
        found = self.value(name)
        break
      except NotConstant:
        node = self.producers.get(name)
        if node is not None and node.op_type == "ConstantOfShape":
          found, repeated = self._fill(node), True
          break
        if node is None or node.op_type not in KEEPING or not node.input:
          raise
        repeated, moved = True, moved or node.op_type not in ("Expand", "Tile")
        name = node.input[0]
    else:
      raise NotConstant(f"{name} depends on itself")
    if repeated and found.size and np.all(found == found.flat[0]):
      return found.ravel()[:1]
    if repeated and (moved or found.ndim != 3 or found.shape[batch_axis] != 1):
      raise NotConstant(f"{name} depends on the size of the batch")
    return found

  def _needs(self, name: str) -> list[str]:
    node = self.producers.get(name)
    if name in self._initializers or node is None or node.op_type not in FOLDED or node.domain not in ("", "ai.onnx"):
      return []
    return [one for one in node.input if one]

  def _made(self, name: str) -> np.ndarray | NotConstant:
    """Returns a constant whose inputs have been found."""
    if name in self._initializers:
      return read_tensor(self._initializers[name], self._folder, self._max_bytes)
    if name in self._sparse:
      raise ValueError(f"The tensor {name} is sparse, which is not read.")
    node = self.producers.get(name)
    if node is None:
      return NotConstant(f"{name} is fed at run time")
    if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
      return self._constant(node)
    if node.op_type not in FOLDED or node.domain not in ("", "ai.onnx"):
      return NotConstant(f"{name} is computed by {node.op_type} at run time")
    inputs = [self._found[one] for one in node.input if one]
    for one in inputs:
      if isinstance(one, NotConstant):
        return one
    return self._computed(node, name, [one for one in inputs if not isinstance(one, NotConstant)])

  def _constant(self, node: Any) -> np.ndarray | NotConstant:
    for attribute in node.attribute:
      if attribute.name == "value":
        return read_tensor(attribute.t, self._folder, self._max_bytes)
      if attribute.name in TENSORS:
        kind = np.int64 if "int" in attribute.name else np.float32
        return np.asarray(getattr(attribute, TENSORS[attribute.name]), kind)
    return NotConstant(f"{node.output[0]} is a constant without numbers")

  def _fill(self, node: Any) -> np.ndarray:
    value = next((a.t for a in node.attribute if a.name == "value"), None)
    array = np.zeros(1, np.float32) if value is None else read_tensor(value, self._folder, self._max_bytes)
    if array.size != 1:
      raise ValueError(f"{node.output[0]} is filled with {array.size} numbers; ConstantOfShape takes one.")
    return array.reshape(1)

  def _computed(self, node: Any, name: str, inputs: list[np.ndarray]) -> np.ndarray:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    try:
      size = FOLDED[node.op_type](inputs, node) * 8
    except (IndexError, ValueError, OverflowError) as error:
      raise ValueError(
        f"The constant {name} cannot be computed: the inputs of its {node.op_type} do not fit."
      ) from error
    self._left -= size
    if self._left < 0:
      raise ValueError(f"The constants of the model take more than max_bytes = {self._max_bytes}.")
    given = [one for one in node.input if one]
    try:
      evaluator = ReferenceEvaluator(
        helper.make_model(
          helper.make_graph(
            [node],
            "constant",
            [helper.make_empty_tensor_value_info(one) for one in dict.fromkeys(given)],
            [helper.make_empty_tensor_value_info(name)],
          ),
          opset_imports=[helper.make_opsetid("", self._opset)],
        )
      )
      (found,) = evaluator.run([name], dict(zip(given, inputs, strict=True)))
    except Exception as error:  # the evaluator raises whatever NumPy or its own checks raise
      raise ValueError(f"The constant {name} cannot be computed: {node.op_type} fails on its inputs.") from error
    return np.asarray(found)
