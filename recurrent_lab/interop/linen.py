"""Any `Cell` as a cell of flax.linen, for `nn.RNN`, `nn.Bidirectional` and all that takes an `nn.RNNCellBase`.

    nn.RNN(CellModule(rl.get_cell("lstm"), features=16))

Its parameters are the arrays of the pure cell, in Flax's tree under the names of `to_named`: `input_kernel`,
`recurrent_kernel`, `bias`. Its carry is the pure cell's state.
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
  """A cell of the lab as a linen module; calls are `(carry, inputs) -> (carry, outputs)`.

  Attributes:
    cell: any `Cell`, a stack too.
    features: hidden units H.
    options: those of the cell's `init`.
  """

  cell: Cell
  features: int
  options: Mapping[str, Any] = FrozenDict()

  @nn.compact
  def __call__(self, carry: State, inputs: Array) -> tuple[State, Array]:
    like = self.shapes(inputs.shape[-1])
    if self.has_params(like):
      values = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), like)  # Flax asks for shapes again
    else:
      values = self.cell.init(self.make_rng("params"), inputs.shape[-1], self.features, **self.options)
    stored = {name: self.param(name, lambda _, value=value: value) for name, value in to_named(values).items()}
    return self.cell.step(from_named(like, stored), carry, inputs)

  @nn.nowrap
  def initialize_carry(self, rng: Key[Array, ""] | None, input_shape: tuple[int, ...]) -> State:
    """S_0 of the pure cell, a learned one where there are parameters already; no randomness."""
    del rng
    like = self.shapes(input_shape[-1])
    if self.scope is not None and self.has_params(like):
      params = from_named(like, {name: self.get_variable("params", name) for name in to_named(like)})
    else:
      params = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), like)
    return self.cell.initial_state(params, tuple(input_shape[:-1]))

  @nn.nowrap
  def shapes(self, input_size: int) -> Params:
    """The pure cell's params, of which only structure, shapes and dtypes count."""
    draw = lambda key: self.cell.init(key, input_size, self.features, **self.options)
    return jax.eval_shape(draw, jax.random.key(0))

  @nn.nowrap
  def has_params(self, like: Params) -> bool:
    return all(self.has_variable("params", name) for name in to_named(like))

  @property
  def num_feature_axes(self) -> int:
    return 1


def to_params(module: CellModule, tree: Mapping[str, Any]) -> Params:
  """The pure cell's params, from the module's tree: the same arrays.

  Args:
    module: the module.
    tree: its `variables["params"]` (`["cell"]` of those of `nn.RNN`).

  Raises:
    ValueError: for a missing or unknown name.
  """
  like = module.shapes(1)  # of these only the structure counts: the tree knows the input size
  leaves = [tree.get(name, leaf) for name, leaf in to_named(like).items()]
  return from_named(jax.tree.unflatten(jax.tree.structure(like), leaves), tree)
