"""Generic start vectors, the same in every instrument.

A start along an axis never leaves the blocks of a block-triangular matrix. A start with equal entries is orthogonal to many
vectors that occur in practice. A generic start avoids both.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def generic_vector(size: int, dtype: Any) -> Float[Array, "n"]:
  """Returns sin(1) + 2, sin(2) + 2, …: no entry is 0, and no two are equal."""
  return jnp.sin(jnp.arange(1, size + 1, dtype=dtype)) + 2


def generic_directions(size: int, k: int, dtype: Any) -> Float[Array, "n k"]:
  """Returns k random orthonormal columns, the same in every call."""
  return jnp.linalg.qr(jax.random.normal(jax.random.key(0), (size, k), dtype))[0]
