"""Numbers of any size: an array times an exact power of two.

A float32 product of Jacobians underflows to 0 at lag ~127 for a gain of ½, and a float32 running sum of logarithms has lost
four digits after 10⁴ steps. An integer exponent beside the array does neither.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


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
  _, shift = jnp.frexp(jnp.max(jnp.abs(array)))
  # Two factors, since one power of two may itself be out of range; `ldexp` of every entry costs as much as a product.
  half, one = shift // 2, jnp.ones((), array.dtype)
  small = array * jnp.ldexp(one, -half) * jnp.ldexp(one, half - shift)
  return Scaled(small, (exponent + shift).astype(jnp.int32))


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
