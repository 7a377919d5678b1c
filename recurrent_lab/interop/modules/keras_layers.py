"""Makes layers of the configuration and the arrays of a Keras model, by following the model from layer to layer."""

from collections.abc import Mapping, Sequence
from typing import Any

from recurrent_lab.cell import Cell
from recurrent_lab.cells import gru, lstm, rnn
from recurrent_lab.interop.modules import torch_states, trees
from recurrent_lab.interop.modules.files import BadFile
from recurrent_lab.interop.modules.found import MERGES, Found, Layer, Pair, made
from recurrent_lab.interop.modules.hdf5 import Stored
from recurrent_lab.interop.modules.keras_config import CELLS, Node, activation, class_of, matters, policy, snake
from recurrent_lab.interop.modules.keras_dense import dense, top_of
from recurrent_lab.interop.weights import import_weights
from recurrent_lab.readouts import WithReadoutParams, with_readout

FIELDS = ("kernel", "recurrent_kernel", "bias")  # the arrays of a cell in their order
BLOCKS = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def by_config(found: Sequence[Node], stored: Stored, wanted: trees.Wanted) -> Found:
  """Returns the recurrent layers of a model and its readout.

  Args:
    found: the layers of the model.
    stored: its arrays.
    wanted: the choices of the caller.

  Raises:
    ValueError: if the layers are not a chain, if arrays are missing or do not fit, or for what the lab does not have.
  """
  by_name = {node.name: node for node in found}
  chain = _recurrent_nodes(found, stored, wanted)
  layers: list[Layer | Pair] = []
  used = {node.name for node in chain}
  for i, node in enumerate(chain):
    if len(node.parents) > 1:
      raise BadFile(f"{node.name} takes {len(node.parents)} inputs, such as an initial state; a stack takes one.")
    if i:
      inner = [one for one in _way(by_name, chain[i - 1], node) if matters(one)]
      layers[-1] = _with_dense(layers[-1], inner, node, stored)
      used |= {one.name for one in inner}
    layers += _layers(node, stored)
  top = top_of(found, chain[-1], stored, wanted.readout)
  notes = [top.note] if top and top.note else []
  used |= {top.readout.name} if top else set()
  if top and len(top.readout.params.kernel) != layers[-1].output_size:
    raise BadFile(
      f"{top.readout.name} takes {len(top.readout.params.kernel)} numbers; {layers[-1].name} puts out another number."
    )
  left_out = tuple(f"{node.name} ({node.kind})" for node in found if matters(node) and node.name not in used)
  return Found(tuple(layers), top.readout if top else None, left_out, (*notes, *_said(found, chain)))


def _recurrent_nodes(found: Sequence[Node], stored: Stored, wanted: trees.Wanted) -> list[Node]:
  """Returns the recurrent layers from the lowest to the highest."""
  recurrent = {node.name: node for node in found if node.kind in (*CELLS, "Bidirectional", "RNN")}
  if wanted.layers is not None:
    if unknown := [name for name in wanted.layers if not isinstance(name, str) or name not in recurrent]:
      raise ValueError(f"layers names {unknown[0]!r}; the recurrent layers are {', '.join(recurrent) or 'none'}.")
    if not wanted.layers:
      raise ValueError("layers must name at least one layer.")
    return [recurrent[str(name)] for name in wanted.layers]
  for node in found:
    if node.name not in recurrent and any(
      path.startswith(f"{node.path}/") and "/cell/" in path for path in stored.arrays
    ):
      raise BadFile(
        f"{node.name} ({node.kind}) has recurrent cells inside, which import_model does not follow there;"
        " save that part as a model of its own."
      )
  if not recurrent:
    raise BadFile(f"No recurrent layer is found among {', '.join(f'{node.name} ({node.kind})' for node in found)}.")
  return list(recurrent.values())


def _way(by_name: Mapping[str, Node], below: Node, above: Node) -> list[Node]:
  """Returns the layers between two recurrent ones, from the lower to the higher."""
  way: list[Node] = []
  node = above
  while len(node.parents) == 1 and node.parents[0] in by_name and len(way) <= len(by_name):
    node = by_name[node.parents[0]]
    if node.name == below.name:
      return way[::-1]
    way.append(node)
  raise BadFile(
    f"{below.name} and {above.name} are not in one chain of layers; choose some with layers=[...], the lowest first."
  )


def _with_dense(layer: Layer | Pair, inner: Sequence[Node], above: Node, stored: Stored) -> Layer | Pair:
  """Returns a layer under the dense layer that stands between it and the next one, if there is one."""
  if not inner:
    return layer
  top = dense(inner[0], stored) if len(inner) == 1 else None
  if top is None or top.note or not isinstance(layer, Layer):
    listed = ", ".join(f"{node.name} ({node.kind})" for node in inner)
    raise BadFile(f"{listed} stands between {layer.name} and {above.name}, which a stack of such layers cannot hold.")
  params, size = top.readout.params, top.readout.params.kernel.shape[1]
  if len(params.kernel) != layer.output_size:
    raise BadFile(
      f"{top.readout.name} takes {len(params.kernel)} numbers, but {layer.name} puts out {layer.output_size}."
    )
  return layer._replace(
    kind=f"{layer.kind} under {top.readout.name}",
    cell=with_readout(layer.cell, size, top.readout.activation),
    params=WithReadoutParams(layer.params, params),
    output_size=size,
  )


def _layers(node: Node, stored: Stored) -> list[Layer | Pair]:
  """Returns the layers of a recurrent node: several for cells that RNN stacks, a pair for two directions."""
  label = stored.names.get(f"{node.path}/vars", node.name)
  if label != node.name:
    raise BadFile(f"The arrays at {node.path} belong to {label}, but the configuration has {node.name} there.")
  if node.kind == "Bidirectional":
    return [_pair(node, stored)]
  return list(_one_way(node, stored))


def _one_way(node: Node, stored: Stored) -> list[Layer]:
  """Returns the layers of a node that reads in one direction. Of stacked cells, the lowest one decides the direction."""
  backwards = bool(node.config.get("go_backwards"))
  if node.kind in CELLS:
    return [_cell(node.name, node.kind, node.config, f"{node.path}/cell", stored)._replace(backwards=backwards)]
  if node.kind != "RNN":
    raise BadFile(f"{node.name} is a {node.kind}; the lab reads {', '.join(CELLS)}, RNN and Bidirectional.")
  outer = node.config["cell"]
  if class_of(outer) != "StackedRNNCells":
    cells = [(node.name, outer, f"{node.path}/cell")]
  else:
    cells, count = [], dict[str, int]()
    for entry in outer["config"]["cells"]:
      stem = snake(entry["class_name"])
      number = count[stem] = count.get(stem, -1) + 1
      place = f"{stem}_{number}" if number else stem
      cells.append((f"{node.name} {place}", entry, f"{node.path}/cell/cells/{place}"))
  found = []
  for name, entry, path in cells:
    kind = class_of(entry)
    if kind.removesuffix("Cell") not in CELLS or not kind.endswith("Cell"):
      raise BadFile(f"{name} runs a {kind}; the lab reads {', '.join(f'{cell}Cell' for cell in CELLS)}.")
    found.append(_cell(name, kind.removesuffix("Cell"), entry["config"], path, stored))
  return [found[0]._replace(backwards=backwards), *found[1:]]


def _pair(node: Node, stored: Stored) -> Pair:
  """Returns the two directions of a Bidirectional layer."""
  merge = node.config["merge_mode"]
  if merge not in MERGES:
    raise BadFile(f"{node.name} has merge_mode {merge}; the lab merges by {', '.join(MERGES)}.")
  both: list[Layer] = []
  for way in ("forward", "backward"):
    entry = node.config["layer" if way == "forward" else "backward_layer"]
    inner = Node(f"{node.name} {way}", class_of(entry), entry["config"], f"{node.path}/{way}_layer", ())
    layers = _one_way(inner, stored)
    if len(layers) != 1 or layers[0].backwards != (way == "backward"):
      raise BadFile(f"{inner.name} must be one layer that reads {way}; such a pair is not read.")
    both += layers
  if merge != "concat" and both[0].output_size != both[1].output_size:
    raise BadFile(f"{node.name} merges {both[0].output_size} and {both[1].output_size} numbers by {merge}.")
  return Pair(both[0], both[1], merge)


def _cell(name: str, kind: str, config: Mapping[str, Any], path: str, stored: Stored) -> Layer:
  """Returns one layer with its own nonlinearities, after checking its arrays against its configuration."""
  fields = FIELDS if config["use_bias"] else FIELDS[:2]
  numbers = {n.rpartition("/")[2]: array for n, array in stored.arrays.items() if n.startswith(f"{path}/vars/")}
  wanted = {str(i): field for i, field in enumerate(fields)}
  if missing := [f"{path}/vars/{number} ({field})" for number, field in wanted.items() if number not in numbers]:
    raise BadFile(f"{name}: the array {missing[0]} is missing.")
  if more := numbers.keys() - wanted.keys():
    raise BadFile(f"{name} has an array {path}/vars/{min(more)}; its configuration needs {', '.join(fields)} alone.")
  arrays = {field: numbers[number] for number, field in wanted.items()}
  k = torch_states.blocks(name, arrays["kernel"], arrays["recurrent_kernel"])
  units = len(arrays["recurrent_kernel"])
  if (k, units) != (BLOCKS[kind], config["units"]):
    raise BadFile(
      f"{name}: its arrays have {k} blocks of {units} units; its configuration is a {kind} of {config['units']}."
    )
  full = f"keras.layers.{kind}Cell" + ("(reset_after=False)" if kind == "GRU" and not config["reset_after"] else "")
  try:
    params = import_weights(full, arrays)
  except ValueError as error:
    raise BadFile(f"{name}: {error}") from error
  return made(name, full, _of_kind(name, kind, config), params)


def _of_kind(name: str, kind: str, config: Mapping[str, Any]) -> Cell:
  phi = activation(name, "activation", config["activation"])
  if kind == "SimpleRNN":
    return rnn(phi)
  gate = activation(name, "recurrent_activation", config["recurrent_activation"])
  if kind == "LSTM":
    return lstm(phi, activation=phi, gate=gate)
  return gru("after" if config["reset_after"] else "before", phi, gate)


def _said(found: Sequence[Node], chain: Sequence[Node]) -> list[str]:
  """Returns sentences on what the model does beside its layers."""
  inner = [node.config["layer"]["config"] if node.kind == "Bidirectional" else node.config for node in chain]
  said = []
  if not inner[-1].get("return_sequences"):
    said.append(f"In the file, {chain[-1].name} puts out its last step alone.")
  if any(node.kind == "Masking" or node.config.get("mask_zero") for node in found):
    said.append("The file's net skips steps by a mask; sequence.masked_unroll does so.")
  if stateful := [node.name for node, config in zip(chain, inner, strict=True) if config.get("stateful")]:
    said.append(f"In the file, {', '.join(stateful)} goes on from the state of the batch before.")
  if mixed := sorted({policy(config) for config in inner if policy(config).startswith("mixed")}):
    said.append(f"The file's net computes in {', '.join(mixed)}; here it computes in the precision of its arrays.")
  return said
