"""The terms of backpropagation through time.

    ∂L/∂W = Σ_k ∂L/∂S_k · ∂S_k/∂W |_{S_{k-1} held},       ∂L/∂S_k = Σ_{t≥k} ∂L_t/∂S_t · J_t … J_{k+1}

`gradient_by_lag` computes the summands. `adjoint_log_norms` computes the size of the factor ∂L/∂S_k, which decides how far back
they reach. A loss takes the outputs `[T, H]` of one example and returns a scalar. Define a loss once, outside a loop, because
every new function is compiled as a new program. With `jax.tree_util.Partial(loss, target)` all targets share one program.

References: Werbos, "Backpropagation through time: what it does and how to do it", Proc. IEEE 78 (1990); Pascanu, Mikolov &
Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), eq. 3-5.
"""

from collections.abc import Callable

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments.jacobians import flat_trajectory
from recurrent_lab.scaled import Scaled, add, log_scale, promoted, rescale
from recurrent_lab.sequences.unrolling import start, unroll

Loss = Callable[[Array], Array]


def visible_part(cell: Cell, params: Params, state: State, x: Array) -> int:
  """Returns the index of the leaf of the new state that is the output, found by identity while tracing the step."""
  found: list[int] = []

  def look(state: State) -> Array:
    new, output = cell.step(params, state, x)
    found.extend(i for i, leaf in enumerate(jax.tree.leaves(new)) if leaf is output)
    return output

  jax.eval_shape(look, state)
  if not found:
    raise ValueError(
      "The output of this cell is no part of its new state, so ∂L/∂S_k is not defined by a loss on outputs; "
      "return that part of the state as the output, and apply a readout inside the loss."
    )
  return found[0]


@compiled("loss", "cell")
def adjoint_log_norms(
  loss: Loss, cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None
) -> Float[Array, "T+1"]:
  """Computes the log norms ln ‖∂L/∂S_k‖ of the adjoints in nats, for k = 0 … T.

  ∂L/∂S_k includes every path from S_k to the loss: through o_k, which is a part of S_k, and through all later outputs. The
  recursion λ_{k-1} = J_kᵀ λ_k + ∂L/∂o_{k-1} runs on scaled numbers, so even a gradient of 10⁻³⁰⁰⁰ is accurate.

  Args:
    loss: `outputs [T, H] -> scalar`.
    cell: a cell whose output is a part of its state.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state.

  Returns:
    `[T+1]`, entry k for S_k.

  Raises:
    ValueError: if the output of the cell is not part of its state, and in the cases of `state_jacobians`.
  """
  flat = flat_trajectory(cell, params, xs, state)
  state = start(cell, params, xs, state)
  visible = visible_part(cell, params, state, xs[0])
  leaves, structure = jax.tree.flatten(promoted(state))

  def embed(output_bar: Array) -> Array:
    """Returns the cotangent of an output as a cotangent of the state."""
    parts = [output_bar if i == visible else jnp.zeros_like(leaf) for i, leaf in enumerate(leaves)]
    return ravel_pytree(jax.tree.unflatten(structure, parts))[0]

  _, outputs = unroll(cell, params, xs, state)
  output_bars = jax.vmap(embed)(jax.grad(loss)(promoted(outputs)))
  before = jnp.concatenate([jnp.zeros_like(output_bars[:1]), output_bars[:-1]])  # S_0 has no output

  def back(adjoint: Scaled, at: tuple[Array, Array, Array]) -> tuple[Scaled, Array]:
    s, x, output_bar = at
    _, pullback = jax.vjp(lambda s: flat.step(s, x), s)
    adjoint = add(rescale(pullback(adjoint.array)[0], adjoint.exponent), output_bar)
    return adjoint, log_norm(adjoint)

  def log_norm(adjoint: Scaled) -> Array:
    return jnp.log(jnp.linalg.norm(adjoint.array)) + log_scale(adjoint)

  last = rescale(output_bars[-1])
  _, log_norms = lax.scan(back, last, (flat.states, flat.xs, before), reverse=True)
  return jnp.append(log_norms, log_norm(last))


@compiled("loss", "cell")
def gradient_by_lag(
  loss: Loss, cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None
) -> Params:
  """Computes the summands of the BPTT formula: the contribution of step k to ∂L/∂params.

  By definition, every step gets its own copy of the parameters, and the loss is differentiated with respect to the copies.

  Args:
    loss: `outputs [T, H] -> scalar`.
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state.

  Returns:
    A pytree like `params` with a leading axis T. Entry k-1 belongs to step k, at lag T - k from the end. The sum over this axis
    is `jax.grad` of the same loss.

  Raises:
    ValueError: in the cases of `unroll`.
  """
  steps = xs.shape[0]
  start(cell, params, xs, state)

  def unrolled(copies: Params) -> Array:
    first = jax.tree.map(lambda copy: copy[0], copies)
    begin = cell.initial_state(first, xs.shape[1:-1]) if state is None else state
    _, outputs = lax.scan(lambda s, at: cell.step(at[0], s, at[1]), begin, (copies, xs))
    return loss(outputs)

  return jax.grad(unrolled)(jax.tree.map(lambda p: jnp.broadcast_to(p, (steps, *p.shape)), params))
