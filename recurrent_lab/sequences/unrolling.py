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
from recurrent_lab.sequences._steps import hold, scan, start


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
    raise ValueError("This cell has no probe; give its Cell a field `probe` that returns {name: Activity}.")
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
