"""Clouds of eigenvalues, of recurrent weights W and of Jacobians J, and the principal components of a trajectory.

JAX has no eigenvalues of general matrices on every device, so those of this file come from LAPACK on the host, in double
precision. They cannot be a part of a compiled program.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float
import numpy as np

from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments.jacobians import state_jacobians
from recurrent_lab.scaled import promoted


class PrincipalComponents(NamedTuple):
  """The directions along which states vary most.

  Attributes:
    mean: the mean state.
    directions: orthonormal rows, the one of the largest variance first. The largest entry of each is positive.
    variances: the variance of the states along each direction.
    projected: the coordinates of the states along the directions.
  """

  mean: Float[Array, "n"]
  directions: Float[Array, "k n"]
  variances: Float[Array, "k"]
  projected: Float[Array, "*batch k"]


def kernel_eigenvalues(kernel: Any) -> Complex[np.ndarray, "blocks H"]:
  """Returns the eigenvalues of the blocks of a recurrent kernel `[H, k·H]`: `[k, H]`, the largest modulus first.

  A simple RNN has one block, an LSTM the blocks of its gates. For Gaussian weights of gain g, they fill a disc of radius g.

  Reference: Girko, "Circular law", Theory Probab. Appl. 29 (1985).

  Raises:
    ValueError: if the kernel is not `[H, k·H]`, or is traced.
  """
  _check_known(kernel)
  shape = np.shape(kernel)
  if len(shape) != 2 or not shape[0] or shape[1] % shape[0]:
    raise ValueError(f"The kernel has shape {shape}; a recurrent kernel is [H, k·H].")
  return _largest_first(
    np.linalg.eigvals(np.stack(np.split(np.asarray(kernel, np.float64), shape[1] // shape[0], axis=1)))
  )


def jacobian_eigenvalues(
  cell: Cell, params: Params, xs: Float[Array, "T I"], state: State | None = None
) -> Complex[np.ndarray, "T n"]:
  """Returns the eigenvalues of the Jacobians J_1 … J_T along a trajectory: `[T, n]`, the largest modulus of each step first.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    state: S_0; by default the cell's initial state.

  Raises:
    ValueError: if the arguments are traced, and in the cases of `state_jacobians`.
  """
  _check_known((params, xs, state))
  return _largest_first(np.linalg.eigvals(np.asarray(state_jacobians(cell, params, xs, state), np.float64)))


@compiled("k")
def principal_components(states: Float[Array, "*batch n"], k: int | None = None) -> PrincipalComponents:
  """Computes the principal components of states, such as a trajectory or a batch of them.

  Args:
    states: `[..., n]`, with two states or more.
    k: the number of components; by default as many as there are, the smaller of n and the number of states.

  Returns:
    The components. `variances` are divided by the number of states.

  Raises:
    ValueError: for fewer than two states, or a `k` out of bounds.
  """
  rows = promoted(states).reshape(-1, states.shape[-1])
  most = min(rows.shape)
  k = most if k is None else k
  if len(rows) < 2:
    raise ValueError(f"states has shape {jnp.shape(states)}; principal components need two states or more.")
  if not 1 <= k <= most:
    raise ValueError(f"k is {k}; it must lie between 1 and the {most} components that {len(rows)} states have.")
  mean = jnp.mean(rows, axis=0)
  _, sizes, directions = jnp.linalg.svd(rows - mean, full_matrices=False)
  largest = jnp.take_along_axis(directions, jnp.argmax(jnp.abs(directions), axis=1)[:, None], axis=1)
  directions = (directions * jnp.where(largest < 0, -1, 1))[:k]
  projected = (promoted(states) - mean) @ directions.T
  return PrincipalComponents(mean, directions, sizes[:k] ** 2 / len(rows), projected)


def _check_known(tree: Any) -> None:
  if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree)):
    raise ValueError("Eigenvalues come from the host; compute them outside of jit, vmap and grad.")


def _largest_first(values: np.ndarray) -> np.ndarray:
  """Sorts eigenvalues by modulus, and those of equal modulus by their argument."""
  order = np.lexsort((np.angle(values), -np.round(np.abs(values), 12)), axis=-1)
  return np.take_along_axis(values, order, axis=-1).astype(np.complex128)
