"""Writes cells of the lab as LSTM, GRU and RNN operators of ONNX: their attributes and weights."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from recurrent_lab import parametric
from recurrent_lab.cell import Cell, Made, Params, made_by
from recurrent_lab.cells import gru, lstm, peephole_lstm, projected_lstm, rnn
from recurrent_lab.interop.onnx._activations import Choice, to_name
from recurrent_lab.interop.onnx._operators import DEFAULTS, GATES

Blocks = dict[str, np.ndarray]


class Layer(NamedTuple):
  """A node of ONNX in one direction.

  Attributes:
    kind: `LSTM`, `GRU` or `RNN`.
    attributes: by name.
    weights: W, R, B and perhaps P, with an axis of one direction.
    projection: V `[H, P]`, by which outputs and hidden states are multiplied outside the node. None if there is none.
  """

  kind: str
  attributes: dict[str, Any]
  weights: dict[str, np.ndarray]
  projection: np.ndarray | None = None


def write_layer(cell: Cell, params: Params) -> Layer:
  """Returns the node of a cell.

  Raises:
    ValueError: for a cell that no operator computes, with the reason.
  """
  made = made_by(cell)
  writers = {lstm: _lstm, peephole_lstm: _lstm, projected_lstm: _lstm, gru: _gru, rnn: _rnn}
  if made is None or made.factory not in writers:
    name = made.factory.__name__ if made else "this cell"
    raise ValueError(
      f"ONNX has no operator for {name}; rnn, gru, lstm, peephole_lstm, projected_lstm and stacks are written."
    )
  return writers[made.factory](made, params)


def _rnn(made: Made, params: Any) -> Layer:
  blocks = _blocks(params, "n")
  return _layer("RNN", [made.arguments["activation"]], *blocks)


def _gru(made: Made, params: Any) -> Layer:
  phi = [made.arguments["gate"], made.arguments["activation"]]
  blocks = _blocks(params, "rzn")
  if made.arguments["reset"] == "before":
    return _layer("GRU", phi, *blocks)
  inner = {"n": np.asarray(params.recurrent_bias)}
  return _layer("GRU", phi, *blocks, inner=inner, attributes={"linear_before_reset": 1})


def _lstm(made: Made, params: Any) -> Layer:
  arguments = made.arguments
  phi = [arguments["gate"], arguments["input_node"], arguments["activation"]]
  forget = arguments.get("forget", "gate")
  if forget == "none":
    raise ValueError("ONNX's LSTM always has a forget gate, so the LSTM without one (f = 1) cannot be written.")
  order = {"gate": "ifgo", "coupled": "fgo", "input_coupled": "igo"}[forget]
  projection = np.asarray(params.projection) if hasattr(params, "projection") else None
  if projection is not None:
    # The node's state is o ⊗ tanh(c), before the projection, so its recurrent kernel is V U.
    params = params._replace(recurrent_kernel=projection @ np.asarray(params.recurrent_kernel))
  fields = list(_blocks(params, order))
  if hasattr(params, "peephole"):
    fields.append(dict(zip(order.replace("g", ""), np.asarray(params.peephole), strict=True)))
  if forget == "coupled":
    _check_odd(arguments["gate"])
    for blocks in fields:
      blocks["i"] = -blocks.pop("f")
  if forget != "gate":
    for blocks in fields:
      blocks["f"] = np.zeros_like(blocks["i"])
  attributes = {} if forget == "gate" else {"input_forget": 1}
  layer = _layer("LSTM", phi, fields[0], fields[1], fields[2], attributes=attributes)
  if len(fields) > 3:
    layer.weights["P"] = np.concatenate([fields[3][k] for k in "iof"])[None]
  return layer._replace(projection=projection)


def _check_odd(gate: Choice) -> None:
  """Raises `ValueError` unless 1 - φ(a) = φ(-a), so that i = 1 - f is a gate of negated weights."""
  inner, _ = _unclipped(gate)
  made = made_by(inner)
  is_hard = made is not None and made.factory is parametric.hard_sigmoid and made.arguments["beta"] == 0.5
  if to_name(inner)[0] != "Sigmoid" and not is_hard:
    raise ValueError(
      "ONNX couples f = 1 - i; i = 1 - f is the same for sigmoid gates and hard sigmoids with beta 0.5 alone."
    )


def _unclipped(choice: Choice) -> tuple[Choice, float | None]:
  """Returns an activation without its clip, and the limit of the clip."""
  made = made_by(choice)
  if made is not None and made.factory is parametric.clipped:
    return made.arguments["activation"], float(made.arguments["limit"])
  return choice, None


def _blocks(params: Any, order: str) -> tuple[Blocks, Blocks, Blocks]:
  """Returns the blocks `[H, inputs]` and `[H]` of both kernels and the bias, by the letter of their gate."""
  split = lambda array: np.split(np.asarray(array).T, len(order))
  parts = (split(array) for array in (params.input_kernel, params.recurrent_kernel, params.bias))
  first, second, third = (dict(zip(order, part, strict=True)) for part in parts)
  return first, second, third


def _layer(
  kind: str,
  phi: list[Choice],
  input_kernel: Blocks,
  recurrent_kernel: Blocks,
  bias: Blocks,
  inner: Mapping[str, np.ndarray] | None = None,
  attributes: Mapping[str, Any] | None = None,
) -> Layer:
  """Puts blocks in ONNX's order, and writes down activations and clips that are not those by default."""
  stacked = lambda blocks: np.concatenate([blocks[k] for k in GATES[kind]])
  second = {k: np.zeros_like(block) for k, block in bias.items()} | dict(inner or {})
  weights = {
    "W": stacked(input_kernel)[None],
    "R": stacked(recurrent_kernel)[None],
    "B": np.concatenate([stacked(bias), stacked(second)])[None],
  }
  apart = [_unclipped(one) for one in phi]
  limits = {limit for _, limit in (apart[:-1] if kind == "LSTM" else apart)}
  if len(limits) > 1 or (kind == "LSTM" and apart[-1][1] is not None):
    raise ValueError(f"ONNX clips all gates of {kind} and its candidate at one limit, and nothing else.")
  named = [to_name(one) for one, _ in apart]
  found: dict[str, Any] = {"hidden_size": int(weights["R"].shape[-1]), **(attributes or {})}
  if tuple(name for name, _ in named) != DEFAULTS[kind]:
    found["activations"] = [name for name, _ in named]
  for position, letters in enumerate(("activation_alpha", "activation_beta")):
    numbers = [values[position] for _, values in named if len(values) > position]
    found |= {letters: numbers} if numbers else {}
  (limit,) = limits
  found |= {} if limit is None else {"clip": limit}
  return Layer(kind, found, weights)
