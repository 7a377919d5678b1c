"""Two penalties that keep the product of Jacobians near norm 1, both for any cell.

    Ω = mean_k ( ‖a_{k+1} J_{k+1}‖ / ‖a_{k+1}‖ - 1 )²,    a_k = ∂L/∂S_k        along the direction that matters to the loss
    F = mean_i λ_i²                                                            along the k directions that grow most

References: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), eq. 9-10 (the
sum over k there is a mean here, so that its weight does not grow with length); Engelken, "Gradient flossing: improving gradient
descent through dynamic control of Jacobians", NeurIPS (2023).
"""

from collections.abc import Callable

import jax
from jax import lax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from recurrent_lab._compiled import compiled
from recurrent_lab._generic import generic_directions
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments._flat import flat_trajectory
from recurrent_lab.instruments._outputs import output_of
from recurrent_lab.readouts import WithReadoutParams
from recurrent_lab.scaled import largest_exponent, mean_square, norm, shift
from recurrent_lab.sequences._steps import start

# Adjoints below this norm count as 0 (the authors' code leaves out squared norms below 1e-20).
SMALLEST_ADJOINT = 1e-10


@compiled("loss", "cell")
def adjoints(
  loss: Callable[[WithReadoutParams, Array], Array],
  cell: Cell,
  params: WithReadoutParams,
  xs: Float[Array, "T *batch I"],
  scale: ArrayLike = 1.0,
) -> tuple[Array, WithReadoutParams, State, State]:
  """One backward pass for the gradient and for all a_k = ∂L/∂S_k.

  A zero is added to every S_k; the gradient with respect to it is a_k over every path, o_k included.

  Args:
    loss: `(params, outputs [T, ..., H]) -> scalar`, the readout applied inside.
    cell: any `Cell`; `Cell.output` says how its output depends on its state, as in `adjoint_log_norms`.
    params: of the cell and its readout.
    xs: inputs.
    scale: a factor of ∇L and all a_k, which a small one keeps in range.

  Returns:
    `(L, ∇L, (S_0 … S_{T-1}), (a_1 … a_T))`.

  Raises:
    ValueError: as `unroll` does.
  """
  state = start(cell, params.cell, xs)
  put_out = output_of(cell, params.cell, state, xs[0])
  zeros = jax.tree.map(lambda s: jnp.zeros((xs.shape[0], *s.shape), s.dtype), state)

  def perturbed(params: WithReadoutParams, zeros: State) -> tuple[Array, State]:
    def step(s: State, at: tuple[Array, State]) -> tuple[State, tuple[State, Array]]:
      x, zero = at
      new, _ = cell.step(params.cell, s, x)
      new = jax.tree.map(jnp.add, new, zero)
      return new, (s, put_out(params.cell, s, x, new))

    _, (states, outputs) = lax.scan(step, cell.initial_state(params.cell, xs.shape[1:-1]), (xs, zeros))
    return loss(params, outputs), states

  value, pullback, states = jax.vjp(perturbed, params, zeros, has_aux=True)
  gradient, adjoint = pullback(jnp.asarray(scale, value.dtype))
  return value, gradient, states, adjoint


@compiled("cell")
def omega(
  cell: Cell, params: Params, states: State, xs: Float[Array, "T *batch I"], adjoint: State, scale: ArrayLike = 1.0
) -> Float[Array, ""]:
  """Ω as a function of the parameters alone: S_k and a_{k+1} are held, as eq. 10 of the paper has it.

  Args:
    cell: any `Cell`.
    params: its parameters.
    states: S_0 … S_{T-1}.
    xs: inputs.
    adjoint: a_1 … a_T, as `adjoints` gives both.
    scale: the factor that these a_k have been multiplied by, of which Ω itself is free.

  Returns:
    The mean over all steps and examples whose ‖a_{k+1}‖ is above `SMALLEST_ADJOINT`; 0 if there is none.
  """
  batch_ndim = xs.ndim - 1
  is_large = norm(adjoint, batch_ndim) > scale * SMALLEST_ADJOINT
  # The ratio is that of a multiple too: of about 1 at every step, so that nothing below leaves the range.
  exponent = largest_exponent(adjoint, batch_ndim)
  adjoint = jax.tree.map(lambda a: shift(a, -exponent), adjoint)
  # A step works on leading axes, so all steps and examples are pulled back at once.
  _, pullback = jax.vjp(lambda s: cell.step(params, s, xs)[0], states)
  before, after = norm(adjoint, batch_ndim), norm(pullback(adjoint)[0], batch_ndim)
  counts = is_large & (after > 0)
  ratio = jnp.where(counts, after, 1) / jnp.where(counts, before, 1)
  return jnp.where(jnp.any(counts), mean_square((ratio - 1)[..., None], counts), 0)


@compiled("cell", "k", "interval")
def flossing(
  cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None, *, k: int, interval: int = 1
) -> Float[Array, ""]:
  """F, the mean square of the k largest Lyapunov exponents, nats² per step², differentiable through the QR.

  Keep k below the number of directions that live: those that dead units lose for good are not told apart here. F is then inf,
  with an update that training drops and counts, or holds what rounding leaves of them.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`; `vmap` for more.
    state: S_0; the cell's initial state by default.
    k: how many exponents.
    interval: steps between two QRs; T must be a multiple.

  Raises:
    ValueError: if k or `interval` is out of bounds, or as `state_jacobians` does.
  """
  flat = flat_trajectory(cell, params, xs, state)
  steps, size = flat.states.shape
  if not 1 <= k <= size:
    raise ValueError(f"k is {k}; it must lie between 1 and the {size} directions of the state.")
  if interval < 1 or steps % interval:
    raise ValueError(f"interval is {interval}; it must divide the {steps} steps.")

  def push(q: Array, at: tuple[Array, Array]) -> tuple[Array, None]:
    _, tangent = jax.linearize(lambda s: flat.step(s, at[1]), at[0])
    return jax.vmap(tangent, in_axes=1, out_axes=1)(q), None

  def segment(q: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
    q, r = jnp.linalg.qr(lax.scan(push, q, at)[0])
    return q, jnp.log(jnp.abs(jnp.diagonal(r)))

  segments = jax.tree.map(lambda a: a.reshape(-1, interval, *a.shape[1:]), (flat.states, flat.xs))
  _, log_r = lax.scan(segment, generic_directions(size, k, flat.states.dtype), segments)
  return jnp.mean((jnp.sum(log_r, axis=0) / steps) ** 2)
