"""The layers of torch's `nn.LSTM`, `nn.GRU` and `nn.RNN` in a state dict, by the names of their arrays.

    encoder.rnn.weight_ih_l1_reverse        prefix, array, layer and direction

`weight_hr_l1` is the projection of an LSTM with `proj_size`. `paddle_states` brings the state dicts of Paddle into this form.
"""

from collections.abc import Mapping, Sequence
import itertools
import re
from typing import Any

import numpy as np

from recurrent_lab.cells import ProjectedLSTMParams, get_cell, projected_lstm, rnn
from recurrent_lab.interop.modules.found import Layer, Pair, made
from recurrent_lab.interop.weights import import_weights

Arrays = dict[str, np.ndarray]
States = dict[tuple[int, bool], Arrays]  # the arrays of a module by layer and whether it reads backwards

KINDS = {4: "torch.nn.LSTM", 3: "torch.nn.GRU", 1: "torch.nn.RNN"}  # by the number of blocks
LEAF = re.compile(r"(?:(.*)/)?((?:weight|bias)_(?:ih|hh|hr))_l(\d+)(_reverse)?(.*)")


def split(arrays: Arrays) -> tuple[dict[str, States], Arrays]:
  """Returns the arrays of numbered layers by the prefix of their module, and all other arrays.

  Raises:
    ValueError: for a module whose weights are made of others (`parametrizations`, weight or spectral norm).
  """
  modules: dict[str, States] = {}
  rest: Arrays = {}
  for name, array in arrays.items():
    match = LEAF.fullmatch(name)
    if match is None:
      rest[name] = array
      continue
    prefix, leaf, layer, reverse, more = match.groups()
    if more or "parametrizations" in name.split("/"):
      raise ValueError(
        f"{name} is a part from which torch computes a weight; save the module after"
        " torch.nn.utils.parametrize.remove_parametrizations, remove_weight_norm or remove_spectral_norm."
      )
    modules.setdefault(prefix or "", {}).setdefault((int(layer), bool(reverse)), {})[leaf] = array
  return modules, rest


def layers(name: str, states: States, activation: str | None) -> tuple[Layer | Pair, ...]:
  """Returns the layers of one module, from the lowest to the highest.

  Args:
    name: the prefix of the module, as the file spells it.
    states: its arrays.
    activation: the nonlinearity of an RNN, or None for tanh.

  Raises:
    ValueError: if a layer, a direction or an array is missing, or for wrong shapes.
  """
  numbers, ways = sorted({layer for layer, _ in states}), sorted({reverse for _, reverse in states})
  wanted = [(layer, reverse) for layer in range(numbers[-1] + 1) for reverse in ways]
  if missing := [_layer_name(name, *place) for place in wanted if place not in states]:
    raise ValueError(f"{missing[0]} is missing; the arrays have {', '.join(_layer_name(name, *p) for p in states)}.")
  made_layers = {place: _layer(_layer_name(name, *place), states[place], activation) for place in wanted}
  if ways == [False]:
    if numbers == [0]:
      return (made_layers[0, False]._replace(name=name),)
    _check_sizes(name, tuple(made_layers.values()))
    return tuple(made_layers.values())
  if ways == [True]:
    raise ValueError(f"{_layer_name(name, 0, False)} is missing; the arrays have the other direction only.")
  pairs = [(made_layers[number, False], made_layers[number, True]) for number in range(numbers[-1] + 1)]
  found = tuple(Pair(ahead, back._replace(backwards=True)) for ahead, back in pairs)
  _check_sizes(name, found)
  return found


def blocks(name: str, input_kernel: np.ndarray, recurrent_kernel: np.ndarray) -> int:
  """Returns the number of blocks k of kernels `[I, kH]` and `[H, kH]`.

  Raises:
    ValueError: for shapes that no cell has, with what they look like.
  """
  if input_kernel.ndim != 2 or recurrent_kernel.ndim != 2 or 0 in input_kernel.shape + recurrent_kernel.shape:
    raise ValueError(
      f"{name}: the kernels have shapes {input_kernel.shape} and {recurrent_kernel.shape}; both are matrices."
    )
  if (k := _blocks(recurrent_kernel)) and recurrent_kernel.shape[1] == input_kernel.shape[1]:
    return k
  look = "no recurrent layer has such shapes"
  if _blocks(recurrent_kernel.T) and recurrent_kernel.shape[0] == input_kernel.shape[0]:
    look = "they look transposed"
  elif _blocks(input_kernel) and recurrent_kernel.shape[1] == input_kernel.shape[1]:
    look = "they look exchanged"
  elif recurrent_kernel.shape[1] > 4 * recurrent_kernel.shape[0]:
    look = "they look like those of an LSTM with a projection, which is missing"
  shapes = (
    f"the input kernel has shape {input_kernel.shape} and the recurrent one {recurrent_kernel.shape}, as (in, out)"
  )
  raise ValueError(f"{name}: {shapes}; {look}.")


def _blocks(kernel: np.ndarray) -> int:
  units, width = kernel.shape
  return width // units if width % units == 0 and width // units in KINDS else 0


def _layer(name: str, arrays: Arrays, activation: str | None) -> Layer:
  if missing := {"weight_ih", "weight_hh"} - arrays.keys():
    raise ValueError(f"{name}: {', '.join(sorted(missing))} is missing; given are {', '.join(sorted(arrays))}.")
  if "weight_hr" in arrays:
    return made(name, "torch.nn.LSTM(proj_size)", projected_lstm(), _projected(name, arrays))
  k = blocks(name, arrays["weight_ih"].T, arrays["weight_hh"].T)
  kind = KINDS[k]
  try:
    params = import_weights(kind, {f"{leaf}_l0": array for leaf, array in arrays.items()})
  except ValueError as error:
    raise ValueError(f"{name}: {error}") from error
  cell = rnn(activation or "tanh") if k == 1 else get_cell("lstm" if k == 4 else "gru")
  return made(name, kind, cell, params)


def _projected(name: str, arrays: Mapping[str, Any]) -> ProjectedLSTMParams:
  """Returns the params of an LSTM with a projection.

  Its layout is that of `torch.nn.LSTM` except for `weight_hh [4H, P]`, and `weight_hr [P, H]`.
  """
  projection = arrays["weight_hr"]
  if projection.ndim != 2 or 0 in projection.shape:
    raise ValueError(f"{name}: weight_hr has shape {projection.shape}; it is a matrix (P, H).")
  size, units = projection.shape
  shapes = {
    "weight_ih": (4 * units, arrays["weight_ih"].shape[-1]),
    "weight_hh": (4 * units, size),
    "weight_hr": (size, units),
    **dict.fromkeys(sorted(arrays.keys() & {"bias_ih", "bias_hh"}), (4 * units,)),
  }
  for leaf, shape in shapes.items():
    if arrays[leaf].shape != shape:
      raise ValueError(
        f"{name}: {leaf} has shape {arrays[leaf].shape}; with {units} units and {size} outputs it is {shape}."
      )
  plain = {leaf: array for leaf, array in arrays.items() if leaf != "weight_hr"}
  # The same rows and biases as without a projection, so the table converts all but the recurrent kernel.
  like = {**plain, "weight_hh": np.zeros((4 * units, units), arrays["weight_hh"].dtype)}
  try:
    params = import_weights("torch.nn.LSTM", {f"{leaf}_l0": array for leaf, array in like.items()})
  except ValueError as error:
    raise ValueError(f"{name}: {error}") from error
  if projection.dtype != params.bias.dtype:
    raise ValueError(
      f"{name}: weight_hr has dtype {projection.dtype}, and the others {params.bias.dtype}; they need one."
    )
  return ProjectedLSTMParams(
    input_kernel=params.input_kernel,
    recurrent_kernel=arrays["weight_hh"].T,
    bias=params.bias,
    projection=projection.T,
  )


def _layer_name(name: str, layer: int, reverse: bool) -> str:
  return f"{name} layer {layer}{'_reverse' if reverse else ''}".strip()


def _check_sizes(name: str, found: Sequence[Layer | Pair]) -> None:
  """Raises `ValueError` unless every layer of a module takes as many numbers as the layer below puts out."""
  for below, above in itertools.pairwise(found):
    if below.output_size != above.input_size:
      raise ValueError(
        f"{name}: {above.name} takes {above.input_size} numbers per step, but the layer below puts out {below.output_size}."
      )
