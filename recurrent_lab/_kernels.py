"""Distributions of kernels, as the default initialisers of other libraries draw them."""

from collections.abc import Callable, Sequence
import itertools
import math
from typing import Any, NamedTuple

import jax
from jax.nn import initializers
import jax.numpy as jnp
from jaxtyping import Array, Key


class Matrix(NamedTuple):
  """A distribution of matrices.

  Attributes:
    draw: `(key, (rows, columns), units, dtype) -> [rows, columns]`, for a cell with that number of units.
    deviation: `(rows, columns, units)` -> the standard deviation of an entry. The mean is 0.
    is_orthogonal: whether square matrices are orthogonal.
  """

  draw: Callable[[Array, tuple[int, int], int, Any], Array]
  deviation: Callable[[int, int, int], float]
  is_orthogonal: bool = False


def _scaled(initializer: Callable[..., Array], deviation: Callable[[int, int], float]) -> Matrix:
  """Returns the distribution of an initializer of JAX, which depends on the shape alone."""
  return Matrix(
    lambda key, shape, units, dtype: initializer(key, shape, dtype),
    lambda rows, columns, units: deviation(rows, columns),
  )


# The standard deviation of N(0, 1) truncated to ±2: √(1 - 4 φ(2) / (2 Φ(2) - 1)).
TRUNCATED = 0.87962566103423978

BY_UNITS = Matrix(  # uniform on ±1/√H, whatever the shape
  lambda key, shape, units, dtype: jax.random.uniform(key, shape, dtype, -(units**-0.5), units**-0.5),
  lambda rows, columns, units: (3 * units) ** -0.5,
)
LECUN_NORMAL = _scaled(
  initializers.lecun_normal(), lambda rows, columns: rows**-0.5
)  # truncated, and corrected for that
WHOLE_NORMAL = _scaled(initializers.variance_scaling(1.0, "fan_in", "normal"), lambda rows, columns: rows**-0.5)
CUT_NORMAL = _scaled(  # truncated without a correction
  lambda key, shape, dtype: initializers.truncated_normal(shape[0] ** -0.5)(key, shape, dtype),
  lambda rows, columns: TRUNCATED * rows**-0.5,
)
GLOROT_UNIFORM = _scaled(initializers.glorot_uniform(), lambda rows, columns: (2 / (rows + columns)) ** 0.5)
GLOROT_NORMAL = _scaled(initializers.glorot_normal(), lambda rows, columns: (2 / (rows + columns)) ** 0.5)
ORTHOGONAL = _scaled(initializers.orthogonal(), lambda rows, columns: max(rows, columns) ** -0.5)._replace(
  is_orthogonal=True
)


class Kernels(NamedTuple):
  """The kernels of a class.

  Attributes:
    input: the distribution of the input kernel, or of both kernels if they are one matrix.
    recurrent: that of the recurrent kernel, or None if one matrix `[I + H, …]` holds both kernels.
    groups: the numbers of gates that are drawn in one matrix, in the order of the columns.
  """

  input: Matrix
  recurrent: Matrix | None
  groups: Sequence[int]

  def draw(self, key: Key[Array, ""], inputs: int, units: int, dtype: Any) -> tuple[Array, Array]:
    """Draws the input kernel `[I, kH]` and the recurrent kernel `[H, kH]`.

    A QR factorisation waits, on a thread of XLA's pool, for the pool. As many at once as there are threads would never end, so
    groups of one size are one batch, and the next batch begins when the one before it is known.
    """
    found: list[Array] = []
    for number, (size, alike) in enumerate(itertools.groupby(self.groups)):
      after = jnp.isnan(found[-1][0, 0]).astype(jnp.uint32) if found else 0  # 0, but not known before
      keys = jax.random.split(jax.random.fold_in(jax.random.fold_in(key, number), after), len(list(alike)))
      both = jax.vmap(lambda key: self._group(key, inputs, units, size, dtype))(keys)  # noqa: B023
      found += list(both)
    kernel = jnp.concatenate(found, axis=1)
    return kernel[:inputs], kernel[inputs:]

  def _group(self, key: Array, inputs: int, units: int, size: int, dtype: Any) -> Array:
    """Draws both kernels of a group of gates, one above the other: `[I + H, size H]`."""
    if self.recurrent is None:
      return self.input.draw(key, (inputs + units, size * units), units, dtype)
    k_input, k_recurrent = jax.random.split(key)
    own = self.input.draw(k_input, (inputs, size * units), units, dtype)
    return jnp.concatenate([own, self.recurrent.draw(k_recurrent, (units, size * units), units, dtype)])

  def deviations(self, inputs: int, units: int) -> tuple[float, float]:
    """Returns the standard deviations of the entries of both kernels; the root mean square over gates where they differ."""
    own, recurrent = (inputs, units) if self.recurrent else (inputs + units, inputs + units)
    rms = lambda matrix, rows: math.sqrt(
      sum(group * matrix.deviation(rows, group * units, units) ** 2 for group in self.groups) / sum(self.groups)
    )
    return rms(self.input, own), rms(self.recurrent or self.input, recurrent)
