"""The state dicts of Paddle's `nn.LSTM`, `nn.GRU` and `nn.SimpleRNN`, which hold every array twice.

    rnn.weight_ih_l1_reverse      the names of torch, by layer and direction
    rnn.1.cell_bw.weight_ih       the cells; `cell` alone if the module reads in one direction

With a projection, the first names are shifted against the arrays from the second cell on, because Paddle 3.3.1 counts four arrays
per cell where there are five: `weight_hh_l1` then holds the input kernel of layer 1. So the names of the cells are taken.

Paddle's dense layers hold `weight [in, out]`, and torch's `weight [out, in]`.
"""

import re

import numpy as np

Arrays = dict[str, np.ndarray]

CELL = re.compile(r"((?:.*/)?)(\d+)/cell(_fw|_bw)?/((?:weight|bias)_(?:ih|hh|ho))")
FLAT = re.compile(r"((?:.*/)?)(?:weight|bias)_(?:ih|hh)_l\d+(?:_reverse)?")


def as_torch(arrays: Arrays) -> Arrays:
  """Returns the arrays with those of Paddle's modules once, under the names that torch has for them. Others stay as they are.

  Paddle's projection `weight_ho [H, P]` is torch's `weight_hr [P, H]`. Without a module of Paddle, nothing changes.
  """
  cells = {name: match for name in arrays if (match := CELL.fullmatch(name))}
  flat = {name: match[1] for name in arrays if (match := FLAT.fullmatch(name))}
  modules = {match[1] for match in cells.values()} & set(flat.values())
  found: Arrays = {}
  for name, array in arrays.items():
    if flat.get(name) in modules:
      continue
    match = cells.get(name)
    if match is None or match[1] not in modules:
      found[name] = array.T if modules and _is_dense(name, arrays) else array
      continue
    prefix, layer, way, leaf = match.groups()
    torch_leaf = "weight_hr" if leaf == "weight_ho" else leaf
    end = "_reverse" if way == "_bw" else ""
    found[f"{prefix}{torch_leaf}_l{layer}{end}"] = array.T if leaf == "weight_ho" else array
  return found


def _is_dense(name: str, arrays: Arrays) -> bool:
  """Returns True for the kernel of a dense layer of Paddle, which has a bias of its width."""
  prefix, _, leaf = name.rpartition("/")
  bias = arrays.get(f"{prefix}/bias")
  return leaf == "weight" and bias is not None and arrays[name].ndim == 2 and bias.shape == arrays[name].shape[1:]
