"""Backpropagation through time, written out.

    ∂L/∂W = Σ_k ∂L/∂S_k · ∂S_k/∂W |_{S_{k-1} held},       ∂L/∂S_k = Σ_{t≥k} ∂L_t/∂S_t · J_t … J_{k+1}

`gradient_by_lag` gives the summands, `adjoint_log_norms` the size of the factor that decides how far back they reach.
Losses take the outputs `[T, H]` of one example and return a scalar. Define a loss once, outside of a loop: another function is
another program to compile. `jax.tree_util.Partial(loss, target)` is one program for all targets.

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
  """ln ‖∂L/∂S_k‖ in nats for k = 0 … T.

  ∂L/∂S_k counts every path from S_k to the loss: o_k where it is a function of S_k, and all later outputs. The recursion

      λ_{k-1} = J_kᵀ λ_k + (∂o_{k-1}/∂S_{k-1})ᵀ ∂L/∂o_{k-1} + (∂o_k/∂S_{k-1} |_{S_k held})ᵀ ∂L/∂o_k

  runs on scaled numbers, so that a gradient of 10⁻³⁰⁰⁰ comes back right. `Cell.output` says how o_k depends on S_k. An
  undeclared output counts as a part of S_k where it is one, and otherwise as a function of S_{k-1} and x_k alone: the last term,
  and -inf for k = T.

  Raises:
    ValueError: as `state_jacobians` does.
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
  """What ∂L/∂o of the same step and of the next one sends to S_0 … S_T without passing another state; S_0 has no output."""
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


@compiled("loss", "cell")
def gradient_by_lag(
  loss: Loss, cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None
) -> Params:
  """The summands of the BPTT formula: what the use of the parameters at step k contributes to ∂L/∂params.

  Gives every step its own copy of the parameters and differentiates with respect to the copies, which is the definition.

  Returns:
    A pytree like `params` with a leading axis T whose entry k-1 belongs to step k, at lag T - k from the end. Summed over
    that axis it is `jax.grad` of the same loss.
  """
  steps = xs.shape[0]
  start(cell, params, xs, state)

  def unrolled(copies: Params) -> Array:
    first = jax.tree.map(lambda copy: copy[0], copies)
    begin = cell.initial_state(first, xs.shape[1:-1]) if state is None else state
    _, outputs = lax.scan(lambda s, at: cell.step(at[0], s, at[1]), begin, (copies, xs))
    return loss(outputs)

  return jax.grad(unrolled)(jax.tree.map(lambda p: jnp.broadcast_to(p, (steps, *p.shape)), params))
