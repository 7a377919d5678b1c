"""Recurrent ONNX models written node by node: every variant of the three operators, with random weights."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, helper, numpy_helper

STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 2, 4
BLOCKS = {"LSTM": 4, "GRU": 3, "RNN": 1}
NAMES = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


class Case(NamedTuple):
  """A node. Its attributes are those of ONNX; `hidden_size` is added."""

  op: str
  attributes: Mapping[str, Any] = {}
  bias: bool = True
  state: bool = True
  peepholes: bool = False
  lengths: tuple[int, ...] | None = None

  @property
  def directions(self) -> int:
    """The number of directions."""
    return 2 if self.attributes.get("direction") == "bidirectional" else 1


def _with(op: str, **attributes: Any) -> Case:
  return Case(op, attributes)


_BOTH = {"direction": "bidirectional"}
_SIX = ["HardSigmoid", "LeakyRelu", "Tanh", "Sigmoid", "Elu", "ScaledTanh"]

#: The variants by name.
CASES: Mapping[str, Case] = {
  **{op: Case(op) for op in BLOCKS},
  **{f"{op}, no bias, no state": Case(op, bias=False, state=False) for op in BLOCKS},
  **{f"{op}, reverse, lengths": Case(op, {"direction": "reverse"}, lengths=(1, 5, 3)) for op in BLOCKS},
  **{f"{op}, both directions, lengths": Case(op, _BOTH, lengths=(5, 2, 3)) for op in BLOCKS},
  **{f"{op}, clip": Case(op, {"clip": 0.3}) for op in BLOCKS},
  "LSTM, peepholes": Case("LSTM", peepholes=True),
  "LSTM, f = 1 - i": _with("LSTM", input_forget=1),
  "LSTM, all at once": Case("LSTM", {**_BOTH, "input_forget": 1, "clip": 0.5}, peepholes=True, lengths=(4, 5, 1)),
  "LSTM, packed parameters": Case(
    "LSTM", {**_BOTH, "activations": _SIX, "activation_alpha": [0.3, 0.2, 1.4, 1.2], "activation_beta": [0.4, 0.6]}
  ),
  "LSTM, some parameters": Case(
    "LSTM", {"activations": ["HardSigmoid", "Elu", "HardSigmoid"], "activation_alpha": [0.3]}
  ),
  "LSTM, clip and a large state": Case(
    "LSTM",
    {
      "clip": 1.0,
      "activations": ["Affine", "Affine", "Tanh"],
      "activation_alpha": [0.5, 2.0],
      "activation_beta": [0.6, 0.1],
    },
  ),
  "GRU, reset after": _with("GRU", linear_before_reset=1),
  "GRU, reset after, clip, both directions": Case(
    "GRU", {**_BOTH, "linear_before_reset": 1, "clip": 0.4}, lengths=(5, 2, 3)
  ),
  "GRU, hard sigmoid": _with("GRU", activations=["HardSigmoid", "Softsign"]),
  **{
    f"RNN, {name}": _with("RNN", activations=[name], **parameters)
    for name, parameters in {
      "Relu": {},
      "Sigmoid": {},
      "Softsign": {},
      "Softplus": {},
      "LeakyRelu": {},
      "Elu": {"activation_alpha": [0.7]},
      "HardSigmoid": {},
      "ThresholdedRelu": {"activation_alpha": [0.4]},
      "ScaledTanh": {"activation_alpha": [1.3], "activation_beta": [0.7]},
      "Affine": {"activation_alpha": [0.6], "activation_beta": [-0.2]},
    }.items()
  },
}


def drawn(case: Case, dtype: Any = np.float32, seed: int = 0) -> dict[str, np.ndarray]:
  """Draws the inputs of the node by their names in the operator's text. Those that the case has not are left out."""
  rng = np.random.default_rng(seed)
  count, directions = BLOCKS[case.op], case.directions
  draw = lambda *shape: np.round(rng.normal(0, 0.8, shape), 4).astype(dtype)
  arrays = {
    "X": 2 * draw(STEPS, BATCH, INPUTS),
    "W": draw(directions, count * HIDDEN, INPUTS),
    "R": draw(directions, count * HIDDEN, HIDDEN),
  }
  if case.bias:
    arrays["B"] = draw(directions, 2 * count * HIDDEN)
  if case.lengths is not None:
    arrays["sequence_lens"] = np.array(case.lengths, np.int32)
  if case.state:
    arrays["initial_h"] = draw(directions, BATCH, HIDDEN)
    arrays |= {"initial_c": draw(directions, BATCH, HIDDEN)} if case.op == "LSTM" else {}
  if case.peepholes:
    arrays["P"] = draw(directions, 3 * HIDDEN)
  return arrays


def model(
  case: Case, arrays: Mapping[str, np.ndarray], *, fed: tuple[str, ...] = ("X",), opset: int = 17, **more: Any
) -> ModelProto:
  """Makes the model of one node. The inputs in `fed` are inputs of the model, and the others are initializers."""
  names = [name if name in arrays else "" for name in NAMES[: None if case.op == "LSTM" else 6]]
  while not names[-1]:
    names.pop()
  outputs = ["Y", "Y_h", "Y_c"][: 3 if case.op == "LSTM" else 2]
  attributes = {"hidden_size": HIDDEN, **case.attributes, **more}
  node = helper.make_node(case.op, names, outputs, name="node", **attributes)
  kind = helper.np_dtype_to_tensor_dtype(arrays["W"].dtype)
  value = lambda name: helper.make_tensor_value_info(
    name, helper.np_dtype_to_tensor_dtype(arrays[name].dtype), arrays[name].shape
  )
  graph = helper.make_graph(
    [node],
    "by_hand",
    [value(name) for name in fed],
    [helper.make_tensor_value_info(name, kind, None) for name in outputs],
    [numpy_helper.from_array(array, name) for name, array in arrays.items() if name not in fed],
  )
  return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
