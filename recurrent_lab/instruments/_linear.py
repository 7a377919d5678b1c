"""The Jacobian of a step, as a factor of a product and as a matrix."""

from collections.abc import Callable
from typing import NamedTuple

import jax
from jaxtyping import Array

from recurrent_lab.instruments._flat import FlatTrajectory, pull_rows


class StepJacobian(NamedTuple):
  """J = ∂S_j/∂S_{j-1} at (s, x) = (S_{j-1}, x_j)."""

  push: Callable[[Array, Array, Array], Array]  # (rows [k, n], s [n], x [I]) -> rows Jᵀ
  pull: Callable[[Array, Array, Array], Array]  # (rows [k, n], s, x) -> rows J
  dense: Callable[[Array, Array], Array]  # (s, x) -> J [n, n]


def step_jacobian(flat: FlatTrajectory, k: int) -> StepJacobian:
  """Returns the Jacobian in the forms that are fastest for k rows."""
  pull = lambda rows, s, x: pull_rows(flat, rows, s, x)
  if k < flat.states.shape[1] or flat.pulls_cost <= 2:
    return StepJacobian(_pusher(flat), pull, flat.jacobian)
  # The affine half of a step multiplies by more columns than J has.
  return StepJacobian(lambda rows, s, x: rows @ flat.jacobian(s, x).T, pull, flat.jacobian)


def _pusher(flat: FlatTrajectory) -> Callable[[Array, Array, Array], Array]:
  def push(rows: Array, s: Array, x: Array) -> Array:
    _, linear = jax.linearize(lambda s: flat.step(s, x), s)
    return jax.vmap(linear)(rows)

  return push
