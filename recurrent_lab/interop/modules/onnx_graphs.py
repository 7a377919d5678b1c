"""Puts the recurrent nodes of an ONNX model together as a net, by following its graph from node to node.

`from_onnx` reads each node by itself. Here a node is stacked on another only if nothing but operators on shapes stands between
them, so that it reads exactly the outputs of the node below.
"""

from collections.abc import Sequence
import itertools
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from recurrent_lab.combinators import LearnedStateParams, learned_state
from recurrent_lab.interop.modules.files import BadFile
from recurrent_lab.interop.modules.found import Found, Layer, Pair, Readout, made
from recurrent_lab.interop.modules.trees import Wanted
from recurrent_lab.interop.onnx._constants import Constants, NotConstant
from recurrent_lab.interop.onnx._entries import OnnxEntry, entries_of
from recurrent_lab.interop.onnx._files import read_model
from recurrent_lab.interop.onnx._operators import GATES
from recurrent_lab.readouts import ReadoutParams

# Operators that move the numbers of a tensor, or that matter in training alone.
MOVES = {"Dropout", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
# Operators that compute shapes and constants, which are not worth a line of their own.
SHAPES = {"Cast", "Concat", "Constant", "ConstantOfShape", "Expand", "Mul", "Shape", "Slice", "Gather"}
STEPS = {"Gather", "Slice"}  # on the way to a readout, they take single steps


class Head(NamedTuple):
  """A dense layer that reads the outputs of the highest recurrent node."""

  readout: Readout
  nodes: tuple[str, ...]  # the first outputs of the nodes that make it up
  note: str  # a sentence on what it reads, if that is not every step


def find_in_onnx(path: Path, wanted: Wanted, limit: int) -> Found:
  """Returns what an ONNX model holds. Raises `ValueError` in the cases of `import_model` and of `from_onnx`."""
  if wanted.activation is not None:
    raise ValueError(f"activation is {wanted.activation!r}, but {path.name} says which nonlinearities it has.")
  model = read_model(path, limit)
  constants = Constants(model, path.parent, limit)
  entries: dict[str, list[OnnxEntry]] = {}
  for entry in entries_of(model, constants):
    entries.setdefault(_node_name(entry), []).append(entry)
  own = [node for node in model.graph.node if node.op_type in GATES and node.domain in ("", "ai.onnx")]
  node_of = dict(zip(entries, own, strict=True))
  chain = _chosen(list(entries), wanted.layers)
  for below, above in itertools.pairwise(chain):
    _check_way(entries[below], entries[above], node_of[below], constants)
  layers = _one_sense([_layer(entries[name]) for name in chain])
  heads = _heads(model, node_of[chain[-1]], constants, layers[-1].output_size)
  head, note = _choose(heads, wanted.readout)
  used = {node.output[0] for node in own} | set(head.nodes if head else ())
  minor = (*MOVES, *SHAPES)
  others = dict.fromkeys(n.op_type for n in model.graph.node if n.op_type not in minor and n.output[0] not in used)
  left_out = (*(name for name in entries if name not in chain), *others)
  notes = (*filter(None, (note, head.note if head else "")), *_said([one for name in chain for one in entries[name]]))
  return Found(layers, head.readout if head else None, left_out, notes)


def _node_name(entry: OnnxEntry) -> str:
  return entry.name.removesuffix(f"/{entry.fed.direction}")


def _chosen(names: list[str], wanted: Sequence[str | tuple[str, str]] | None) -> list[str]:
  if wanted is None:
    return names
  if unknown := [name for name in wanted if not isinstance(name, str) or name not in names]:
    raise ValueError(f"layers names {unknown[0]!r}; the recurrent nodes are {', '.join(names)}.")
  if not wanted or len(set(wanted)) < len(wanted):
    raise ValueError("layers must name every recurrent node once, and at least one.")
  return [str(name) for name in wanted]


def _check_way(below: list[OnnxEntry], above: list[OnnxEntry], node: Any, constants: Constants) -> None:
  """Raises `BadFile` unless a node reads the outputs of the one below, without operators that change numbers between."""
  lower, upper = _node_name(below[0]), _node_name(above[0])
  if above[0].fed.below != tuple(entry.name for entry in below):
    raise BadFile(
      f"{upper} does not read {lower} alone, so they are not a stack; choose some with layers=[...], or use from_onnx."
    )
  tensor = above[0].fed.input
  for _ in range(len(constants.producers)):
    producer = constants.producers[tensor]
    if producer.output[0] == node.output[0]:
      return
    if producer.op_type not in MOVES:
      raise BadFile(f"A {producer.op_type} operator stands between {lower} and {upper}, which a stack cannot hold.")
    tensor = producer.input[0]


def _layer(entries: list[OnnxEntry]) -> Layer | Pair:
  """Returns the layer of a node, or the pair of its directions."""
  found = [_one_way(entry) for entry in entries]
  return Pair(found[0], found[1]) if len(found) == 2 else found[0]


def _one_sense(layers: list[Layer | Pair]) -> tuple[Layer | Pair, ...]:
  """Returns the layers, with only the first one backwards if all of them are: the net is then a stack on reversed inputs.

  ONNX turns the outputs of a reverse node round, so that they stand at the steps of their inputs.
  """
  backwards = [isinstance(layer, Layer) and layer.backwards for layer in layers]
  if any(backwards) and not all(backwards):
    name = layers[backwards.index(True)].name
    raise BadFile(
      f"{name} reads in reverse and other nodes do not, so they are not a stack; use from_onnx and run_entry."
    )
  return tuple(
    layer._replace(backwards=not i) if isinstance(layer, Layer) and backwards[0] else layer
    for i, layer in enumerate(layers)
  )


def _one_way(entry: OnnxEntry) -> Layer:
  """Returns one direction of a node. An initial state that is the same for the whole batch becomes a part of the params."""
  fed = entry.fed
  layer = made(entry.name, f"onnx.{fed.operator}", entry.cell, entry.params, fed.direction == "reverse")
  if fed.state is None:
    return layer
  if any(np.ndim(array) > 1 for array in jax.tree.leaves(fed.state)):
    raise BadFile(f"{entry.name} has an initial state for every member of a batch; from_onnx and run_entry take it.")
  return layer._replace(cell=learned_state(layer.cell), params=LearnedStateParams(layer.params, fed.state))


def _heads(model: Any, node: Any, constants: Constants, width: int) -> dict[str, Head]:
  """Returns the dense layers that read the outputs of a recurrent node, by the name of their node."""
  readers: dict[str, list[Any]] = {}
  for one in model.graph.node:
    for tensor in dict.fromkeys(one.input):
      readers.setdefault(tensor, []).append(one)
  last = "In the file, the readout reads the state after the last step alone."
  some = "In the file, the readout reads single steps alone."
  todo = [(tensor, last if i else "") for i, tensor in enumerate(node.output[:2]) if tensor]
  heads, met = {}, set[str]()
  while todo:
    tensor, note = todo.pop()
    if tensor in met:
      continue
    met.add(tensor)
    for reader in readers.get(tensor, []):
      if reader.op_type in (*MOVES, *STEPS) and reader.input[0] == tensor:
        todo.append((reader.output[0], note or (some if reader.op_type in STEPS else "")))
        continue
      head = _dense(reader, tensor, readers, constants, note)
      if head is not None and len(head.readout.params.kernel) == width:
        heads[head.readout.name] = head
  return heads


def _dense(node: Any, tensor: str, readers: dict[str, list[Any]], constants: Constants, note: str) -> Head | None:
  """Returns the dense layer that a MatMul or Gemm begins, with the Add and the Softmax after it; None for another node."""
  if node.op_type not in ("MatMul", "Gemm") or node.input[0] != tensor:
    return None
  options = {a.name: a.f if a.name in ("alpha", "beta") else a.i for a in node.attribute}
  kernel = _constant(node.input[1], constants)
  if kernel is None or kernel.ndim != 2 or options.get("transA", 0):
    return None
  kernel = kernel.T if options.get("transB", 0) else kernel
  kernel = kernel * kernel.dtype.type(options.get("alpha", 1.0))
  bias, end, parts = np.zeros_like(kernel[0]), node.output[0], [node.output[0]]
  if len(node.input) > 2 and (given := _constant(node.input[2], constants)) is not None:
    bias = given * kernel.dtype.type(options.get("beta", 1.0))
  elif len(node.input) > 2:
    return None
  after = readers.get(end, [])
  if len(after) == 1 and after[0].op_type == "Add":
    other = [one for one in after[0].input if one != end]
    given = _constant(other[0], constants) if len(other) == 1 else None
    if given is not None and given.shape == bias.shape:
      bias, end = bias + given, after[0].output[0]
      parts.append(end)
      after = readers.get(end, [])
  activation = "identity"
  if (
    len(after) == 1 and after[0].op_type == "Softmax" and all(a.i == -1 for a in after[0].attribute if a.name == "axis")
  ):
    activation = "softmax"
    parts.append(after[0].output[0])
  if bias.shape != kernel.shape[1:]:
    return None
  name = node.name or node.output[0]
  return Head(Readout(name, ReadoutParams(kernel, bias), activation), tuple(parts), note)


def _constant(tensor: str, constants: Constants) -> Any:
  """Returns a constant, or None for a tensor that depends on what is fed at run time."""
  try:
    return constants.value(tensor)
  except NotConstant:
    return None


def _choose(heads: dict[str, Head], wanted: str | bool) -> tuple[Head | None, str]:
  if isinstance(wanted, str):
    if wanted not in heads:
      raise ValueError(f"readout is {wanted!r}; the dense layers on top are {', '.join(heads) or 'none'}.")
    return heads[wanted], ""
  if not wanted or not heads:
    return None, ""
  if len(heads) > 1:
    choices = " or ".join(f"readout={name!r}" for name in heads)
    return None, f"No readout is taken, because {len(heads)} dense layers read the net; choose {choices}."
  return next(iter(heads.values())), ""


def _said(entries: Sequence[OnnxEntry]) -> list[str]:
  """Returns sentences on how the nodes are fed, beside the outputs of the nodes below."""
  said = list(dict.fromkeys(note for entry in entries for note in entry.fed.notes))
  if fed := [entry.name for entry in entries if entry.fed.fed_state]:
    said.append(
      f"In the file, the initial state of {', '.join(fed)} is an input; here it is 0 unless a state is given."
    )
  if any(entry.fed.lengths is not None for entry in entries):
    said.append("In the file, sequences have lengths; sequence.masked_unroll takes a mask for them.")
  return said
