"""The Jacobian of a step, as a factor of a product and as a matrix."""

from collections.abc import Callable
from typing import NamedTuple

import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array

from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments._flat import FlatTrajectory, pull_rows
from recurrent_lab.scaled import promoted
from recurrent_lab.sequences._steps import start


class StepJacobian(NamedTuple):
  """J = ∂S_j/∂S_{j-1} at (s, x) = (S_{j-1}, x_j)."""

  push: Callable[[Array, Array, Array], Array]  # (rows [k, n], s [n], x [I]) -> rows Jᵀ
  pull: Callable[[Array, Array, Array], Array]  # (rows [k, n], s, x) -> rows J
  dense: Callable[[Array, Array], Array]  # (s, x) -> J [n, n]


def step_jacobian(
  flat: FlatTrajectory, cell: Cell, params: Params, xs: Array, state: State | None, k: int
) -> StepJacobian:
  """Returns the Jacobian in the forms that are fastest for k rows."""
  size = flat.states.shape[1]
  pull = lambda rows, s, x: pull_rows(flat, rows, s, x)
  if cell.halves is None or k < size:
    return StepJacobian(_pusher(flat), pull, jax.jacfwd(flat.step))
  dense, width = _by_halves(flat, cell, params, xs, state)
  if width <= 2 * size:
    return StepJacobian(_pusher(flat), pull, dense)
  # The affine half of a step multiplies by more columns than J has.
  return StepJacobian(lambda rows, s, x: rows @ dense(s, x).T, lambda rows, s, x: rows @ dense(s, x), dense)


def _pusher(flat: FlatTrajectory) -> Callable[[Array, Array, Array], Array]:
  def push(rows: Array, s: Array, x: Array) -> Array:
    _, linear = jax.linearize(lambda s: flat.step(s, x), s)
    return jax.vmap(linear)(rows)

  return push


def _by_halves(
  flat: FlatTrajectory, cell: Cell, params: Params, xs: Array, state: State | None
) -> tuple[Callable[[Array, Array], Array], int]:
  """Returns (`(s, x) -> J`, the width of the affine half).

  With a = affine(s, x) and S = pointwise(s, a), J = ∂S/∂s + ∂S/∂a · ∂a/∂s. The last factor is the same at every step, so J costs
  no product of matrices.
  """
  params, state = promoted((params, start(cell, params, xs, state)))
  halves = cell.halves
  assert halves is not None
  _, unravel = ravel_pytree(state)
  affine = lambda s, x: halves.affine(params, unravel(s), x)
  pointwise = lambda s, a: ravel_pytree(promoted(halves.pointwise(params, unravel(s), a)[0]))[0]
  columns = jax.jacfwd(affine)(jnp.zeros_like(flat.states[0]), flat.xs[0])

  def dense(s: Array, x: Array) -> Array:
    defined = jnp.where(jnp.all(jnp.isfinite(s)), jnp.ones((), s.dtype), jnp.nan)
    _, linear = jax.linearize(pointwise, s, affine(s, x))
    return defined * jax.vmap(linear, in_axes=(1, -1), out_axes=1)(jnp.eye(s.size, dtype=s.dtype), columns)

  return dense, columns[..., 0].size
