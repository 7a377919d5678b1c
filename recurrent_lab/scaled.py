"""Numbers of any size: an array times an exact power of two.

A float32 product of Jacobians underflows to 0 at lag ~127 for a gain of ½, and a float32 running sum of logarithms has lost
four digits after 10⁴ steps. An integer exponent beside the array does neither.

Norms go the same way. The square of 10²⁰ overflows in float32 and that of 10⁻²³ underflows, so squares are summed of entries
that were divided by a power of two, which changes no digit:

    ‖a‖ = 2^e √Σ (a_i / 2^e)²,      2^e just above the largest |a_i|

Reference: Blue, "A portable Fortran program to find the Euclidean norm of a vector", ACM Transactions on Mathematical Software
4 (1978).
"""

from functools import partial, reduce
from typing import Any, NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


class Scaled(NamedTuple):
  """`array · 2^exponent`, with the largest entry of `array` in [½, 1) (or `array` all zero)."""

  array: Float[Array, "..."]
  exponent: Int[Array, ""]


def promoted(tree: Any) -> Any:
  """The arrays of a pytree with those of half precision (float16, bfloat16) in float32, which holds them exactly."""
  is_half = lambda dtype: jnp.issubdtype(dtype, jnp.floating) and dtype.itemsize < 4
  return jax.tree.map(lambda a: jnp.asarray(a, jnp.float32) if is_half(jnp.result_type(a)) else a, tree)


def rescale(array: Float[Array, "..."], exponent: Int[Array, ""] | int = 0) -> Scaled:
  """`array · 2^exponent` in normal form; exact, since only exponents of floats change."""
  own = largest_exponent(array)
  return Scaled(shift(array, -own), (exponent + own).astype(jnp.int32))


def shift(array: Float[Array, "..."], exponent: Int[Array, "*batch"]) -> Float[Array, "..."]:
  """`array · 2^exponent`, with an exponent for each index of the leading axes."""
  exponent = exponent.reshape(*exponent.shape, *[1] * (array.ndim - exponent.ndim))
  # Two factors, since one power of two may itself be out of range; `ldexp` of every entry costs as much as a product.
  half, one = exponent // 2, jnp.ones((), array.dtype)
  return array * jnp.ldexp(one, half) * jnp.ldexp(one, exponent - half)


def largest_exponent(tree: Any, batch_ndim: int = 0) -> Int[Array, "*batch"]:
  """The e with 2^(e-1) ≤ the largest |entry| of all leaves < 2^e, over all axes after the first `batch_ndim`; 0 for zeros."""
  largest = [jnp.max(jnp.abs(a), axis=range(batch_ndim, jnp.ndim(a)), initial=0) for a in map(_wide, _leaves(tree))]
  _, exponent = jnp.frexp(lax.stop_gradient(reduce(jnp.maximum, largest)))
  return exponent


def log_scale(scaled: Scaled) -> Float[Array, ""]:
  """ln 2^exponent in nats, rounded once."""
  dtype = scaled.array.dtype
  return scaled.exponent.astype(dtype) * jnp.log(jnp.asarray(2, dtype))


def add(a: Scaled, b: Float[Array, "..."]) -> Scaled:
  """`a + b` for an ordinary array `b` of the same shape; what is lost is what the larger term cannot hold."""
  other = rescale(b)
  # A zero has no exponent of its own and must not drag the other's down.
  lowest = jnp.iinfo(jnp.int32).min // 2
  a_exponent = jnp.where(jnp.any(a.array != 0), a.exponent, lowest)
  b_exponent = jnp.where(jnp.any(b != 0), other.exponent, lowest)
  common = jnp.maximum(a_exponent, b_exponent)
  down = lambda array, exponent: jnp.ldexp(array, jnp.clip(exponent - common, -2000, 0))
  return rescale(down(a.array, a_exponent) + down(other.array, b_exponent), common)


def scaled_norm(tree: Any, batch_ndim: int = 0) -> tuple[Float[Array, "*batch"], Int[Array, "*batch"]]:
  """`(n, e)` with ‖tree‖ = n · 2^e and ½ ≤ n ≤ √(number of entries), as `norm` has it; (0, 0) for zeros."""
  exponent = largest_exponent(tree, batch_ndim)
  square = lambda a: jnp.sum(shift(a, -exponent) ** 2, axis=range(batch_ndim, a.ndim))
  total = sum(square(_wide(a)) for a in _leaves(tree))
  is_zero = total == 0  # √ has no slope there
  return jnp.where(is_zero, 0, jnp.sqrt(jnp.where(is_zero, 1, total))), exponent


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def norm(tree: Any, batch_ndim: int = 0) -> Float[Array, "*batch"]:
  """The Euclidean norm of all leaves of a tree together, finite whenever it is representable; so is its gradient.

  Args:
    tree: any pytree of real arrays with one entry or more; those of half precision are squared and summed in float32.
    batch_ndim: how many leading axes, common to all leaves, are kept: the norm is taken over all others.

  Returns:
    `[*batch]`, a scalar by default. The gradient at 0 is 0.
  """
  return shift(*scaled_norm(tree, batch_ndim))


@norm.defjvp
def _(batch_ndim: int, primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
  """d‖a‖ = Σ (a_i / ‖a‖) da_i, the quotient of two scaled numbers: neither leaves the range."""
  size, exponent = scaled_norm(primals[0], batch_ndim)
  divisor = jnp.where(size == 0, 1, size)

  def slope(a: Array, da: Array) -> Array:
    unit = shift(_wide(a), -exponent) / divisor.reshape(*divisor.shape, *[1] * (a.ndim - divisor.ndim))
    return jnp.sum(unit * da, axis=range(batch_ndim, a.ndim))

  return shift(size, exponent), sum(map(slope, _leaves(primals[0]), _leaves(tangents[0])))  # type: ignore[return-value]


def log_norm(tree: Any, batch_ndim: int = 0) -> Float[Array, "*batch"]:
  """ln ‖tree‖ in nats, finite even where ‖tree‖ itself is not representable; -inf for zeros. Arguments as in `norm`."""
  size, exponent = scaled_norm(tree, batch_ndim)
  return jnp.log(size) + exponent.astype(size.dtype) * jnp.log(jnp.asarray(2, size.dtype))


@jax.custom_jvp
def mean_square(array: Float[Array, "*batch O"], counts: Bool[Array, "*batch"]) -> Float[Array, ""]:
  """The mean of `array`² over its last axis and the entries that count, finite whenever representable; so is its gradient."""
  array = jnp.where(counts[..., None], array, 0)
  exponent = largest_exponent(array)
  return shift(jnp.mean(jnp.mean(shift(array, -exponent) ** 2, axis=-1), where=counts), 2 * exponent)


@mean_square.defjvp
def _(primals: tuple[Array, Array], tangents: tuple[Array, Any]) -> tuple[Array, Array]:
  array, counts = primals
  slope = 2 * jnp.where(counts[..., None], array, 0) * tangents[0]
  return mean_square(array, counts), jnp.mean(jnp.mean(slope, axis=-1), where=counts)


def _leaves(tree: Any) -> list[Array]:
  return [jnp.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def _wide(array: Array) -> Array:
  """In float32 where it is of half precision, which has neither the digits nor the range for a sum."""
  return array.astype(jnp.promote_types(array.dtype, jnp.float32))
