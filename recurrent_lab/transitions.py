"""The transition of a cell that is linear in its state, S_t = A_t S_{t-1} + b_t, with A_t in the structure that it has.

    Diagonal             A S = a ⊗ S                        any state
    Rotations            A z = (α + iβ) (u + iv)            complex numbers z, stored as a pair of real arrays
    DiagonalPlusLowRank  A S = d ⊗ S + U (Wᵀ S)             states [..., K, V]: A is K×K, repeated for V columns
    Dense                A S = A @ S                        states [..., K, V]

A cell declares `transition: (params, x) -> Transition`. `scan_unroll` composes the maps, and the instruments multiply these
factors instead of Jacobians of the whole state.

Reference: Blelloch, "Prefix sums and their applications" (1990), section 1.4, for the composition of affine maps.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

State = Any  # a pytree of arrays


class Pair(NamedTuple):
  """Complex numbers as a pair of real arrays."""

  real: Float[Array, "*shape"]
  imag: Float[Array, "*shape"]


class Diagonal(NamedTuple):
  """A = diag(a). Every entry of the state has its own factor."""

  entries: State  # a, with the structure of the state; each array has the shape of the state's or broadcasts to it

  def times(self, state: State) -> State:
    """Returns A S."""
    return jax.tree.map(jnp.multiply, self.entries, state)

  def after(self, earlier: "Diagonal") -> "Diagonal":
    """Returns the product of this factor and an earlier one."""
    return Diagonal(self.times(earlier.entries))


class Rotations(NamedTuple):
  """A = α + iβ for each complex entry of a state that is a `Pair`. Each 2×2 block is a scaled rotation."""

  real: Float[Array, "*state"]  # α
  imag: Float[Array, "*state"]  # β

  def times(self, state: State) -> Pair:
    """Returns A z for a `Pair` z."""
    return Pair(self.real * state.real - self.imag * state.imag, self.real * state.imag + self.imag * state.real)

  def after(self, earlier: "Rotations") -> "Rotations":
    """Returns the product of this factor and an earlier one."""
    return Rotations(*self.times(Pair(*earlier)))


class Dense(NamedTuple):
  """A acts on the last axis but one of a state that is one array `[..., K, V]`: A ⊗ I_V."""

  matrix: Float[Array, "*lead K K"]

  def times(self, state: Float[Array, "*lead K V"]) -> Float[Array, "*lead K V"]:
    """Returns A S."""
    return self.matrix @ state

  def after(self, earlier: "Dense") -> "Dense":
    """Returns the product of this factor and an earlier one."""
    return Dense(self.matrix @ earlier.matrix)


class DiagonalPlusLowRank(NamedTuple):
  """A = diag(d) + U Wᵀ acts on the last axis but one of a state that is one array `[..., K, V]`."""

  diagonal: Float[Array, "*lead K"]  # d
  left: Float[Array, "*lead K R"]  # U
  right: Float[Array, "*lead K R"]  # W

  def times(self, state: Float[Array, "*lead K V"]) -> Float[Array, "*lead K V"]:
    """Returns A S, at a cost of K R V."""
    return self.diagonal[..., None] * state + self.left @ (jnp.swapaxes(self.right, -1, -2) @ state)

  def dense(self) -> Dense:
    """Returns A as a matrix. Products of several factors are dense."""
    size = self.diagonal.shape[-1]
    return Dense(self.times(jnp.broadcast_to(jnp.eye(size, dtype=self.diagonal.dtype), (*self.diagonal.shape, size))))


Structure = Diagonal | Rotations | Dense | DiagonalPlusLowRank


class Transition(NamedTuple):
  """The affine map of one step, S_t = A_t S_{t-1} + b_t."""

  matrix: Structure  # A_t
  offset: State  # b_t, with the structure and shapes of the state
