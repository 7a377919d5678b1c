"""The terms of backpropagation through time.

    ∂L/∂W = Σ_k ∂L/∂S_k · ∂S_k/∂W |_{S_{k-1} held},       ∂L/∂S_k = Σ_{t≥k} ∂L_t/∂S_t · J_t … J_{k+1}

`gradient_by_lag` computes the summands. `adjoint_log_norms` computes the size of the factor ∂L/∂S_k, which decides how far back
they reach. A loss takes the outputs `[T, H]` of one example and returns a scalar. Define a loss once, outside a loop, because
every new function is compiled as a new program. With `jax.tree_util.Partial(loss, target)` all targets share one program.

References: Werbos, "Backpropagation through time: what it does and how to do it", Proc. IEEE 78 (1990); Pascanu, Mikolov &
Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), eq. 3-5.
"""

from collections.abc import Callable
from typing import Any

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._checks import say_size, tree_bytes
from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments._flat import FlatTrajectory, flat_trajectory
from recurrent_lab.instruments._outputs import output_of
from recurrent_lab.scaled import Scaled, add, log_scale, promoted, rescale
from recurrent_lab.sequences._steps import start
from recurrent_lab.sequences.unrolling import unroll

Loss = Callable[[Array], Array]


@compiled("loss", "cell")
def adjoint_log_norms(
  loss: Loss, cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None
) -> Float[Array, "T+1"]:
  """Computes the log norms ln ‖∂L/∂S_k‖ of the adjoints in nats, for k = 0 … T.

  ∂L/∂S_k includes every path from S_k to the loss: through o_k, if it is a function of S_k, and through all later outputs. The
  recursion

      λ_{k-1} = J_kᵀ λ_k + (∂o_{k-1}/∂S_{k-1})ᵀ ∂L/∂o_{k-1} + (∂o_k/∂S_{k-1} |_{S_k held})ᵀ ∂L/∂o_k

  runs on scaled numbers, so even a gradient of 10⁻³⁰⁰⁰ is accurate. `Cell.output` declares how o_k depends on S_k. An
  undeclared output counts as a part of S_k if it is one. Otherwise it counts as a function of S_{k-1} and x_k alone, which is
  the last term of the recursion; the result is then -inf for k = T.

  Args:
    loss: `outputs [T, H] -> scalar`.
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state.

  Returns:
    `[T+1]`, entry k for S_k.

  Raises:
    ValueError: in the cases of `state_jacobians`.
  """
  flat = flat_trajectory(cell, params, xs, state)
  state = start(cell, params, xs, state)
  _, outputs = unroll(cell, params, xs, state)
  direct = _direct_adjoints(cell, params, flat, state, jax.grad(loss)(promoted(outputs)))

  def back(adjoint: Scaled, at: tuple[Array, Array, Array]) -> tuple[Scaled, Array]:
    s, x, direct = at
    _, pullback = jax.vjp(lambda s: flat.step(s, x), s)
    adjoint = add(rescale(pullback(adjoint.array)[0], adjoint.exponent), direct)
    return adjoint, log_norm(adjoint)

  def log_norm(adjoint: Scaled) -> Array:
    return jnp.log(jnp.linalg.norm(adjoint.array)) + log_scale(adjoint)

  last = rescale(direct[-1])
  _, log_norms = lax.scan(back, last, (flat.states, flat.xs, direct[:-1]), reverse=True)
  return jnp.append(log_norms, log_norm(last))


def _direct_adjoints(
  cell: Cell, params: Params, flat: FlatTrajectory, state: State, output_bars: Any
) -> Float[Array, "states n"]:
  """Returns the direct parts of ∂L/∂S_0 … ∂L/∂S_T, from the output of the same step and from that of the next step.

  Direct means without a path through another state. S_0 has no output of its own.
  """
  params, state = promoted((params, state))
  _, unravel = ravel_pytree(state)
  put_out = output_of(cell, params, state, flat.xs[0])

  def pull(before: Array, x: Array, after: Array, output_bar: Any) -> tuple[Array, Array]:
    as_seen = lambda before, after: promoted(put_out(params, unravel(before), x, unravel(after)))
    return jax.vjp(as_seen, before, after)[1](output_bar)

  states = jnp.concatenate([flat.states, flat.step(flat.states[-1], flat.xs[-1])[None]])
  to_before, to_after = jax.vmap(pull)(states[:-1], flat.xs, states[1:], output_bars)
  none = jnp.zeros_like(states[:1])
  return jnp.concatenate([none, to_after]) + jnp.concatenate([to_before, none])


@compiled("loss", "cell", "segment")
def gradient_by_lag(
  loss: Loss, cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None, *, segment: int = 1
) -> Params:
  """Computes the summands of the BPTT formula in the order of the steps: what each step contributes to ∂L/∂params.

  The last entry belongs to the last step, at lag 0; `[::-1]` on the leading axis puts the entries in the order of the lags. By
  definition, every step has its own copy of the parameters, and the loss is differentiated with respect to the copies. The
  result is T times as large as the parameters, or T / segment times, where the steps of a segment share a copy. A result of more
  than 4 GiB is said first (`MemoryWarning`).

  Args:
    loss: `outputs [T, H] -> scalar`.
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state, whose dependence on the parameters belongs to step 1.
    segment: the number of steps whose contributions are added up. It must divide T.

  Returns:
    A pytree like `params` with a leading axis T / segment. Entry k-1 belongs to step k, at lag T - k from the end, or to the
    steps (k-1) segment + 1 … k segment. The sum over this axis is `jax.grad` of the same loss.

  Raises:
    ValueError: if `segment` does not divide T, and in the cases of `unroll`.
  """
  steps = xs.shape[0]
  begin = start(cell, params, xs, state)
  if segment < 1 or steps % segment:
    raise ValueError(f"segment is {segment}; it must divide the {steps} steps.")
  entries = steps // segment
  say_size(
    f"The gradient by lag of {entries} entries",
    entries * tree_bytes(params),
    "segment=100 adds up the steps of segments",
  )

  def forward(s: State, x: Array) -> tuple[State, Any]:
    new, output = cell.step(params, s, x)
    return new, (s, output)

  def back(carry: tuple[State, Params], at: Any) -> tuple[tuple[State, Params], None]:
    d_state, summand = carry
    s, x, d_output = at
    _, pull = jax.vjp(lambda params, s: cell.step(params, s, x), params, s)
    d_params, d_state = pull((d_state, d_output))
    return (d_state, jax.tree.map(jnp.add, summand, d_params)), None

  def back_over_segment(d_state: State, at: Any) -> tuple[State, Params]:
    none = jax.tree.map(jnp.zeros_like, params)
    return lax.scan(back, (d_state, none), at, reverse=True)[0]

  _, (states, outputs) = lax.scan(forward, begin, xs)
  d_outputs = jax.grad(loss)(outputs)
  segments = jax.tree.map(lambda a: a.reshape(entries, segment, *a.shape[1:]), (states, xs, d_outputs))
  d_state, summands = lax.scan(back_over_segment, jax.tree.map(jnp.zeros_like, begin), segments, reverse=True)
  if state is None:
    _, pull = jax.vjp(lambda params: cell.initial_state(params, xs.shape[1:-1]), params)
    summands = jax.tree.map(lambda a, first: a.at[0].add(first), summands, pull(d_state)[0])
  return summands
