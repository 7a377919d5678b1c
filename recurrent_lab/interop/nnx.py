"""Turns any `Cell` into a cell of flax.nnx, for `nnx.RNN`, `nnx.Bidirectional` and other users of `nnx.RNNCellBase`.

    nnx.RNN(CellModule(rl.get_cell("lstm"), 3, 16, rngs=nnx.Rngs(0)))

The parameters of the module are `nnx.Param`s that hold the arrays of the pure cell. Their names are those of `exchange.to_named`:
`input_kernel`, `recurrent_kernel`, `bias`. The carry is the state of the pure cell.
"""

from typing import Any

from flax import nnx
import jax
from jaxtyping import Array

from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.interop.exchange import to_named


class CellModule(nnx.RNNCellBase):
  """A `Cell` as an nnx module, called as `(carry, inputs) -> (carry, outputs)`."""

  def __init__(self, cell: Cell, in_features: int, hidden_features: int, *, rngs: nnx.Rngs, **options: Any):
    """Draws the parameters. `options` are options of the cell's `init`."""
    params = cell.init(rngs.params(), in_features, hidden_features, **options)
    named = to_named(params)
    self.cell = nnx.static(cell)
    self.structure = jax.tree.structure(params)
    self.names = tuple(named)
    for name, array in named.items():
      setattr(self, name, nnx.Param(array))

  def to_params(self) -> Params:
    """Returns the params of the pure cell, which are the same arrays."""
    return jax.tree.unflatten(self.structure, [getattr(self, name)[...] for name in self.names])

  def __call__(self, carry: State, inputs: Array) -> tuple[State, Array]:
    return self.cell.step(self.to_params(), carry, inputs)

  def initialize_carry(self, input_shape: tuple[int, ...], rngs: Any = None, carry_init: Any = None) -> State:
    """Returns S_0 of the pure cell, learned or not. `rngs` and `carry_init` are not used."""
    del rngs, carry_init
    return self.cell.initial_state(self.to_params(), tuple(input_shape[:-1]))

  @property
  def num_feature_axes(self) -> int:
    return 1
