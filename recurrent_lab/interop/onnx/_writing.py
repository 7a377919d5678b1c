"""Writes cells and stacks as ONNX models."""

import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from recurrent_lab.cell import Cell, Params
from recurrent_lab.interop.onnx._layers import Layer, write_layer

OPSET, IR_VERSION = 17, 8  # read by runtimes since 2022
DTYPES = ("float16", "float32", "float64")


def to_onnx(cell: Cell, params: Params, path: str | os.PathLike[str] | None = None) -> Any:
  """Writes a cell, or a stack of cells, as a `ModelProto` of the package `onnx`.

  The model maps `inputs` `[T, B, I]` to `outputs` `[T, B, H]`, and to the last state of every layer, `hidden_0` and, for an LSTM,
  `cell_0` `[B, H]`. It starts from the state 0. onnxruntime runs such models in float32 alone.

  Args:
    cell: made by `rnn`, `gru`, `lstm`, `peephole_lstm` or `projected_lstm`, or a stack of these.
    params: its parameters, in one floating dtype.
    path: if given, the file is written too.

  Raises:
    ValueError: for a cell that ONNX's operators do not compute, for example one with other activations, with the reason.
  """
  import onnx

  width = _check(cell, params)
  layers = [write_layer(own, parameters) for own, parameters in _layers(cell, params)]
  kind = onnx.helper.np_dtype_to_tensor_dtype(layers[0].weights["W"].dtype)
  nodes, tensors, results = (
    [],
    [onnx.numpy_helper.from_array(np.array([0]), "first"), onnx.numpy_helper.from_array(np.array([1]), "second")],
    [],
  )
  below = "inputs"
  for k, layer in enumerate(layers):
    own = _nodes(k, layer, below, "outputs" if k == len(layers) - 1 else f"outputs_{k}")
    nodes += own
    below = f"outputs_{k}"
    tensors += [onnx.numpy_helper.from_array(array, f"{name}_{k}") for name, array in layer.weights.items()]
    if layer.projection is not None:
      tensors.append(onnx.numpy_helper.from_array(layer.projection, f"V_{k}"))
    size = _size(layer)
    results.append(onnx.helper.make_tensor_value_info(f"hidden_{k}", kind, ["B", size]))
    if layer.kind == "LSTM":
      results.append(onnx.helper.make_tensor_value_info(f"cell_{k}", kind, ["B", layer.attributes["hidden_size"]]))
  outputs = onnx.helper.make_tensor_value_info("outputs", kind, ["T", "B", _size(layers[-1])])
  graph = onnx.helper.make_graph(
    nodes,
    "recurrent_lab",
    [onnx.helper.make_tensor_value_info("inputs", kind, ["T", "B", width])],
    [outputs, *results],
    tensors,
  )
  opsets = [onnx.helper.make_opsetid("", OPSET)]
  model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="recurrent_lab")
  onnx.checker.check_model(model, full_check=True)
  if path is not None:
    Path(path).write_bytes(model.SerializeToString())
  return model


def _size(layer: Layer) -> int:
  """Returns the number of outputs of a layer."""
  return int(layer.attributes["hidden_size"] if layer.projection is None else layer.projection.shape[1])


def _check(cell: Cell, params: Params) -> int:
  """Checks that the params are those of one net of this cell, and returns its number of inputs."""
  dtypes = {jnp.result_type(leaf).name for leaf in jax.tree.leaves(params)}
  if len(dtypes) != 1 or not dtypes <= set(DTYPES):
    raise ValueError(f"The params have dtype {', '.join(sorted(dtypes))}; they need one of {', '.join(DTYPES)}.")
  bottom = params if hasattr(params, "input_kernel") else params[0] if isinstance(params, tuple) else None
  kernel = getattr(bottom, "input_kernel", None)
  if kernel is None or np.ndim(kernel) != 2:
    raise ValueError(
      "The params hold no input kernel [I, ·]; to_onnx takes the params of one net of rnn, gru, lstm or a stack."
    )
  step = lambda p: cell.step(p, cell.initial_state(p), jnp.zeros(np.shape(kernel)[0], dtypes.copy().pop()))
  try:
    jax.eval_shape(step, params)
  except TypeError as error:
    raise ValueError("The shapes of the params do not fit each other.") from error
  return int(np.shape(kernel)[0])


def _layers(cell: Cell, params: Params) -> list[tuple[Cell, Params]]:
  """Returns the cells of a stack with their params, lowest first."""
  if cell.chain is None:
    return [(cell, params)]
  if not cell.chain.is_stack:
    raise ValueError(
      "Cells under dropout, a learned state or a readout are not written; write the cell inside, or a stack."
    )
  found = [_layers(link.cell, link.params(params)) for link in cell.chain.links]
  return [layer for layers in found for layer in layers]


def _nodes(k: int, layer: Layer, below: str, above: str) -> list[Any]:
  """Returns the node of layer k, those that remove its axis of directions, and those of its projection."""
  from onnx import helper

  names = ("W", "R", "B", "", "", "", "P") if "P" in layer.weights else ("W", "R", "B")
  states = ["hidden", "cell"] if layer.kind == "LSTM" else ["hidden"]
  raw = [f"Y_{k}", *(f"Y_{state}_{k}" for state in states)]
  weights = [name and f"{name}_{k}" for name in names]
  nodes = [helper.make_node(layer.kind, [below, *weights], raw, name=f"{layer.kind}_{k}", **layer.attributes)]
  projected = {above, f"hidden_{k}"} if layer.projection is not None else set()
  for tensor, axis, name in zip(
    raw, ["second", "first", "first"], [above, *(f"{state}_{k}" for state in states)], strict=False
  ):
    if name in projected:
      nodes.append(helper.make_node("Squeeze", [tensor, axis], [f"{tensor}_units"]))
      nodes.append(helper.make_node("MatMul", [f"{tensor}_units", f"V_{k}"], [name]))
    else:
      nodes.append(helper.make_node("Squeeze", [tensor, axis], [name]))
  return nodes
