"""Dense layers of a Keras model, and the one that is the readout of its recurrent layers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from recurrent_lab.interop.modules.files import BadFile, is_float
from recurrent_lab.interop.modules.found import Readout
from recurrent_lab.interop.modules.hdf5 import Stored
from recurrent_lab.interop.modules.keras_config import Node, class_of, matters
from recurrent_lab.readouts import READOUTS, ReadoutParams


class Top(NamedTuple):
  """A dense layer of the model."""

  readout: Readout
  note: str  # a sentence on its nonlinearity, if it is left out


def dense(node: Node, stored: Stored) -> Top | None:
  """Returns a dense layer, or None for a layer of another class."""
  config, path = node.config, node.path
  if node.kind == "TimeDistributed":
    if class_of(config["layer"]) != "Dense":
      return None
    config, path = config["layer"]["config"], f"{path}/layer"
  elif node.kind != "Dense":
    return None
  arrays: list[Any] = [stored.arrays.get(f"{path}/vars/{i}") for i in range(2 if config["use_bias"] else 1)]
  kernel, bias = arrays[0], arrays[-1] if config["use_bias"] else None
  if kernel is None or (config["use_bias"] and bias is None):
    raise BadFile(f"{node.name}: the arrays {path}/vars/0 and 1 (kernel, bias) are not both there.")
  is_whole = kernel.ndim == 2 and kernel.shape[1] == config["units"] and is_float(kernel)
  if not is_whole or (bias is not None and (bias.shape, bias.dtype) != (kernel.shape[1:], kernel.dtype)):
    raise BadFile(
      f"{node.name}: its kernel is {kernel.dtype} {kernel.shape}, which is not a dense layer of {config['units']} units."
    )
  phi = config["activation"]
  phi = "identity" if phi in (None, "linear") else phi
  note = (
    "" if phi in READOUTS else f"The nonlinearity {phi} of {node.name} is left out; outputs are the numbers before it."
  )
  params = ReadoutParams(kernel, np.zeros_like(kernel[0]) if bias is None else bias)
  return Top(Readout(node.name, params, phi if phi in READOUTS else "identity"), note)


def top_of(found: Sequence[Node], last: Node, stored: Stored, wanted: str | bool) -> Top | None:
  """Returns the dense layer on the outputs of the last recurrent one, if it is the only layer there or the wanted one."""
  if wanted is False:
    return None
  heads, below = [], [last.name]
  while below:
    above = [node for node in found if node.parents == (below[0],)]
    heads += [node for node in above if matters(node)]
    below = [*below[1:], *(node.name for node in above if not matters(node))]
  tops = {node.name: top for node in heads if (top := dense(node, stored)) is not None}
  if isinstance(wanted, str):
    if wanted not in tops:
      raise ValueError(f"readout is {wanted!r}; the dense layers on {last.name} are {', '.join(tops) or 'none'}.")
    return tops[wanted]
  return next(iter(tops.values())) if len(heads) == len(tops) == 1 else None
