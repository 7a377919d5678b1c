"""Unrolls a cell in parallel over time: by an associative scan where it is linear in its state, by Newton's method elsewhere.

    S_t = A_t S_{t-1} + b_t            a composition of affine maps, which is associative          `scan_unroll`
    S_t = F(S_{t-1}, x_t)              T equations for S_1 … S_T, of which each Newton step solves
    Y_t = J_t Y_{t-1} + F(S_{t-1}, x_t) - J_t S_{t-1}                                               `newton_unroll`

Both give the outputs of `unroll` and can be differentiated in forward and in reverse mode. Depth grows with ln T, work with T.

References: Blelloch, "Prefix sums and their applications" (1990); Martin & Cundy, "Parallelizing linear recurrent neural nets
over sequence length", ICLR (2018); Lim, Zhu, Selfridge & Kasim, "Parallelizing non-linear sequential models over the sequence
length" (DEER), ICLR (2024), eq. 3-5; Gonzalez, Warrington, Smith & Linderman, "Towards scalable and stable parallelization of
nonlinear RNNs" (quasi-DEER), NeurIPS (2024), section 4.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int
import numpy as np

from recurrent_lab._checks import check_choice
from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.sequences._steps import start
from recurrent_lab.transitions import Dense, Diagonal, DiagonalPlusLowRank, Structure

METHODS = ("newton", "quasi")


def _affine_scan(matrices: Structure, offsets: State, state: State) -> State:
  """Returns S_1 … S_T of S_t = A_t S_{t-1} + b_t. All arrays have a leading axis of length T."""
  if isinstance(matrices, DiagonalPlusLowRank):
    matrices = matrices.dense()

  def then(first: tuple[Any, State], second: tuple[Any, State]) -> tuple[Any, State]:
    product = second[0].after(first[0])
    return product, jax.tree.map(jnp.add, second[0].times(first[1]), second[1])

  products, sums = lax.associative_scan(then, (matrices, offsets))
  return jax.tree.map(jnp.add, jax.vmap(lambda product: product.times(state))(products), sums)


def _before(state: State, states: State) -> State:
  """Returns S_0 … S_{T-1} from S_0 and S_1 … S_T."""
  return jax.tree.map(lambda first, later: jnp.concatenate([first[None], later[:-1]]), state, states)


@compiled("cell")
def scan_unroll(
  cell: Cell, params: Params, xs: Float[Array, "T *batch I"], state: State | None = None
) -> tuple[State, Any]:
  """Runs a cell that is linear in its state over a sequence, by an associative scan of its transitions.

  All T transitions are in memory at once. Products of low-rank transitions are dense, so these take T K² numbers per head.

  Args:
    cell: a `Cell` with a `transition`.
    params: its parameters.
    xs: inputs `[T, ..., I]`.
    state: S_0; by default the cell's initial state.

  Returns:
    `(S_T, outputs [T, ..., H])`, those of `unroll` up to rounding.

  Raises:
    ValueError: if the cell has no transition, and in the cases of `unroll`.
  """
  if cell.transition is None:
    raise ValueError("This cell has no transition, so it is not linear in its state; use unroll or newton_unroll.")
  state = start(cell, params, xs, state)
  matrices, offsets = jax.vmap(partial(cell.transition, params))(xs)
  states = _affine_scan(matrices, offsets, state)
  _, outputs = jax.vmap(partial(cell.step, params))(_before(state, states), xs)
  return jax.tree.map(lambda s: s[-1], states), outputs


class NewtonRun(NamedTuple):
  """The result of `newton_unroll`."""

  state: State  # S_T
  outputs: Any  # [T, H]
  iterations: Int[Array, ""]  # Newton steps taken
  change: Float[Array, ""]  # the largest change of a state in the last one, in the units of the state


@compiled("cell", "method", "max_iterations")
def newton_unroll(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  state: State | None = None,
  *,
  method: str = "newton",
  tolerance: ArrayLike = 1e-5,
  max_iterations: int | None = None,
) -> NewtonRun:
  """Runs any cell over a sequence in parallel over time, by Newton's method from states of 0.

  Each iteration linearises all steps at once and solves the linear recurrence by an associative scan. After i iterations the
  first i states are exact, so T iterations always suffice; a contracting net needs few. States that overflow on the way are set
  to 0. The derivative comes from the solution and not from the iterations.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`; use `vmap` for more.
    state: S_0; by default the cell's initial state.
    method: `newton` with the whole Jacobians, T n² numbers, or `quasi` with their diagonals, T n numbers and more iterations.
      The derivative uses whole Jacobians with either.
    tolerance: the iterations end if no state changes by more than this, absolutely.
    max_iterations: an upper bound of the iterations; T by default.

  Returns:
    The last state and the outputs of `unroll`, and the number of iterations. If `change` is above the tolerance, the iterations
    ended before the states had settled.

  Raises:
    ValueError: for an unknown method, if `xs` is not `[T, I]`, if `max_iterations` is below 1, and in the cases of `unroll`.
  """
  check_choice("method", method, METHODS)
  if jnp.ndim(xs) != 2:
    raise ValueError(f"xs has shape {jnp.shape(xs)}; newton_unroll takes one example [T, I], so use vmap for a batch.")
  most = xs.shape[0] if max_iterations is None else max_iterations
  if most < 1:
    raise ValueError(f"max_iterations is {most}; it must be at least 1.")
  state = start(cell, params, xs, state)
  flat, unravel = ravel_pytree(state)
  states, iterations, change = _solve(cell, method, most, unravel, params, xs, flat, tolerance)
  before = jax.vmap(unravel)(_before(flat, states))
  _, outputs = jax.vmap(partial(cell.step, params))(before, xs)
  return NewtonRun(unravel(states[-1]), outputs, iterations, change)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2, 3))
def _solve(
  cell: Cell, method: str, most: int, unravel: Any, params: Params, xs: Array, first: Array, tolerance: Any
) -> tuple[Float[Array, "T n"], Array, Array]:
  """Returns (S_1 … S_T, the number of iterations, the last change)."""
  step = lambda s, x: ravel_pytree(cell.step(params, unravel(s), x)[0])[0]
  slope = jax.jacfwd(step) if method == "newton" else lambda s, x: jnp.diagonal(jax.jacfwd(step)(s, x))

  def improve(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    states, count, _ = carry
    before = _before(first, states)
    after, slopes = jax.vmap(step)(before, xs), jax.vmap(slope)(before, xs)
    new = _linear_scan(slopes, after - _product(slopes, before), first)
    new = jnp.where(jnp.isfinite(new), new, 0)
    return new, count + 1, jnp.max(jnp.abs(new - states))

  is_moving = lambda carry: (carry[1] < most) & ~(carry[2] <= tolerance)
  guess = jnp.zeros((xs.shape[0], *first.shape), first.dtype)
  return lax.while_loop(is_moving, improve, (guess, jnp.zeros((), jnp.int32), jnp.full((), jnp.inf, first.dtype)))


@_solve.defjvp
def _solve_jvp(
  cell: Cell, method: str, most: int, unravel: Any, primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[Any, Any]:
  """Differentiates the equations at their solution: dS_t = J_t dS_{t-1} + ∂F/∂(params, x_t)."""
  params, xs, first, _ = primals
  d_params, d_xs, d_first, _ = tangents
  states, iterations, change = _solve(cell, method, most, unravel, *primals)
  before = _before(first, states)
  step = lambda params, s, x: ravel_pytree(cell.step(params, unravel(s), x)[0])[0]
  slopes = jax.vmap(jax.jacfwd(partial(step, params)))(before, xs)
  moved = lambda s, x, d_x: jax.jvp(lambda p, x: step(p, s, x), (params, x), (d_params, d_x))[1]
  d_states = _linear_scan(slopes, jax.vmap(moved)(before, xs, d_xs), d_first)
  return (states, iterations, change), (d_states, np.zeros((), jax.dtypes.float0), jnp.zeros_like(change))


def _linear_scan(slopes: Array, offsets: Float[Array, "T n"], first: Float[Array, "n"]) -> Float[Array, "T n"]:
  """Solves S_t = J_t S_{t-1} + b_t for Jacobians `[T, n, n]` or their diagonals `[T, n]`."""
  if slopes.ndim == 2:
    return _affine_scan(Diagonal(slopes), offsets, first)
  return _affine_scan(Dense(slopes), offsets[..., None], first[..., None])[..., 0]


def _product(slopes: Array, states: Float[Array, "T n"]) -> Float[Array, "T n"]:
  """Returns J_t S_t at every step."""
  return slopes * states if slopes.ndim == 2 else jnp.einsum("tij,tj->ti", slopes, states)
