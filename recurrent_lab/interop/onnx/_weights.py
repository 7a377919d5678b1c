"""The weights of a recurrent node as a cell and its params."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from recurrent_lab.cell import Cell, Params
from recurrent_lab.cells import (
  GRUParams,
  InputCoupledLSTMParams,
  InputCoupledPeepholeLSTMParams,
  LSTMParams,
  PeepholeLSTMParams,
  ResetBeforeGRUParams,
  RNNParams,
  gru,
  lstm,
  peephole_lstm,
  rnn,
)
from recurrent_lab.interop.onnx._constants import Constants, NotConstant
from recurrent_lab.interop.onnx._operators import GATES, Operator


def read_weights(name: str, operator: Operator, tensors: dict[str, str], constants: Constants) -> dict[str, np.ndarray]:
  """Returns W, R, B and P of all directions, in checked shapes and one floating dtype. B and P are 0 and absent if not given."""
  for key in ("X", "W", "R"):
    if key not in tensors:
      raise ValueError(f"{name} has no input {key}.")
  arrays = {}
  for key in ("W", "R", "B", "P"):
    if key in tensors:
      try:
        arrays[key] = constants.value(tensors[key])
      except NotConstant as reason:
        raise ValueError(f"{name}: the weights {key} are not constant, because {reason}.") from None
  dtypes = {array.dtype for array in arrays.values()}
  if len(dtypes) > 1 or not all(jnp.issubdtype(dtype, jnp.floating) for dtype in dtypes):
    raise ValueError(
      f"{name} has weights of dtype {', '.join(sorted(map(str, dtypes)))}; they need one floating dtype."
    )
  count, directions = len(GATES[operator.kind]), len(operator.directions)
  shape = arrays["R"].shape
  hidden = shape[-1] if shape else 0
  inputs = arrays["W"].shape[-1] if arrays["W"].ndim else 0
  wanted = {
    "W": (directions, count * hidden, inputs),
    "R": (directions, count * hidden, hidden),
    "B": (directions, 2 * count * hidden),
    "P": (directions, 3 * hidden),
  }
  for key, array in arrays.items():
    if array.shape != wanted[key] or 0 in array.shape:
      raise ValueError(
        f"{name}: {key} has shape {array.shape}; with {inputs} inputs and {hidden} units it is {wanted[key]}."
      )
  if operator.hidden_size not in (None, hidden):
    raise ValueError(f"{name} has hidden_size = {operator.hidden_size}, and weights of {hidden} units.")
  arrays.setdefault("B", np.zeros(wanted["B"], arrays["R"].dtype))
  return arrays


def make_cell(operator: Operator, d: int, weights: dict[str, np.ndarray]) -> tuple[Cell, Params]:
  """Returns the cell of one direction and its params, from its weights without the axis of directions."""
  phi, gates = operator.activations[d], GATES[operator.kind]

  def block(array: np.ndarray) -> dict[str, Any]:
    return dict(zip(gates, np.split(array, len(gates)), strict=True))

  w, r = block(weights["W"]), block(weights["R"])
  w_b, r_b = (block(half) for half in np.split(weights["B"], 2))

  def affine(order: str) -> tuple[Any, Any, Any]:
    kernel = lambda blocks: np.ascontiguousarray(np.concatenate([blocks[k] for k in order]).T)
    return kernel(w), kernel(r), np.concatenate([w_b[k] + r_b[k] for k in order])

  if operator.kind == "RNN":
    return rnn(phi[0]), RNNParams(*affine("n"))
  if operator.kind == "GRU":
    if not operator.resets_after:
      return gru("before", phi[1], phi[0]), ResetBeforeGRUParams(*affine("rzn"))
    input_kernel, recurrent_kernel, bias = affine("rzn")
    bias[-len(w_b["n"]) :] = w_b["n"]  # the recurrent bias of n is inside the reset
    return gru("after", phi[1], phi[0]), GRUParams(input_kernel, recurrent_kernel, bias, r_b["n"])
  order, forget = ("igo", "input_coupled") if operator.is_coupled else ("ifgo", "gate")
  arguments = (phi[1], forget, phi[2], phi[0])
  if "P" not in weights:
    return lstm(*arguments), (InputCoupledLSTMParams if operator.is_coupled else LSTMParams)(*affine(order))
  p = dict(zip("iof", np.split(weights["P"], 3), strict=True))
  peephole: Any = np.stack([p[k] for k in order if k != "g"])
  kind = InputCoupledPeepholeLSTMParams if operator.is_coupled else PeepholeLSTMParams
  return peephole_lstm(*arguments), kind(*affine(order), peephole)
