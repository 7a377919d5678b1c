"""Turns the LSTM, GRU and RNN nodes of a model into cells, params, and how they are fed."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.cells import LSTMState
from recurrent_lab.interop.onnx._constants import Constants, NotConstant
from recurrent_lab.interop.onnx._files import check_model, read_model
from recurrent_lab.interop.onnx._operators import GATES, Operator, read_operator
from recurrent_lab.interop.onnx._weights import make_cell, read_weights

INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


class Feeding(NamedTuple):
  """Tells how a node of a model is fed.

  Attributes:
    operator: `LSTM`, `GRU` or `RNN`.
    direction: `forward`, or `reverse` for a cell that reads from the last step to the first.
    input: the name of the tensor that the node reads.
    output: the name of the tensor with its outputs at all steps; empty if the model does not use them.
    below: the names of the entries from which the input is computed, without other recurrent nodes between.
    batch_first: whether inputs and outputs are `[B, T, ·]`. They are `[T, B, ·]` otherwise.
    lengths: the lengths of the sequences `[B]`, or the name of the tensor that holds them at run time. None if all are T.
    state: S_0 of the cell, `[B, H]` or, if it is the same for the whole batch, `[H]`. None if it is 0.
    fed_state: the names of the tensors that hold S_0 at run time; h, then c.
    notes: where runtimes disagree about this node, and what was chosen.
  """

  operator: str
  direction: str
  input: str
  output: str
  below: tuple[str, ...]
  batch_first: bool = False
  lengths: np.ndarray | str | None = None
  state: State | None = None
  fed_state: tuple[str, ...] = ()
  notes: tuple[str, ...] = ()


class OnnxEntry(NamedTuple):
  """One direction of a recurrent node.

  Attributes:
    name: the name of the node, with `/forward` or `/reverse` if it reads in both directions.
    cell: a cell that computes the same steps.
    params: its parameters, as NumPy arrays in the precision of the file.
    fed: how it is fed.
  """

  name: str
  cell: Cell
  params: Params
  fed: Feeding


def from_onnx(model: str | os.PathLike[str] | Any, max_bytes: int = 2**31) -> list[OnnxEntry]:
  """Reads the LSTM, GRU and RNN nodes of an ONNX model, in the order of the graph.

  A node that reads in both directions gives two entries. Weights may be initializers, constants, or computed from these by
  operators on shapes. Where runtimes disagree on what a node computes, the specification and onnxruntime decide, and
  the notes of the entry say so.

  Args:
    model: the path of the file, or a `ModelProto` of the package `onnx`. Data in other files must lie beside the model.
    max_bytes: the largest file, and the largest amount of constants, to read.

  Raises:
    ValueError: for a file that is damaged, too large or not an ONNX model, and for a model without recurrent nodes. Also for a
      node that the lab cannot compute exactly, with its name and the reason.
  """
  if isinstance(model, str | os.PathLike):
    proto, folder = read_model(model, max_bytes), Path(model).parent
  else:
    from onnx import ModelProto

    if not isinstance(model, ModelProto):
      raise ValueError(f"from_onnx takes the path of a file or an onnx.ModelProto, not {type(model).__name__}.")
    check_model(model, "The model")
    proto, folder = model, None
  return entries_of(proto, Constants(proto, folder, max_bytes))


def entries_of(model: Any, constants: Constants) -> list[OnnxEntry]:
  """Returns the entries of a model that has been read. Raises `ValueError` in the cases of `from_onnx`."""
  _refuse_hidden(model)
  nodes = [node for node in model.graph.node if node.op_type in GATES and node.domain in ("", "ai.onnx")]
  if not nodes:
    others = sorted({node.op_type for node in model.graph.node})
    hint = " A layer that was exported as a Loop or unrolled is read from its weights: import_weights."
    raise ValueError(f"The model has no LSTM, GRU or RNN node; it has {', '.join(others[:12])}.{hint}")
  taken: set[str] = set()
  labels: dict[str, tuple[str, ...]] = {}  # tensor -> the entries that compute it
  entries = []
  for k, node in enumerate(nodes):
    name = node.name if node.name and node.name not in taken else f"{node.name or node.op_type}_{k}"
    taken.add(name)
    found = _entries(node, name, constants, labels)
    labels |= dict.fromkeys(filter(None, node.output), tuple(entry.name for entry in found))
    entries += found
  return entries


def _refuse_hidden(model: Any) -> None:
  """Refuses recurrent nodes inside loops, branches and functions, and those of other domains."""
  for function in model.functions:
    if any(node.op_type in GATES for node in function.node):
      raise ValueError(
        f"The function {function.name} has recurrent nodes; onnx.inliner.inline_local_functions brings them out."
      )
  todo = [(node, node) for node in model.graph.node]
  for node in model.graph.node:
    if node.domain not in ("", "ai.onnx") and node.op_type.upper().endswith(tuple(GATES)):
      raise ValueError(f"The operator {node.domain}.{node.op_type} does not belong to ONNX, so it is not read.")
  while todo:
    outer, node = todo.pop()
    for attribute in node.attribute:
      for graph in (attribute.g, *attribute.graphs):
        if any(inner.op_type in GATES for inner in graph.node):
          raise ValueError(f"The {outer.op_type} node {outer.name!r} has recurrent nodes inside, which are not read.")
        todo.extend((outer, inner) for inner in graph.node)


def _entries(node: Any, name: str, constants: Constants, labels: dict[str, tuple[str, ...]]) -> list[OnnxEntry]:
  operator = read_operator(node, name)
  if len(node.input) > len(INPUTS) or (operator.kind != "LSTM" and len(node.input) > 6):
    raise ValueError(f"{name} has {len(node.input)} inputs; {operator.kind} has {8 if operator.kind == 'LSTM' else 6}.")
  tensors = {key: tensor for key, tensor in zip(INPUTS, node.input, strict=False) if tensor}
  weights = read_weights(name, operator, tensors, constants)
  lengths = _lengths(name, tensors.get("sequence_lens"), constants)
  below = _below(tensors["X"], constants, labels)
  entries = []
  for d, direction in enumerate(operator.directions):
    cell, params = make_cell(operator, d, {key: array[d] for key, array in weights.items()})
    state, fed_state = _state(name, operator, d, tensors, constants, weights["R"])
    fed = Feeding(
      operator=operator.kind,
      direction=direction,
      input=tensors["X"],
      output=node.output[0] if node.output else "",
      below=below,
      batch_first=operator.batch_first,
      lengths=lengths,
      state=state,
      fed_state=fed_state,
      notes=operator.notes,
    )
    both = len(operator.directions) > 1
    entries.append(OnnxEntry(f"{name}/{direction}" if both else name, cell, params, fed))
  return entries


def _lengths(name: str, tensor: str | None, constants: Constants) -> np.ndarray | str | None:
  if tensor is None:
    return None
  try:
    lengths = constants.value(tensor)
  except NotConstant:
    return tensor
  if lengths.ndim != 1 or not np.issubdtype(lengths.dtype, np.integer) or np.any(lengths < 0):
    raise ValueError(f"{name}: sequence_lens is not a vector of lengths from 0 on.")
  return lengths


def _state(
  name: str, operator: Operator, d: int, tensors: dict[str, str], constants: Constants, recurrent: np.ndarray
) -> tuple[State | None, tuple[str, ...]]:
  """Returns S_0 of one direction, None for 0, and the names of tensors that hold it at run time."""
  parts = ("initial_h", "initial_c") if operator.kind == "LSTM" else ("initial_h",)
  (directions, _, hidden), batch_axis = recurrent.shape, 0 if operator.batch_first else 1
  found: list[Any] = []
  fed = []
  for part in parts:
    if part not in tensors:
      found.append(np.zeros(hidden, recurrent.dtype))
      continue
    try:
      array = constants.broadcast(tensors[part], batch_axis)
    except NotConstant:
      fed.append(tensors[part])
      continue
    array = array.reshape(1, 1, 1) if array.size == 1 else array
    array = array.swapaxes(0, 1) if operator.batch_first and array.ndim == 3 else array  # [D, B, H]
    if array.ndim != 3 or array.shape[0] not in (1, directions) or array.shape[2] not in (1, hidden) or not array.size:
      raise ValueError(f"{name}: {part} has shape {array.shape}; it must be [directions, batch, {hidden}].")
    if array.dtype != recurrent.dtype:
      raise ValueError(f"{name}: {part} has dtype {array.dtype}; the weights have {recurrent.dtype}.")
    own = np.broadcast_to(array, (directions, array.shape[1], hidden))[d]
    found.append(np.array(own[0] if len(own) == 1 else own))
  if fed:
    return None, tuple(tensors.get(part, "") for part in parts)
  if all(np.all(array == 0) for array in found):
    return None, ()
  found = [np.broadcast_to(array, np.broadcast_shapes(*(one.shape for one in found))) for array in found]
  return (LSTMState(*found) if operator.kind == "LSTM" else found[0]), ()


def _below(tensor: str, constants: Constants, labels: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
  """Returns the entries from which a tensor is computed, in the order of the graph."""
  todo, met, found = [tensor], set[str](), list[str]()
  while todo:
    now = todo.pop()
    if now in met:
      continue
    met.add(now)
    if now in labels:
      found.extend(labels[now])
    elif now in constants.producers:
      todo.extend(constants.producers[now].input)
  return tuple(dict.fromkeys(name for names in labels.values() for name in names if name in found))
