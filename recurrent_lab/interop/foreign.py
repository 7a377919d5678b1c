"""Turns cells of Flax, Haiku and Equinox into a `Cell`, so that every instrument of the lab works on them.

The `Cell` runs the code of the other library, so the lab need not know how the weights are stored. The params are the library's
parameter tree. The state is the library's carry in its own order: (c, h) in Flax, (h, c) in Haiku and Equinox. `init` draws the
same parameters as the module would, and accepts only the sizes of the module.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from recurrent_lab.cell import Cell, Params, State, variants


def from_flax(module: Any) -> Cell:
  """Turns a cell of flax.linen or flax.nnx into a `Cell`.

  Args:
    module: an `RNNCellBase` of flax.linen or flax.nnx. The params of a linen cell are its `variables["params"]`; for a cell
      inside `nn.RNN` they are `variables["params"]["cell"]`. The params of an nnx cell are `nnx.state(module, nnx.Param)`.

  Raises:
    ValueError: for any other object, or a cell that works on more than the last axis.
  """
  from flax import linen, nnx

  if isinstance(module, linen.RNN | nnx.RNN):
    raise ValueError("An RNN is a loop over a cell; give from_flax the cell alone, its attribute `cell`.")
  if not isinstance(module, linen.RNNCellBase | nnx.RNNCellBase):
    raise ValueError(f"from_flax takes an RNNCellBase of flax.linen or flax.nnx, not {type(module).__name__}.")
  if module.num_feature_axes != 1:
    raise ValueError(f"{type(module).__name__} works on {module.num_feature_axes} axes; a Cell works on the last.")
  return _from_linen(module) if isinstance(module, linen.RNNCellBase) else _from_nnx(module)


@variants
def _from_linen(module: Any) -> Cell:
  def initial_state(params: Params, batch_shape: tuple[int, ...] = ()) -> State:
    del params
    return module.initialize_carry(jax.random.key(0), (*batch_shape, 1))  # the last size is not used

  def step(params: Params, state: State, x: Array) -> tuple[State, Array]:
    return module.apply({"params": params}, state, x)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int) -> Params:
    x = jnp.zeros(input_size)
    params = module.init(key, initial_state(None), x)["params"]
    check_size(step, params, initial_state(params), x, hidden_size)
    return params

  return Cell(init, initial_state, step)


def _from_nnx(module: Any) -> Cell:
  from flax import nnx

  graph, _, rest = nnx.split(module, nnx.Param, ...)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int) -> Params:
    raise ValueError("An nnx module is made with its parameters; take nnx.state(module, nnx.Param) instead of init.")

  def initial_state(params: Params, batch_shape: tuple[int, ...] = ()) -> State:
    return nnx.merge(graph, params, rest).initialize_carry((*batch_shape, 1), nnx.Rngs(0))

  def step(params: Params, state: State, x: Array) -> tuple[State, Array]:
    return nnx.merge(graph, params, rest)(state, x)

  return Cell(init, initial_state, step)


@variants
def from_haiku(make: Callable[[], Any]) -> Cell:
  """Turns a recurrent core of Haiku into a `Cell`.

  Args:
    make: a function that returns the core, such as `lambda: hk.LSTM(8)`. The params are those of `hk.transform` of one call.

  Raises:
    ValueError: raised by `init` for a `hidden_size` other than that of the core.
  """
  import haiku as hk

  call = hk.without_apply_rng(hk.transform(lambda x, state: make()(x, state)))
  begin = hk.without_apply_rng(hk.transform(lambda: make().initial_state(None)))

  def initial_state(params: Params, batch_shape: tuple[int, ...] = ()) -> State:
    del params
    return jax.tree.map(lambda a: jnp.broadcast_to(a, (*batch_shape, *a.shape)), begin.apply({}))

  def step(params: Params, state: State, x: Array) -> tuple[State, Array]:
    function = lambda x, state: call.apply(params, x, state)
    output, new = over_batch(function, x.ndim - 1)(x, state)
    return new, output

  def init(key: Key[Array, ""], input_size: int, hidden_size: int) -> Params:
    x = jnp.zeros(input_size)
    params = call.init(key, x, initial_state(None))
    check_size(step, params, initial_state(params), x, hidden_size)
    return params

  return Cell(init, initial_state, step)


def from_equinox(module: Any, state: State | None = None) -> Cell:
  """Turns a cell of Equinox, or any module `(x, state) -> state` of one example, into a `Cell`.

  Args:
    module: the cell. The params are `eqx.filter(module, eqx.is_inexact_array)`, which for cells of `eqx.nn` is the module itself.
      The output is the first array of the state.
    state: the initial state of one example. By default zeros for the cells of `eqx.nn`; required for other modules.

  Raises:
    ValueError: for a module of another library, or if `state` is missing and the module is not a cell of `eqx.nn`.
  """
  import equinox as eqx

  if not isinstance(module, eqx.Module):
    raise ValueError(f"from_equinox takes a module of Equinox, not {type(module).__name__}.")
  is_known = isinstance(module, eqx.nn.LSTMCell | eqx.nn.GRUCell)
  if state is None:
    if not is_known:
      raise ValueError(f"{type(module).__name__} is not a cell of eqx.nn; give from_equinox its initial state too.")
    zeros = jnp.zeros(module.hidden_size, module.weight_hh.dtype)
    state = (zeros, zeros) if isinstance(module, eqx.nn.LSTMCell) else zeros
  _, static = eqx.partition(module, eqx.is_inexact_array)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int) -> Params:
    if not is_known or (input_size, hidden_size) != (module.input_size, module.hidden_size):
      raise ValueError("An Equinox module is made with its parameters and sizes; give from_equinox one of these sizes.")
    return type(module)(input_size, hidden_size, module.use_bias, module.weight_hh.dtype, key=key)

  def initial_state(params: Params, batch_shape: tuple[int, ...] = ()) -> State:
    del params
    return jax.tree.map(lambda a: jnp.broadcast_to(a, (*batch_shape, *a.shape)), state)

  def step(params: Params, state: State, x: Array) -> tuple[State, Array]:
    new = over_batch(eqx.combine(params, static), x.ndim - 1)(x, state)
    return new, jax.tree.leaves(new)[0]

  return Cell(init, initial_state, step, output=lambda params, state: jax.tree.leaves(state)[0])


def over_batch(function: Callable[..., Any], axes: int) -> Callable[..., Any]:
  """Maps a function of one example over `axes` leading axes."""
  for _ in range(axes):
    function = jax.vmap(function)
  return function


def check_size(step: Callable[..., Any], params: Params, state: State, x: Array, hidden_size: int) -> None:
  """Raises `ValueError` unless the module has `hidden_size` units."""
  own = jax.eval_shape(step, params, state, x)[1].shape[-1]
  if hidden_size != own:
    raise ValueError(f"hidden_size is {hidden_size}; the module has {own} units.")
