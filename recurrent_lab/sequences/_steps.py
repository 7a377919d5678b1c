"""The parts that all runs over a sequence share: the checked start, the plain scan, and states that are held."""

from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array

from recurrent_lab.cell import Cell, Params, State


def start(cell: Cell, params: Params, xs: Array, state: State | None = None) -> State:
  """Checks that the arguments fit together and returns S_0: `state`, or by default the cell's initial state.

  Raises:
    ValueError: if `xs` is not `[T, ..., I]` with T ≥ 1, or if I is not the input size of the params. Also if the state has wrong
      shapes for the cell and the batch, or if a step changes the structure, shapes or dtypes of the state. If params, inputs and
      state have different dtypes, the message names the one that does not fit.
  """
  if jnp.ndim(xs) < 2 or jnp.shape(xs)[0] < 1:
    raise ValueError(f"xs has shape {jnp.shape(xs)}; a sequence is [T, ..., I] with at least one step.")
  check_width(params, xs, f"xs has {xs.shape[-1]} inputs per step; these params take")
  batch = xs.shape[1:-1]
  own = jax.eval_shape(lambda p: cell.initial_state(p, batch), params)
  if state is None:
    state = cell.initial_state(params, batch)
  given = jax.eval_shape(lambda s: s, state)
  is_as = lambda a, b: jax.tree.structure(a) == jax.tree.structure(b) and _shapes(a) == _shapes(b)  # type: ignore[operator]
  if not is_as(given, own):
    raise ValueError(
      f"The state {_described(given)} does not fit inputs of shape {xs.shape}; the cell's own is {_described(own)}."
    )
  if any(jnp.issubdtype(leaf.dtype, jnp.complexfloating) for leaf in jax.tree.leaves(given)):
    raise ValueError(
      f"The state is {_described(given)}; states are real, and hold complex numbers as pairs of real arrays."
    )
  after, _ = jax.eval_shape(cell.step, params, state, xs[0])
  if not is_as(given, after):
    raise ValueError(_changed(given, after))
  if _dtypes(given) != _dtypes(after):
    raise ValueError(_mixed(cell, params, xs, given, own, after))
  return state


def lowest(params: Params) -> tuple[Params, ...]:
  """Returns the nested params from those of a combined cell to those of its first cell, which reads the inputs."""
  way = [params]
  while not hasattr(way[-1], "input_kernel"):
    if isinstance(way[-1], tuple) and not hasattr(way[-1], "_fields") and way[-1]:
      way.append(way[-1][0])
    elif hasattr(way[-1], "cell"):
      way.append(way[-1].cell)
    else:
      break
  return tuple(way)


def check_width(params: Params, x: Array, complaint: str) -> None:
  """Raises a `ValueError` that starts with `complaint` unless the last axis of `x` has the input size of the (first) params."""
  kernel: Any = getattr(lowest(params)[-1], "input_kernel", None)
  if hasattr(kernel, "shape") and len(kernel.shape) and kernel.shape[0] != x.shape[-1]:
    raise ValueError(f"{complaint} {kernel.shape[0]}.")


def _described(tree: Any) -> str:
  """Describes the dtype and shape of every array: `LSTMState(hidden=float32 (5,), cell=float32 (5,))`."""
  return str(jax.tree.map(lambda leaf: f"{leaf.dtype.name} {leaf.shape}", tree)).replace("'", "")


def _changed(before: Any, after: Any) -> str:
  return f"A step must keep the shape and dtype of the state, but turns {_described(before)} into {_described(after)}."


def _shapes(tree: Any) -> list[tuple[int, ...]]:
  return [leaf.shape for leaf in jax.tree.leaves(tree)]


def _dtypes(tree: Any) -> list[str]:
  return [jnp.result_type(leaf).name for leaf in jax.tree.leaves(tree)]


def _mixed(cell: Cell, params: Params, xs: Array, state: Any, own: Any, after: Any) -> str:
  """Returns a sentence that names the argument whose dtype makes a step change the dtype of the state."""
  names = lambda tree: ", ".join(sorted(set(_dtypes(tree))))
  changes = f"a step turns a state of {names(state)} into {names(after)}"
  keeps = lambda state, x: _dtypes(jax.eval_shape(cell.step, params, state, x)[0]) == _dtypes(state)
  x = jax.eval_shape(lambda x: x[0], xs)
  if keeps(own, x):
    return f"The state has dtype {names(state)}, but the cell's own has {names(own)}: {changes}."
  if keeps(own, jax.ShapeDtypeStruct(x.shape, jax.tree.leaves(own)[0].dtype)):
    return f"xs has dtype {names(xs)}, but these params take {names(own)}: {changes}."
  if len(set(_dtypes(params))) > 1:
    return f"params have dtypes {names(params)}, which must be one: {changes}."
  return _changed(state, after)


def scan(cell: Cell, params: Params, xs: Array, state: State) -> tuple[State, State, Array]:
  """Returns (S_T, (S_0 … S_{T-1}), (o_1 … o_T)): the last state, and the input state and output of every step."""

  def step(s: State, x: Array) -> tuple[State, tuple[State, Array]]:
    new, output = cell.step(params, s, x)
    return new, (s, output)

  final, (states, outputs) = lax.scan(step, state, xs)
  return final, states, outputs


def hold(is_on: Array, new: Any, old: Any) -> Any:
  """Returns `new` where `is_on`, else `old`. The axes of `is_on` are the leading axes of every array."""
  where = lambda n, o: jnp.where(is_on.reshape(*is_on.shape, *[1] * (n.ndim - is_on.ndim)), n, o)
  return jax.tree.map(where, new, old)
