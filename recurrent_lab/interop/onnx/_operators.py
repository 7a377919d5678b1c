"""The attributes of LSTM, GRU and RNN nodes: checked, and with their defaults."""

from collections.abc import Mapping
import math
from typing import Any, NamedTuple

from recurrent_lab.interop.onnx import _activations
from recurrent_lab.interop.onnx._activations import Choice, shortest
from recurrent_lab.parametric import clipped

#: Operator -> its gates in the order of its weights, with g for the candidate.
GATES: Mapping[str, str] = {"LSTM": "iofg", "GRU": "zrn", "RNN": "n"}
#: Operator -> its default activations.
DEFAULTS: Mapping[str, tuple[str, ...]] = {
  "LSTM": ("Sigmoid", "Tanh", "Tanh"),
  "GRU": ("Sigmoid", "Tanh"),
  "RNN": ("Tanh",),
}
DIRECTIONS = {"forward": ("forward",), "reverse": ("reverse",), "bidirectional": ("forward", "reverse")}

_COMMON = {
  "activation_alpha": "FLOATS",
  "activation_beta": "FLOATS",
  "activations": "STRINGS",
  "clip": "FLOAT",
  "direction": "STRING",
  "hidden_size": "INT",
  "layout": "INT",
}
ATTRIBUTES = {
  "LSTM": {**_COMMON, "input_forget": "INT"},
  "GRU": {**_COMMON, "linear_before_reset": "INT"},
  "RNN": _COMMON,
}


class Operator(NamedTuple):
  """The attributes of a node.

  Attributes:
    kind: `LSTM`, `GRU` or `RNN`.
    directions: `forward`, `reverse` or both.
    activations: those of each direction, clipped where the operator clips: on all but the LSTM's output.
    hidden_size: the number of units, None if the node does not say.
    is_coupled: `input_forget`, f = 1 - i.
    resets_after: `linear_before_reset`, r ⊗ (h U) in place of (r ⊗ h) U.
    batch_first: `layout`, arrays `[B, T, I]` in place of `[T, B, I]`.
    notes: where runtimes disagree.
  """

  kind: str
  directions: tuple[str, ...]
  activations: tuple[tuple[Choice, ...], ...]
  hidden_size: int | None
  is_coupled: bool
  resets_after: bool
  batch_first: bool
  notes: tuple[str, ...]


def read_operator(node: Any, name: str) -> Operator:
  """Reads the attributes of a node.

  Raises:
    ValueError: for an attribute that the operator does not have, of another type, or with an impossible value.
  """
  given = _attributes(node, name)
  direction = _text(given.get("direction", b"forward"), name)
  if direction not in DIRECTIONS:
    raise ValueError(f"{name} has the direction {direction!r}; choose one of {', '.join(DIRECTIONS)}.")
  directions, count = DIRECTIONS[direction], len(DEFAULTS[node.op_type])
  names = [_text(one, name) for one in given.get("activations", ())] or list(DEFAULTS[node.op_type] * len(directions))
  if len(names) != count * len(directions):
    raise ValueError(
      f"{name} has {len(names)} activations; a {direction} {node.op_type} has {count * len(directions)}."
    )
  flags = {flag: given.get(flag, 0) for flag in ("input_forget", "linear_before_reset", "layout")}
  for flag, value in flags.items():
    if flag == "layout" and value not in (0, 1):
      raise ValueError(f"{name} has {flag} = {value}; it must be 0 or 1.")
  clip = given.get("clip")
  if clip is not None and not clip > 0:
    raise ValueError(f"{name} has clip = {clip}; it must be above 0.")
  activations, notes = _activations.from_names(
    name, names, list(given.get("activation_alpha", ())), list(given.get("activation_beta", ()))
  )
  if clip is not None and not math.isinf(clip):
    inner = count - 1 if node.op_type == "LSTM" else count
    activations = tuple(clipped(phi, shortest(clip)) if k % count < inner else phi for k, phi in enumerate(activations))
    if node.op_type == "LSTM":
      notes += (
        "clip acts on the gates and the candidate, and not on the input of the output's activation, as in onnxruntime",
      )
  if flags["layout"]:
    notes += ("layout = 1 is read as the specification says; onnxruntime refuses it, and OpenVINO ignores it",)
  return Operator(
    kind=node.op_type,
    directions=directions,
    activations=tuple(activations[d * count : (d + 1) * count] for d in range(len(directions))),
    hidden_size=given.get("hidden_size"),
    is_coupled=flags["input_forget"] != 0,
    resets_after=flags["linear_before_reset"] != 0,
    batch_first=flags["layout"] == 1,
    notes=notes,
  )


def _attributes(node: Any, name: str) -> dict[str, Any]:
  """Returns the attributes by name. Those that the operator has not could change what it computes, so they are refused."""
  from onnx import AttributeProto

  known = ATTRIBUTES[node.op_type]
  fields = {"FLOATS": "floats", "STRINGS": "strings", "FLOAT": "f", "STRING": "s", "INT": "i"}
  given: dict[str, Any] = {}
  for attribute in node.attribute:
    if attribute.name not in known:
      raise ValueError(f"{name} has the attribute {attribute.name!r}; {node.op_type} has {', '.join(known)}.")
    kind = known[attribute.name]
    if attribute.ref_attr_name or attribute.type != AttributeProto.AttributeType.Value(kind):
      raise ValueError(f"{name} has an attribute {attribute.name} of another type than {kind}.")
    given[attribute.name] = getattr(attribute, fields[kind])
  return given


def _text(value: bytes, name: str) -> str:
  try:
    return value.decode()
  except UnicodeDecodeError as error:
    raise ValueError(f"{name} has an attribute that is not text.") from error
