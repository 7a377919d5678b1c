"""Cells on top of each other: the output of one is the input of the next.

    s¹_t, o¹_t = step¹(s¹_{t-1}, x_t),      s²_t, o²_t = step²(s²_{t-1}, o¹_t),      ...

A stack is a `Cell` again, whose state is all layers' states jointly, so every measurement works on it: the diagonal blocks of
its Jacobian are those of the layers, and blocks of a lower layer on a higher one carry what passes between them.

Reference: Graves, Mohamed & Hinton, "Speech recognition with deep recurrent neural networks", ICASSP (2013).
"""

from typing import Any

import jax
from jaxtyping import Array, Key

from recurrent_lab.activations import Activity
from recurrent_lab.cell import Cell, Params, State, variants


@variants
def stack(*cells: Cell) -> Cell:
  """The cells as one, the first lowest; params and state are tuples with an entry a layer, the output is the top layer's.

  Raises:
    ValueError: for no cells.
  """
  if not cells:
    raise ValueError("A stack needs at least one cell.")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> Params:
    """Random parameters, `hidden_size` units in every layer; `options` go to each layer's `init`."""
    sizes = [input_size] + [hidden_size] * (len(cells) - 1)
    keys = jax.random.split(key, len(cells))
    return tuple(cell.init(k, size, hidden_size, **options) for cell, k, size in zip(cells, keys, sizes, strict=True))

  def initial_state(params: Params, batch_shape: tuple[int, ...] = ()) -> State:
    return tuple(cell.initial_state(p, batch_shape) for cell, p in zip(cells, params, strict=True))

  def step(params: Params, state: State, x: Array) -> tuple[State, Array]:
    new = []
    for cell, p, s in zip(cells, params, state, strict=True):
      s, x = cell.step(p, s, x)
      new.append(s)
    return tuple(new), x

  def probe(params: Params, state: State, x: Array) -> dict[str, Activity]:
    seen: dict[str, Activity] = {}
    for layer, (cell, p, s) in enumerate(zip(cells, params, state, strict=True), start=1):
      assert cell.probe is not None
      seen |= {f"{name} {layer}": activity for name, activity in cell.probe(p, s, x).items()}
      _, x = cell.step(p, s, x)
    return seen

  return Cell(init, initial_state, step, probe if all(cell.probe is not None for cell in cells) else None)
