"""Finds the dense layers among named arrays, and the one that is the readout of a net."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from recurrent_lab.interop.modules.files import Arrays, is_float
from recurrent_lab.interop.modules.found import Layer, Pair, Readout
from recurrent_lab.readouts import ReadoutParams

# Names of the kernel and the bias of a dense layer, and whether the kernel is (out, in).
NAMES = {"kernel": ("bias", False), "w": ("b", False), "weight": ("bias", True)}


class Dense(NamedTuple):
  """The arrays of a dense layer."""

  kernel: Any  # (in, out)
  bias: Any  # None if there is none
  could_embed: bool  # whether it could as well be a table of embeddings, from which rows are read


def dense_layers(arrays: Arrays) -> dict[str, Dense]:
  """Returns the groups of arrays that are dense layers, by the path of the group."""
  groups: dict[str, Arrays] = {}
  for name, array in arrays.items():
    prefix, _, leaf = name.rpartition("/")
    groups.setdefault(prefix, {})[leaf] = array
  found = {}
  for prefix, group in groups.items():
    leaf = next((leaf for leaf in group if leaf in NAMES), "")
    if not leaf or group.keys() - {leaf, NAMES[leaf][0]}:
      continue
    is_turned = NAMES[leaf][1]
    kernel, bias = group[leaf].T if is_turned else group[leaf], group.get(NAMES[leaf][0])
    is_dense = kernel.ndim == 2 and kernel.size and is_float(kernel)
    if is_dense and (bias is None or bias.shape == kernel.shape[1:]):
      found[prefix] = Dense(np.ascontiguousarray(kernel), bias, could_embed=is_turned and bias is None)
  return found


def choose_readout(
  dense: Mapping[str, Dense], layers: Sequence[Layer | Pair], wanted: str | bool
) -> tuple[Readout | None, tuple[str, ...]]:
  """Returns the dense layer on top, and sentences on the choice.

  A dense layer is taken if it alone has the width of the highest recurrent layer, and no other one has its outputs as inputs.

  Args:
    dense: the dense layers by name.
    layers: the recurrent layers, from the lowest to the highest.
    wanted: the argument `readout` of `import_model`.

  Raises:
    ValueError: for a name that no dense layer has, or one of another width.
  """
  width = layers[-1].output_size
  if isinstance(wanted, str):
    if wanted not in dense:
      raise ValueError(f"readout is {wanted!r}; the dense layers are {', '.join(dense) or 'none'}.")
    if len(dense[wanted].kernel) != width:
      raise ValueError(f"{wanted} takes {len(dense[wanted].kernel)} numbers, but the layer below it puts out {width}.")
    return _as_readout(wanted, dense[wanted]), ()
  fitting = {name: one for name, one in dense.items() if len(one.kernel) == width}
  if not wanted or not fitting:
    return None, ()
  if len(fitting) == 1:
    name, one = next(iter(fitting.items()))
    above = [other for other, its in dense.items() if other != name and len(its.kernel) == one.kernel.shape[1]]
    if above:
      reason = f"{name} may feed {above[0]}"
    elif one.could_embed and width == layers[0].input_size:
      reason = f"{name} has no bias and may be an embedding"
    else:
      return _as_readout(name, one), ()
  else:
    reason = f"{len(fitting)} dense layers have the width of the net"
  choices = " or ".join(f"readout={name!r}" for name in fitting)
  return None, (f"No readout is taken, because {reason}; choose {choices}.",)


def _as_readout(name: str, dense: Dense) -> Readout:
  bias = np.zeros_like(dense.kernel[0]) if dense.bias is None else dense.bias
  return Readout(name, ReadoutParams(dense.kernel, bias))
