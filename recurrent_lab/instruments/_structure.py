"""Products of Jacobians of a cell that is linear in its state, in the structure of its transition (`transitions`).

    Diagonal, Rotations        ln σ_i(∏ A_j) = Σ_j ln |a_j,i|, so O(n) numbers carry everything
    Dense, DiagonalPlusLowRank J = A ⊗ I_V, so the K singular values of ∏ A_j each count V times, and a state of several heads
                               joins those of its heads

No state is needed, because the Jacobian does not depend on it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.scaled import promoted
from recurrent_lab.transitions import Diagonal, DiagonalPlusLowRank, Rotations


def is_diagonal(cell: Cell, params: Params, xs: Float[Array, "T I"]) -> bool:
  """Returns True if the moduli of single entries carry all products."""
  assert cell.transition is not None
  return isinstance(jax.eval_shape(cell.transition, params, xs[0]).matrix, Diagonal | Rotations)


def log_moduli(cell: Cell, params: Params, state: State) -> Callable[[Array], Float[Array, "n"]]:
  """Returns the function x -> ln |a| of every entry of the flat state, for a diagonal or rotating transition."""
  assert cell.transition is not None
  transition = partial(cell.transition, params)

  def moduli(x: Array) -> Array:
    matrix = promoted(transition(x).matrix)
    if isinstance(matrix, Rotations):
      size = jnp.log(jnp.hypot(matrix.real, matrix.imag))
      sizes: Any = jax.tree.map(lambda _: size, state)
    else:
      sizes = jax.tree.map(lambda a: jnp.log(jnp.abs(a)), matrix.entries)
    return ravel_pytree(jax.tree.map(lambda a, s: jnp.broadcast_to(a, s.shape), sizes, state))[0]

  return moduli


def diagonal_log_norms(
  moduli: Callable[[Array], Array], xs: Float[Array, "T I"], names: Sequence[str]
) -> Float[Array, "T norms"]:
  """Returns the log norms by lag of products with singular values exp Σ ln |a|."""
  size = jax.eval_shape(moduli, xs[0])

  def add(total: Array, x: Array) -> tuple[Array, Array]:
    total = total + moduli(x)
    found = {"spectral": jnp.max(total), "frobenius": _root_mean_square(total)}
    return total, jnp.stack([found[name] for name in names])

  _, norms = lax.scan(add, jnp.zeros(size.shape, size.dtype), xs, reverse=True)
  return norms[::-1]


def _root_mean_square(logs: Float[Array, "... m"]) -> Float[Array, "..."]:
  """Returns ln √(mean exp(2 logs)) over the last axis."""
  return 0.5 * (jax.nn.logsumexp(2 * logs, axis=-1) - np.log(logs.shape[-1]).astype(logs.dtype))


def diagonal_log_singular_values(
  moduli: Callable[[Array], Array], xs: Float[Array, "T I"], lags: Sequence[int]
) -> Float[Array, "lags n"]:
  """Returns the log singular values at some lags, in decreasing order."""
  size, steps = jax.eval_shape(moduli, xs[0]), xs.shape[0]
  total, found = jnp.zeros(size.shape, size.dtype), []
  for shorter, lag in zip((0, *lags), lags, strict=False):
    total = lax.scan(lambda sums, x: (sums + moduli(x), None), total, xs[steps - lag : steps - shorter])[0]
    found.append(-jnp.sort(-total))
  return jnp.stack(found)


def diagonal_sums_by_block(
  moduli: Callable[[Array], Array], xs: Float[Array, "T I"], edges: np.ndarray
) -> Float[Array, "B n"]:
  """Returns Σ ln |a| over the steps of every block, in O(B n) memory."""
  size = jax.eval_shape(moduli, xs[0])
  block = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
  add = lambda sums, at: (sums.at[at[0]].add(moduli(at[1])), None)
  start = jnp.zeros((len(edges) - 1, *size.shape), size.dtype)
  return lax.scan(add, start, (jnp.asarray(block), xs[edges[0] :]))[0]


def log_det(cell: Cell, params: Params, state: State, x: Array) -> Float[Array, ""]:
  """Returns ln |det J| of a diagonal or rotating cell from derivatives of its step, which does not use the declared transition.

  The rows of ones through `vjp` meet every column of J once. For pairs, they start in the real parts.
  """
  _, pull = jax.vjp(lambda s: promoted(cell.step(params, s, x)[0]), promoted(state))
  if isinstance(jax.eval_shape(cell.transition, params, x).matrix, Rotations):  # type: ignore[arg-type]
    real, imag = pull(type(state)(jnp.ones_like(promoted(state.real)), jnp.zeros_like(promoted(state.imag))))[0]
    return 2 * jnp.sum(jnp.log(jnp.hypot(real, imag)))
  rows = pull(jax.tree.map(jnp.ones_like, promoted(state)))[0]
  return sum((jnp.sum(jnp.log(jnp.abs(leaf))) for leaf in jax.tree.leaves(rows)), start=jnp.zeros(()))


class Factors(NamedTuple):
  """J = A ⊗ I_V for every head: what is left to multiply."""

  cell: Cell  # its inputs are the matrices A, flat, and its params are any array [K]
  params: Float[Array, "K"]
  xs: Float[Array, "L T K²"]  # the matrices of L heads
  copies: int  # V


def _matrix_step(params: Float[Array, "K"], state: Array, x: Array) -> tuple[Array, Array]:
  size = params.shape[0]
  new = (x.reshape(*x.shape[:-1], size, size) @ state[..., None])[..., 0]
  return new, new


#: A cell whose Jacobian is its input.
_MATRIX_CELL = Cell(
  init=lambda key, input_size, hidden_size, **options: jnp.zeros(hidden_size),
  initial_state=lambda params, batch_shape=(): jnp.zeros((*batch_shape, *params.shape), params.dtype),
  step=_matrix_step,
)


def factors(cell: Cell, params: Params, state: Float[Array, "*heads K V"], xs: Float[Array, "T I"]) -> Factors:
  """Returns the matrices A of every head and step of a cell with a dense or low-rank transition."""
  assert cell.transition is not None
  transition = partial(cell.transition, params)

  def matrices(x: Array) -> Array:
    matrix = promoted(transition(x).matrix)
    dense = matrix.dense() if isinstance(matrix, DiagonalPlusLowRank) else matrix
    size = state.shape[-2]
    return jnp.broadcast_to(dense.matrix, (*state.shape[:-2], size, size)).reshape(-1, size * size)

  found = jnp.swapaxes(jax.vmap(matrices)(xs), 0, 1)
  return Factors(_MATRIX_CELL, jnp.zeros(state.shape[-2], found.dtype), found, state.shape[-1])


def joined_log_norms(by_head: Float[Array, "L T norms"], names: Sequence[str]) -> Float[Array, "T norms"]:
  """Returns the log norms of the whole product from those of its heads, which are of one size."""
  join = {"spectral": lambda a: jnp.max(a, axis=0), "frobenius": lambda a: _root_mean_square(a.T)}
  return jnp.stack([join[name](by_head[..., i]) for i, name in enumerate(names)], axis=-1)


def repeated(values: Float[Array, "L ... K"], copies: int) -> Float[Array, "... n"]:
  """Joins the values of L heads on the last axis, each of them V times."""
  joined = jnp.moveaxis(values, 0, -2).reshape(*values.shape[1:-1], -1)
  return jnp.repeat(joined, copies, axis=-1)
