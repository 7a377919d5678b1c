"""The tables of `layouts` that read given arrays: by their names before the search, and by their numbers after it."""

from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np

from recurrent_lab.cell import Params
from recurrent_lab.cells import GRUParams, LSTMParams, ResetBeforeGRUParams, RNNParams
from recurrent_lab.cells._lstm import NoForgetLSTMParams
from recurrent_lab.cells.dense import MGUParams
from recurrent_lab.interop.identification.arrangements import Arrangement
from recurrent_lab.interop.identification.bias_readings import BiasReading
from recurrent_lab.interop.layers import to_layer
from recurrent_lab.interop.layouts import LAYOUTS, Layout
from recurrent_lab.interop.weights import import_weights

GATES = {LSTMParams: 4, NoForgetLSTMParams: 3, GRUParams: 3, ResetBeforeGRUParams: 3, MGUParams: 2, RNNParams: 1}
MOST_ARRAYS = 4  # with more, their assignments to a table are not tried


def by_name(arrays: Mapping[str, np.ndarray]) -> Iterator[Arrangement]:
  """Yields the arrangements of the tables that have arrays of just these names, with the gates in the lab's order."""
  for kind, layout in LAYOUTS.items():
    params = _read(kind, arrays) if layout.params in GATES else None
    if params is not None:
      yield _arrangement(params, GATES[layout.params], f"as {kind} by name")


def alike(arrays: Mapping[str, np.ndarray], params: Params) -> tuple[str, ...]:
  """Returns the tables that read these arrays, under names of their own, as the same params."""
  return tuple(kind for kind, layout in LAYOUTS.items() if _reads(kind, layout, list(arrays.items()), params))


def _reads(kind: str, layout: Layout, arrays: list[tuple[str, np.ndarray]], params: Params) -> bool:
  if layout.params is not type(params):
    return False
  if _same(_read(kind, dict(arrays)), params):
    return True
  needed = [part.name for part in layout.parts if not part.optional]
  names = [part.name for part in layout.parts]
  chosen = names if len(names) == len(arrays) else needed
  if len(chosen) != len(arrays) or len(arrays) > MOST_ARRAYS:
    return False
  plain = [array[0] if layout.layers.stacked and array.ndim and len(array) == 1 else array for _, array in arrays]
  return any(
    _same(_read(kind, to_layer(layout, dict(zip(chosen, order, strict=True)), "0")), params)
    for order in permutations(plain)
  )


def _read(kind: str, arrays: Mapping[str, np.ndarray]) -> Params | None:
  """Returns the params of arrays that fit the table, or None."""
  try:
    return import_weights(kind, arrays, exact=False)
  except ValueError:
    return None


def _same(found: Params | None, params: Params) -> bool:
  """Returns True if the params are equal, up to the rounding of two biases that are added in another order."""
  return found is not None and all(np.allclose(a, b, rtol=1e-6, atol=1e-6) for a, b in zip(found, params, strict=True))


def _arrangement(params: Params, gates: int, words: str) -> Arrangement:
  blocks = lambda array: np.stack(np.split(np.asarray(array, np.float64), gates, axis=-1))
  bias = blocks(params.bias)
  inner = getattr(params, "recurrent_bias", np.zeros_like(params.bias[: bias.shape[1]]))
  inside = np.broadcast_to(np.asarray(inner, np.float64), bias.shape)
  biases = BiasReading(bias, bias, inside, "")
  return Arrangement(blocks(params.input_kernel), blocks(params.recurrent_kernel), biases, words)
