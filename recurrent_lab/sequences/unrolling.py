"""Unrolls a cell over a sequence.

Every function here is one `lax.scan` over `cell.step`, and all instruments build on them. Like the instruments, they compile once
for equal cells, options and shapes (`_compiled.py`). A cell that is made from new functions in every iteration of a loop is a new
cell each time, so make it once, or make it with a factory under `variants`.
"""

from functools import partial
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from recurrent_lab._compiled import compiled
from recurrent_lab.activations import Activity
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
  after, _ = jax.eval_shape(cell.step, params, state, xs[0])
  if not is_as(given, after):
    raise ValueError(_changed(given, after))
  if _dtypes(given) != _dtypes(after):
    raise ValueError(_mixed(cell, params, xs, given, own, after))
  return state


def check_width(params: Params, x: Array, complaint: str) -> None:
  """Raises a `ValueError` that starts with `complaint` unless the last axis of `x` has the input size of the (first) params."""
  while not hasattr(params, "input_kernel"):
    if isinstance(params, tuple) and not hasattr(params, "_fields") and params:
      params = params[0]
    elif hasattr(params, "cell"):
      params = params.cell
    else:
      return
  kernel = params.input_kernel
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


@compiled("cell", "segment")
def unroll(
  cell: Cell, params: Params, xs: Float[Array, "T *batch I"], state: State | None = None, *, segment: int | None = None
) -> tuple[State, Any]:
  """Runs the cell over a sequence.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: inputs `[T, ..., I]`.
    state: S_0; by default the cell's initial state.
    segment: if given, a reverse pass stores only every `segment`-th state and recomputes the others. Memory then grows with
      T / segment + segment instead of T. Values and gradients are those of the plain scan.

  Returns:
    `(S_T, outputs [T, ..., H])`.

  Raises:
    ValueError: if `xs` is not `[T, ..., I]` with T ≥ 1, or if I is not the input size of the params. Also if the state has wrong
      shapes, if a step changes the structure, shapes or dtypes of the state, or if `segment` is below 1.
  """
  state = start(cell, params, xs, state)
  step = partial(cell.step, params)
  if segment is None:
    return lax.scan(step, state, xs)
  if segment < 1:
    raise ValueError(f"segment is {segment}; it must be at least 1 step.")
  whole = xs.shape[0] // segment * segment  # the steps that fill segments; the others follow in a plain scan

  @jax.checkpoint
  def run_segment(s: State, segment_xs: Array) -> tuple[State, Array]:
    return lax.scan(step, s, segment_xs)

  state, head = lax.scan(run_segment, state, xs[:whole].reshape(-1, segment, *xs.shape[1:]))
  state, tail = lax.scan(step, state, xs[whole:])
  outputs = jax.tree.map(lambda h, t: jnp.concatenate([h.reshape(whole, *h.shape[2:]), t]), head, tail)
  return state, outputs


@compiled("cell")
def trajectory(cell: Cell, params: Params, xs: Float[Array, "T *batch I"], state: State | None = None) -> State:
  """Returns the states S_0 … S_T, stacked on a leading axis of length T + 1. Raises `ValueError` in the cases of `unroll`."""
  state = start(cell, params, xs, state)
  final, states, _ = scan(cell, params, xs, state)
  return jax.tree.map(lambda before, last: jnp.concatenate([before, last[None]]), states, final)


@compiled("cell")
def activities(
  cell: Cell, params: Params, xs: Float[Array, "T *batch I"], state: State | None = None
) -> dict[str, Activity]:
  """Returns the values and log-slopes of every nonlinearity along the sequence: name -> `Activity` of arrays `[T, ..., H]`.

  Raises:
    ValueError: if the cell has no `probe`, and in the cases of `unroll`.
  """
  if cell.probe is None:
    raise ValueError("This cell has no probe; give its Cell a fourth field that returns {name: Activity}.")
  state = start(cell, params, xs, state)
  _, states, _ = scan(cell, params, xs, state)
  return jax.vmap(partial(cell.probe, params))(states, xs)


@compiled("cell", "k1", "k2")
def truncated_unroll(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T *batch I"],
  state: State | None = None,
  *,
  k1: int,
  k2: int,
) -> Array:
  """Computes the outputs of `unroll` with the gradient of truncated BPTT(k1, k2).

  Every k1 steps, the loss of the last k1 outputs is propagated back through the last k2 steps. The state before these steps
  counts as a constant. In other words, o_t with e - k1 < t ≤ e and e = k1, 2 k1, … depends on the parameters and inputs from
  step e - k2 + 1 on, and on S_0 if e ≤ k2. All windows run at once, as a batch of sequences of k2 steps that start from the
  states of one plain pass.

  Reference: Williams & Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
  Neural Computation 2 (1990).

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: inputs `[T, ..., I]`.
    state: S_0; by default the cell's initial state.
    k1: the number of steps between two backward passes.
    k2: the number of steps of each backward pass.

  Returns:
    Outputs `[T, ..., H]`.

  Raises:
    ValueError: unless 1 ≤ k1 ≤ k2, and in the cases of `unroll`.
  """
  if not 1 <= k1 <= k2:
    raise ValueError(f"Truncated BPTT has k1 = {k1} and k2 = {k2}; it needs 1 ≤ k1 ≤ k2.")
  state = start(cell, params, xs, state)
  steps = xs.shape[0]
  _, states, _ = scan(cell, lax.stop_gradient(params), xs, lax.stop_gradient(state))
  # The first step of each window; negative if the window starts before the sequence.
  first = np.arange(0, steps, k1) + k1 - k2
  at = first + np.arange(k2)[:, None]  # [k2, W]
  inside = jnp.asarray((at >= 0) & (at < steps))
  from_start = int(np.sum(first <= 0))  # these windows start from S_0, the others from constant states
  held = jax.tree.map(lambda a: a[first[from_start:]], lax.stop_gradient(states))
  s = jax.tree.map(lambda a, h: jnp.concatenate([jnp.broadcast_to(a, (from_start, *a.shape)), h]), state, held)

  def step(s: State, now: tuple[Array, Array]) -> tuple[State, Array]:
    x, is_inside = now
    new, output = cell.step(params, s, x)
    return hold(is_inside, new, s), output

  _, outputs = lax.scan(step, s, (xs[np.clip(at, 0, steps - 1)], inside))
  return jax.tree.map(lambda o: jnp.swapaxes(o[k2 - k1 :], 0, 1).reshape(-1, *o.shape[2:])[:steps], outputs)
