"""Generic start vectors, the same in every instrument.

A start along an axis never leaves the blocks of a block-triangular matrix. A start with equal entries is orthogonal to many
vectors that occur in practice. A generic start avoids both.
"""

import math
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float


def generic_vector(size: int, dtype: Any) -> Float[Array, "n"]:
  """Returns sin(1) + 2, sin(2) + 2, …: no entry is 0, and no two are equal."""
  return jnp.sin(jnp.arange(1, size + 1, dtype=dtype)) + 2


def generic_directions(size: int, k: int, dtype: Any) -> Float[Array, "n k"]:
  """Returns k random orthonormal columns, the same in every call."""
  return jnp.linalg.qr(jax.random.normal(jax.random.key(0), (size, k), dtype))[0]


def generic_signs(shape: tuple[int, ...], dtype: Any) -> Array:
  """Returns random signs, the same in every call: one bit of a hash of the index (the finalizer of MurmurHash3).

  The program of `jax.random.rademacher` takes 3 s to compile, and that of the rest of `trace_certificate` 1 s (jax 0.10.2, CPU).
  """
  bits = lax.iota(jnp.uint32, math.prod(shape)) + 1
  for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
    bits = (bits ^ (bits >> shift)) * jnp.uint32(factor)
  return (1 - 2 * ((bits ^ (bits >> 16)) & 1).astype(dtype)).reshape(shape)
