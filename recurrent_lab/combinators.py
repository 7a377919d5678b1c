"""Combinators, which make cells of cells: stacks, dropout, learned initial states, and nets that read in both directions.

The output of one cell is the input of the next:

    s¹_t, o¹_t = step¹(s¹_{t-1}, x_t),      s²_t, o²_t = step²(s²_{t-1}, o¹_t),      ...

A stack is a `Cell` whose state is the tuple of all layers' states, so every measurement works on it. The diagonal blocks of its
Jacobian are the Jacobians of the layers, and the other blocks carry the effect of a lower layer on a higher one. The results of
`dropout` and `learned_state` are cells too.

A net that reads in both directions is not a cell, because its output depends on future inputs. `bidirectional_unroll` takes a
pair of cells, and every measurement works on each of the two.

References: Graves, Mohamed & Hinton, "Speech recognition with deep recurrent neural networks", ICASSP (2013), for stacks;
Schuster & Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing 45 (1997); Gal &
Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", NeurIPS (2016).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab._chain import chained, unchanged, wrapped
from recurrent_lab._checks import check_key
from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Chain, Link, Params, State, check_params, variants
from recurrent_lab.sequences._steps import check_width
from recurrent_lab.sequences.alignment import masked_unroll
from recurrent_lab.sequences.unrolling import unroll


class DropoutParams(NamedTuple):
  """Parameters of a cell under `dropout`."""

  cell: Params  # the params of the cell
  mask: Float[Array, "*batch I"]  # the factors of the inputs, 0 or 1 / (1 - rate); see `draw_masks`


class LearnedStateParams(NamedTuple):
  """Parameters of a cell under `learned_state`."""

  cell: Params  # the params of the cell
  state: State  # S_0, without batch axes


class BidirectionalParams(NamedTuple):
  """Parameters of two cells that read a sequence in opposite directions."""

  forward: Params  # parameters of the cell that reads from the first step to the last
  backward: Params  # parameters of the cell that reads from the last step to the first


@variants
def stack(*cells: Cell) -> Cell:
  """Stacks cells, the first one lowest. Params and state are tuples with one entry per layer.

  The output is that of the top layer.

  Raises:
    ValueError: if there are no cells.
  """
  if not cells:
    raise ValueError("A stack needs at least one cell.")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> Params:
    """Draws parameters with `hidden_size` units in every layer. `options` go to each layer's `init`."""
    sizes = [input_size] + [hidden_size] * (len(cells) - 1)
    keys = jax.random.split(key, len(cells))
    return tuple(cell.init(k, size, hidden_size, **options) for cell, k, size in zip(cells, keys, sizes, strict=True))

  def link(i: int) -> Link:
    def own_params(params: Params) -> Params:
      if len(params) != len(cells):
        raise ValueError(f"A stack of {len(cells)} cells needs as many params, but was given {len(params)}.")
      return params[i]

    def enter(params: Params, x: Array) -> Array:
      if i > 0:
        check_width(params[i], x, f"Layer {i} puts out {x.shape[-1]} numbers per step; layer {i + 1} takes")
      return x

    return Link(cells[i], own_params, enter, unchanged)

  return chained(Chain(tuple(map(link, range(len(cells)))), is_stack=True), init)


@variants
def dropout(cell: Cell) -> Cell:
  """Multiplies the inputs of a cell by a mask: dropout between layers, as in `stack(lower, dropout(upper))`.

      s_t, o_t = step(s_{t-1}, m ⊗ x_t)

  Params are `DropoutParams(cell, mask)`. `init` makes a mask of ones, which drops nothing; `draw_masks` draws random masks. The
  mask has no gradient. It is the same at every step, so every instrument works on a masked net.
  """

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> DropoutParams:
    """Draws the params of the cell, with a mask of ones. `options` go to the cell's `init`."""
    params = cell.init(key, input_size, hidden_size, **options)
    return DropoutParams(params, jnp.ones(input_size, options.get("dtype", jnp.float32)))

  return wrapped(cell, DropoutParams, init, enter=lambda params, x: jax.lax.stop_gradient(params.mask) * x)


def draw_masks(key: Key[Array, ""], params: Params, rate: ArrayLike, batch_shape: tuple[int, ...] = ()) -> Params:
  """Returns the params with a new random mask in every `DropoutParams`.

  An entry of a mask is 0 with probability `rate`, else 1 / (1 - rate), so inputs keep their mean. In training, draw masks inside
  the loss: `loss(params) = ... unroll(cell, draw_masks(key, params, 0.5, (batch,)), xs)`. The trained params then keep masks of
  ones.

  Args:
    key: the random key of the masks.
    params: params of any cell, with `DropoutParams` anywhere in them.
    rate: the share of inputs to drop, from 0 (masks of ones) to below 1.
    batch_shape: if given, every member of a batch gets its own masks.

  Raises:
    ValueError: for a rate outside [0, 1), unless it is traced, or for a number in place of the key.
  """
  check_key(key)
  if not isinstance(rate, jax.core.Tracer) and not np.all((np.asarray(rate) >= 0) & (np.asarray(rate) < 1)):
    raise ValueError(f"The dropout rate is {rate}; it must be at least 0 and below 1.")
  is_masked = lambda node: isinstance(node, DropoutParams)
  keys = iter(jax.random.split(key, len(jax.tree.leaves(params))))

  def draw(node: Any) -> Any:
    if not is_masked(node):
      return node
    key, (size, dtype) = next(keys), (node.mask.shape[-1], node.mask.dtype)
    keep = 1 - jnp.asarray(rate, dtype)
    mask = jnp.where(jax.random.bernoulli(key, keep, (*batch_shape, size)), 1 / keep, 0)
    return DropoutParams(jax.tree.map(draw, node.cell, is_leaf=is_masked), mask.astype(dtype))

  return jax.tree.map(draw, params, is_leaf=is_masked)


@variants
def learned_state(cell: Cell) -> Cell:
  """Makes the initial state of a cell a parameter, the same for all members of a batch.

  Params are `LearnedStateParams(cell, state)`. `init` sets the state to the cell's own initial state. The functions of the new
  cell raise a `ValueError` for other params.
  """

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LearnedStateParams:
    """Draws the params of the cell and takes its initial state. `options` go to the cell's `init`."""
    params = cell.init(key, input_size, hidden_size, **options)
    return LearnedStateParams(params, cell.initial_state(params))

  def initial_state(params: LearnedStateParams, batch_shape: tuple[int, ...] = ()) -> State:
    return jax.tree.map(lambda a: jnp.broadcast_to(a, (*batch_shape, *jnp.shape(a))), params.state)

  return wrapped(cell, LearnedStateParams, init, initial_state=initial_state)


def init_bidirectional(
  forward: Cell, backward: Cell, key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any
) -> BidirectionalParams:
  """Draws the parameters of both cells, with `hidden_size` units each. `options` go to each cell's `init`.

  Raises:
    ValueError: if `key` is not a random key.
  """
  check_key(key)
  k_forward, k_backward = jax.random.split(key)
  return BidirectionalParams(
    forward.init(k_forward, input_size, hidden_size, **options),
    backward.init(k_backward, input_size, hidden_size, **options),
  )


@compiled("forward", "backward")
def bidirectional_unroll(
  forward: Cell,
  backward: Cell,
  params: BidirectionalParams,
  xs: Float[Array, "T *batch I"],
  mask: Float[Array, "T *batch"] | None = None,
  state: tuple[State | None, State | None] = (None, None),
) -> tuple[tuple[State, State], Float[Array, "T *batch H"]]:
  """Runs one cell from the first step to the last, and the other from the last to the first.

  For several layers, call this function in a loop over layers. To measure the backward cell, pass `xs[::-1]` to the instruments.

  Args:
    forward: the cell that reads x_1 … x_T.
    backward: the cell that reads x_T … x_1.
    params: the parameters of both.
    xs: inputs `[T, ..., I]`.
    mask: 0 at padded steps, as in `sequence.masked_unroll`. The backward cell starts at the last real step.
    state: the states of forward before x_1 and of backward before x_T. None means the cell's initial state.

  Returns:
    `((S_T of forward, S_1 of backward), outputs)`. o_t holds the outputs of both side by side, forward first.

  Raises:
    ValueError: in the cases of `unroll` and `masked_unroll`.
  """
  check_params(params, BidirectionalParams)
  if mask is None:
    ahead, o_ahead = unroll(forward, params.forward, xs, state[0])
    back, o_back = unroll(backward, params.backward, xs[::-1], state[1])
  else:
    ahead, o_ahead = masked_unroll(forward, params.forward, xs, mask, state[0])
    back, o_back = masked_unroll(backward, params.backward, xs[::-1], mask[::-1], state[1])
  return (ahead, back), jnp.concatenate([o_ahead, o_back[::-1]], axis=-1)
