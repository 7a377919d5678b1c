"""Turns any `Cell` into a cell of flax.linen, for `nn.RNN`, `nn.Bidirectional` and other users of `nn.RNNCellBase`.

    nn.RNN(CellModule(rl.get_cell("lstm"), features=16))

The parameters of the module are the arrays of the pure cell. Their names in Flax's tree are those of `exchange.to_named`:
`input_kernel`, `recurrent_kernel`, `bias`. The carry is the state of the pure cell.
"""

from collections.abc import Mapping
from typing import Any

from flax import linen as nn
from flax.core import FrozenDict
import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.interop.exchange import from_named, to_named


class CellModule(nn.RNNCellBase):
  """A `Cell` as a linen module, called as `(carry, inputs) -> (carry, outputs)`.

  Attributes:
    cell: any `Cell`, including a stack.
    features: the number of hidden units H.
    options: options of the cell's `init`.
  """

  cell: Cell
  features: int
  options: Mapping[str, Any] = FrozenDict()

  @nn.compact
  def __call__(self, carry: State, inputs: Array) -> tuple[State, Array]:
    like = self.shapes(inputs.shape[-1])
    if self.has_params(like):
      # Flax checks the shapes of existing parameters.
      values = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), like)
    else:
      values = self.cell.init(self.make_rng("params"), inputs.shape[-1], self.features, **self.options)
    stored = {name: self.param(name, lambda _, value=value: value) for name, value in to_named(values).items()}
    return self.cell.step(from_named(like, stored), carry, inputs)

  @nn.nowrap
  def initialize_carry(self, rng: Key[Array, ""] | None, input_shape: tuple[int, ...]) -> State:
    """Returns S_0 of the pure cell; a learned S_0 is used if the parameters exist. `rng` is not used."""
    del rng
    like = self.shapes(input_shape[-1])
    if self.scope is not None and self.has_params(like):
      params = from_named(like, {name: self.get_variable("params", name) for name in to_named(like)})
    else:
      params = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), like)
    return self.cell.initial_state(params, tuple(input_shape[:-1]))

  @nn.nowrap
  def shapes(self, input_size: int) -> Params:
    """Returns the structure, shapes and dtypes of the pure cell's params."""
    draw = lambda key: self.cell.init(key, input_size, self.features, **self.options)
    return jax.eval_shape(draw, jax.random.key(0))

  @nn.nowrap
  def has_params(self, like: Params) -> bool:
    return all(self.has_variable("params", name) for name in to_named(like))

  @property
  def num_feature_axes(self) -> int:
    return 1


def to_params(module: CellModule, tree: Mapping[str, Any]) -> Params:
  """Returns the params of the pure cell, which are the same arrays as in the module's tree.

  Args:
    module: the module.
    tree: its `variables["params"]`; for a module inside `nn.RNN`, `variables["params"]["cell"]`.

  Raises:
    ValueError: for a missing or unknown name.
  """
  like = module.shapes(1)  # only the structure is used; the input size comes from the tree
  leaves = [tree.get(name, leaf) for name, leaf in to_named(like).items()]
  return from_named(jax.tree.unflatten(jax.tree.structure(like), leaves), tree)
