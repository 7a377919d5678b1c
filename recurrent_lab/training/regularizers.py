"""Two penalties that keep Jacobian products near norm 1, for any cell.

    Ω = mean_k ( ‖a_{k+1} J_{k+1}‖ / ‖a_{k+1}‖ - 1 )²,    a_k = ∂L/∂S_k        in the direction that matters for the loss
    F = mean_i λ_i²                                                            in the k directions that grow most

References: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), eq. 9-10;
Engelken, "Gradient flossing: improving gradient descent through dynamic control of Jacobians", NeurIPS (2023). Ω is a mean over k
here and a sum in the paper, so that its weight does not grow with the length.
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

# Adjoints with a norm below this count as 0. (The authors' code leaves out squared norms below 1e-20.)
SMALLEST_ADJOINT = 1e-10


@compiled("loss", "cell")
def adjoints(
  loss: Callable[[WithReadoutParams, Array], Array],
  cell: Cell,
  params: WithReadoutParams,
  xs: Float[Array, "T *batch I"],
  scale: ArrayLike = 1.0,
) -> tuple[Array, WithReadoutParams, State, State]:
  """Computes the gradient and all adjoints a_k = ∂L/∂S_k in one backward pass.

  A zero is added to every S_k. The gradient with respect to this zero is a_k, over every path, including that through o_k.

  Args:
    loss: `(params, outputs [T, ..., H]) -> scalar`, which applies the readout.
    cell: any `Cell`. `Cell.output` declares how its output depends on its state, as in `adjoint_log_norms`.
    params: the parameters of the cell and its readout.
    xs: inputs `[T, ..., I]`.
    scale: a factor of ∇L and all a_k. A small factor keeps them from overflowing.

  Returns:
    `(L, ∇L, (S_0 … S_{T-1}), (a_1 … a_T))`.

  Raises:
    ValueError: in the cases of `unroll`.
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
  """Computes Ω as a function of the parameters alone. S_k and a_{k+1} are constants, as in eq. 10 of the paper.

  Args:
    cell: any `Cell`.
    params: its parameters.
    states: S_0 … S_{T-1}, from `adjoints`.
    xs: inputs `[T, ..., I]`.
    adjoint: a_1 … a_T, from `adjoints`.
    scale: the factor by which these a_k were multiplied. Ω does not depend on it.

  Returns:
    The mean over all steps and examples with ‖a_{k+1}‖ above `SMALLEST_ADJOINT`; 0 if there are none.
  """
  batch_ndim = xs.ndim - 1
  is_large = norm(adjoint, batch_ndim) > scale * SMALLEST_ADJOINT
  # Scaling a_{k+1} does not change the ratio. Scale it to a size of about 1 at every step, so that nothing below overflows.
  exponent = largest_exponent(adjoint, batch_ndim)
  adjoint = jax.tree.map(lambda a: shift(a, -exponent), adjoint)
  # A step accepts leading axes, so one call pulls back all steps and examples.
  _, pullback = jax.vjp(lambda s: cell.step(params, s, xs)[0], states)
  before, after = norm(adjoint, batch_ndim), norm(pullback(adjoint)[0], batch_ndim)
  counts = is_large & (after > 0)
  ratio = jnp.where(counts, after, 1) / jnp.where(counts, before, 1)
  return jnp.where(jnp.any(counts), mean_square((ratio - 1)[..., None], counts), 0)


@compiled("cell", "k", "interval")
def flossing(
  cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None, *, k: int, interval: int = 1
) -> Float[Array, ""]:
  """Computes F, the mean square of the k largest Lyapunov exponents, in nats² per step². It is differentiable.

  Directions that dead units have lost are not detected here, so keep k below the number of remaining directions. Otherwise F is
  inf, and training skips and counts the update, or F contains rounding noise.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`; use `vmap` for more.
    state: S_0; by default the cell's initial state.
    k: the number of exponents.
    interval: the re-orthonormalization interval in steps. It must divide T.

  Raises:
    ValueError: if `k` or `interval` is out of bounds, and in the cases of `state_jacobians`.
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
