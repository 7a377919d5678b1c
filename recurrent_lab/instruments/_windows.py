"""Singular values of a graded matrix, accurate however far apart they are.

LAPACK finds the singular values of a graded matrix to high relative accuracy if its rows decrease and their range fits the
precision. Bidiagonalization mixes rows only downwards, and dqds keeps every digit of a bidiagonal matrix. A wider range is cut
into windows of rows. Two rows that are further apart than a margin have a cosine below √ε after a transposition or a few, so
they change each other's singular values by less than ε. Windows overlap by two margins, and only the core of a window counts.

Where there is no LAPACK, rotations do the same (`_rotations.py`).

References: Barlow, "More accurate bidiagonal reduction for computing the singular value decomposition", SIAM J. Matrix Anal.
Appl. 23 (2002), for graded rows; Fernando & Parlett, "Accurate singular values and differential qd algorithms", Numerische
Mathematik 67 (1994), for dqds.
"""

from functools import partial

import jax
from jax import lax
from jax.custom_batching import custom_vmap
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from recurrent_lab.instruments._graded import Graded, transposed
from recurrent_lab.instruments._rotations import by_rotations

# The range of a window, as a share of ln(1/tiny), 87 nats in float32: dqds works on squares.
RANGE = 0.5
MAX_TRANSPOSITIONS = 8
# From this size on, windows of half the rows cost less than windows of all rows.
WORTH_HALVING = 48


def _limits(dtype: np.dtype) -> tuple[float, float]:
  """Returns the range and the margin in nats. A transposition divides cosines by the quotient of the norms: √ε at the margin."""
  info = jnp.finfo(dtype)
  return -RANGE * float(np.log(info.tiny)), -0.5 * float(np.log(info.eps))


def _sorted(matrix: Graded) -> Graded:
  """Sorts the rows by norm, and the columns of a matrix that is nearly diagonal with them."""
  order = jnp.argsort(-matrix.log_norms)
  return Graded(matrix.log_norms[order], matrix.rows[order][:, order])


def _extent(log_norms: Float[Array, "n"]) -> Float[Array, ""]:
  """Returns the difference of the first and the last norm of sorted rows, without zero rows."""
  return log_norms[0] - jnp.min(log_norms, where=jnp.isfinite(log_norms), initial=jnp.inf)


def _separated(matrix: Graded) -> Graded:
  """Transposes until rows that are a margin apart are orthogonal to √ε; once if a single window holds all rows."""
  reach, margin = _limits(matrix.rows.dtype)
  tolerance = jnp.finfo(matrix.rows.dtype).eps ** 0.5

  def unfinished(carry: tuple[Graded, Array]) -> Array:
    (d, rows), count = carry
    is_far = jnp.abs(d[:, None] - d) >= margin
    overlap = jnp.max(jnp.abs(rows), where=is_far, initial=0)
    is_wide = (_extent(d) > reach) & (overlap > tolerance)
    return (count == 0) | (is_wide & (count < MAX_TRANSPOSITIONS))

  step = lambda carry: (_sorted(transposed(carry[0])), carry[1] + 1)
  return lax.while_loop(unfinished, step, (matrix, jnp.zeros((), int)))[0]


def _by_windows(matrix: Graded, size: int, carry: tuple[Array, Array]) -> tuple[Array, Array]:
  """Computes the values of windows of at most `size` rows, from the first row that has none yet.

  Args:
    matrix: sorted and separated.
    size: the most rows in a window.
    carry: (the number of rows that have a value, ln σ).

  Returns:
    The same. It ends early where `size` rows are too few for a core between two margins.
  """
  log_norms, rows = matrix
  (n,), (reach, margin) = log_norms.shape, _limits(rows.dtype)
  last = jnp.min(log_norms, where=jnp.isfinite(log_norms), initial=jnp.inf)

  def window(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    first, values, _ = carry
    top = jnp.where(first == 0, log_norms[0], log_norms[first] + margin)
    begin = jnp.minimum(jnp.sum(log_norms > top), n - size)
    d = lax.dynamic_slice(log_norms, (begin,), (size,))
    low = jnp.where(begin + size < n, jnp.maximum(top - reach, d[-1]), top - reach)
    center = (top + low) / 2
    weights = jnp.where((d <= top) & (d >= low), jnp.exp(d - center), 0)
    sigma = jnp.linalg.svd(weights[:, None] * lax.dynamic_slice(rows, (begin, begin), (size, size)), compute_uv=False)
    found = jnp.roll(jnp.log(sigma) + center, jnp.sum(d > top))
    end = jnp.where(low <= last, n, jnp.sum(log_norms >= low + margin))
    place = begin + jnp.arange(size)
    new = jnp.where((place >= first) & (place < end) & (d >= low), found, lax.dynamic_slice(values, (begin,), (size,)))
    return jnp.maximum(end, first), lax.dynamic_update_slice(values, new, (begin,)), end > first

  def unfinished(carry: tuple[Array, Array, Array]) -> Array:
    first, _, progress = carry
    return progress & (first < n) & (log_norms[jnp.minimum(first, n - 1)] > -jnp.inf)

  first, values, _ = lax.while_loop(unfinished, window, (*carry, jnp.ones((), bool)))
  return first, values


def _by_lapack(matrix: Graded) -> Float[Array, "n"]:
  """Computes ln σ_i in decreasing order by as few windows as the range needs."""
  matrix = _separated(matrix)
  (n,), (reach, _) = matrix.log_norms.shape, _limits(matrix.rows.dtype)
  carry = (jnp.zeros((), int), jnp.full_like(matrix.log_norms, -jnp.inf))
  if n >= WORTH_HALVING:
    is_wide = _extent(matrix.log_norms) > reach
    carry = lax.cond(is_wide, lambda carry: _by_windows(matrix, n // 2, carry), lambda carry: carry, carry)
  _, values = _by_windows(matrix, n, carry)
  broken = jnp.any(jnp.isnan(matrix.log_norms))
  return jnp.where(broken, jnp.nan, jnp.sort(values)[::-1])


@custom_vmap
def log_singular_values(matrix: Graded) -> Float[Array, "n"]:
  """Computes ln σ_i of a graded matrix in nats, in decreasing order; -inf for σ_i = 0."""
  return lax.platform_dependent(matrix, cpu=_by_lapack, default=by_rotations)


@log_singular_values.def_vmap
def _(axis_size: int, in_batched: list[Graded], matrices: Graded) -> tuple[Array, bool]:
  # Every member has its own number of windows, and LAPACK works on one matrix at a time.
  return lax.platform_dependent(matrices, cpu=partial(lax.map, _by_lapack), default=jax.vmap(by_rotations)), True
