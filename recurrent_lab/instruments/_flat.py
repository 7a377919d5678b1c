"""A trajectory with flat states, which all instruments use, and products with Jacobians that are never formed."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._generic import generic_vector
from recurrent_lab.cell import Cell, Halves, Params, State
from recurrent_lab.scaled import promoted
from recurrent_lab.sequences._steps import scan, start


class FlatTrajectory(NamedTuple):
  """A trajectory with its states as flat vectors."""

  step: Callable[[Array, Array], Array]  # (S_{j-1} [n], x_j [I]) -> S_j [n]
  jacobian: Callable[[Array, Array], Array]  # (S_{j-1} [n], x_j [I]) -> J_j [n, n]
  states: Float[Array, "T n"]  # S_0 … S_{T-1}
  xs: Float[Array, "T I"]
  pulls_cost: float  # cost of n rows times a J that is not formed, in products of n×n matrices


def checked_start(cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None) -> State:
  """Returns S_0.

  Raises:
    ValueError: if `xs` is not `[T, I]`, if the state is empty or not floating, and in the cases of `unroll`.
  """
  if jnp.ndim(xs) != 2:
    raise ValueError(f"xs has shape {jnp.shape(xs)}; Jacobians take one example [T, I], so use vmap for a batch.")
  state = start(cell, params, xs, state)
  leaves = jax.tree.leaves(state)
  if not sum(jnp.size(leaf) for leaf in leaves):
    raise ValueError("The state of this cell is empty; there is nothing to differentiate.")
  if not all(jnp.issubdtype(jnp.result_type(leaf), jnp.floating) for leaf in leaves):
    kinds = ", ".join(sorted({jnp.result_type(leaf).name for leaf in leaves}))
    raise ValueError(f"The state of this cell has dtype {kinds}; only floating states can be differentiated.")
  return state


def flat_trajectory(cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None) -> FlatTrajectory:
  """Runs the cell and flattens its states.

  Raises:
    ValueError: in the cases of `checked_start`.
  """
  state = checked_start(cell, params, xs, state)
  _, states, _ = scan(cell, params, xs, state)
  params, xs, state, states = promoted((params, xs, state, states))
  _, unravel = ravel_pytree(state)

  def step(s: Array, x: Array) -> Array:
    # At a state that has overflowed, a relu still has a slope, but the derivative is undefined, so make it NaN. Scaling the
    # output does this for tangents, scaling the input for cotangents.
    defined = _one_if_finite(s)
    new, _ = cell.step(params, unravel(defined * s), x)
    return defined * ravel_pytree(promoted(new))[0]

  states = jax.vmap(lambda s: ravel_pytree(s)[0])(states)
  if cell.halves is None:
    return FlatTrajectory(step, jax.jacfwd(step), states, xs, 1)
  size = _from_state(jax.eval_shape(cell.halves.affine, params, state, xs[0])).size
  jacobian = _jacobian_of_halves(cell.halves, params, unravel, states[0], xs[0])
  return FlatTrajectory(step, jacobian, states, xs, size / states.shape[1])


def _one_if_finite(s: Float[Array, "n"]) -> Float[Array, ""]:
  return jnp.where(jnp.all(jnp.isfinite(s)), jnp.ones((), s.dtype), jnp.nan)


def _from_state(affine: Any) -> Any:
  """Returns the part of an affine half that depends on the state."""
  return affine[1] if isinstance(affine, tuple) else affine


def _jacobian_of_halves(
  halves: Halves, params: Params, unravel: Callable[[Array], State], s: Array, x: Array
) -> Callable[[Array, Array], Array]:
  """Returns the function (s, x) -> J, which needs no matrix product: the affine half has the same Jacobian at every step."""
  affine = lambda s, x: promoted(halves.affine(params, unravel(s), x))
  directions = jnp.eye(s.size, dtype=s.dtype)
  columns = jax.vmap(jax.linearize(lambda s: _from_state(affine(s, x)), s)[1])(directions)

  def jacobian(s: Array, x: Array) -> Array:
    s = _one_if_finite(s) * s
    here = affine(s, x)

    def pointwise(s: Array, a: Array) -> Array:
      whole = (here[0], a) if isinstance(here, tuple) else a
      return ravel_pytree(promoted(halves.pointwise(params, unravel(s), whole)[0]))[0]

    _, push = jax.linearize(pointwise, s, _from_state(here))
    return _one_if_finite(s) * jax.vmap(push, out_axes=1)(directions, columns)

  return jacobian


def pull_rows(flat: FlatTrajectory, rows: Array, s: Array, x: Array) -> Array:
  """Computes `rows @ J` at (s, x), without forming J unless there are many rows and J is cheaper than its parts."""
  if rows.shape[0] >= s.size // 2 and flat.pulls_cost > 2:
    return rows @ flat.jacobian(s, x)
  _, pullback = jax.vjp(lambda s: flat.step(s, x), s)
  return jax.vmap(lambda row: pullback(row)[0])(rows)


def zero_directions(flat: FlatTrajectory, s: Array, x: Array) -> Array:
  """Counts the rows and columns of J at (s, x) that are exactly zero. Generic vectors reveal them without forming J."""
  generic = generic_vector(s.size, s.dtype)
  _, image = jax.jvp(lambda s: flat.step(s, x), (s,), (generic,))
  return jnp.sum(image == 0) + jnp.sum(pull_rows(flat, generic[None], s, x) == 0)
