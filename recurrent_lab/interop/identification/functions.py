"""A reading of arrays in the lab: its cell, its params, and a sentence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from recurrent_lab import parametric
from recurrent_lab.activations import Activation
from recurrent_lab.cell import Cell, Params
from recurrent_lab.cells import CELLS, GRUParams, LSTMParams, ResetBeforeGRUParams, RNNParams, gru, lstm
from recurrent_lab.cells._lstm import CoupledLSTMParams, NoForgetLSTMParams
from recurrent_lab.cells.dense import MGUParams
from recurrent_lab.interop.identification.arrangements import Arrangement
from recurrent_lab.interop.identification.families import LETTERS, Variant

RNNS = {
  "tanh": "rnn",
  "relu": "rnn_relu",
  "sigmoid": "rnn_sigmoid",
  "identity": "rnn_linear",
  "leaky_relu": "rnn_leaky_relu",
  "softsign": "rnn_softsign",
  "hard_tanh": "rnn_hard_tanh",
}
# The nonlinearities of gates, under the words of `families.GATES`.
SIGMOIDS: Mapping[str, str | Activation] = MappingProxyType(
  {
    "sigmoid": "sigmoid",
    "hard sigmoid of slope 1/6": parametric.hard_sigmoid(1 / 6, 0.5),
    "hard sigmoid of slope 1/5": parametric.hard_sigmoid(1 / 5, 0.5),
  }
)


class OfLab(NamedTuple):
  """A reading as the lab has it."""

  name: str | None  # in `CELLS`, or None
  cell: Cell | None
  params: Params | None
  missing: str  # what the lab has no cell for, or ""
  numbers: Params  # the params, even if the lab has no cell for them


def of_lab(variant: Variant, arrangement: Arrangement, dtype: Any) -> OfLab:
  """Returns the lab's cell and params of a reading, or the reason why it has none."""
  cell, missing = _cell(variant)
  name = next((name for name, known in CELLS.items() if known is cell), None)
  params = _params(variant, arrangement, dtype)
  return OfLab(name, cell, params if cell else None, missing, params)


def _cell(variant: Variant) -> tuple[Cell | None, str]:
  sigma = SIGMOIDS[variant.gate]
  if variant.family == "rnn":
    return CELLS[RNNS[variant.node]], ""
  if variant.family == "gru":
    return gru(variant.reset, variant.node, sigma), ""
  if variant.family == "mgu":
    if (variant.reset, variant.update, variant.node, variant.gate) == ("before", "writes", "tanh", "sigmoid"):
      return CELLS["mgu"], ""
    return None, sentence(variant)
  forget = {"lstm": "gate", "lstm, f = 1": "none"}.get(variant.family, "coupled")
  return lstm(variant.node, forget, variant.output, sigma), ""


def _params(variant: Variant, arrangement: Arrangement, dtype: Any) -> Params:
  """Returns kernels with the gates in the lab's order, and biases with what is added at run time."""
  coupled_by_input = variant.family == "lstm, f = 1 - i"
  letters = LETTERS[variant.family]
  places = [variant.order.index(gate) for gate in letters]
  # σ(-a) = 1 - σ(a), also for hard sigmoids: a gate that writes is the negative of one that keeps.
  negative = "z" if variant.family == "gru" and variant.update == "writes" else "i" if coupled_by_input else ""
  signs = [-1.0 if gate == negative else 1.0 for gate in letters]
  shifts = [float(variant.shift) if gate == "f" and variant.family.startswith("lstm") else 0.0 for gate in letters]
  side_by_side = lambda blocks: np.hstack([sign * blocks[k] for sign, k in zip(signs, places, strict=True)]).astype(
    dtype
  )
  biases = arrangement.biases
  bias = [sign * biases.total[k] + shift for sign, shift, k in zip(signs, shifts, places, strict=True)]
  kernels = side_by_side(arrangement.input_kernel), side_by_side(arrangement.recurrent_kernel)
  whole = np.concatenate(bias).astype(dtype)
  if variant.family == "gru" and variant.reset == "after":
    bias[2] = biases.outside[places[2]]
    fields: Any = (*kernels, np.concatenate(bias).astype(dtype), biases.inside[places[2]].astype(dtype))
    return GRUParams(*fields)
  kind: Any = {
    "rnn": RNNParams,
    "mgu": MGUParams,
    "gru": ResetBeforeGRUParams,
    "lstm": LSTMParams,
    "lstm, f = 1": NoForgetLSTMParams,
  }.get(variant.family, CoupledLSTMParams)
  return kind(*kernels, whole)


def sentence(variant: Variant) -> str:
  """Returns the function in words, such as `LSTM, gates i f g o, 1 added to f at run time`."""
  if variant.family == "rnn":
    return f"Elman network with {variant.node}"
  order = " ".join(variant.order)
  if variant.family in ("gru", "mgu"):
    family = "GRU" if variant.family == "gru" else "minimal gated unit"
    gate = "z" if variant.family == "gru" else "f"
    kept = "keeps the state" if variant.update == "keeps" else "writes the candidate"
    words = [family, f"gates {order}", f"reset {variant.reset} the product", f"{gate} {kept}"]
  else:
    words = [variant.family.replace("lstm", "LSTM"), f"gates {order}"]
    words += ["1 added to f at run time"] if variant.shift else []
    words += [f"{variant.output} on the cell state"] if variant.output != "tanh" else []
  words += [f"candidate {variant.node}"] if variant.node != "tanh" else []
  words += [variant.gate] if variant.gate != "sigmoid" else []
  return ", ".join(words)
