"""States that are one matrix per head, `[*batch, heads, K, V]` with K = V = H / heads: keys write values, queries read them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

#: Added to ‖k‖² before the square root, so that a key of 0 has a gradient. It is the value of fla-core.
NORM_EPSILON = 1e-6


def check_heads(heads: int) -> None:
  """Raises a `ValueError` unless there is at least one head."""
  if heads < 1:
    raise ValueError(f"heads is {heads!r}; it must be a positive integer.")


def head_size(hidden_size: int, heads: int) -> int:
  """Returns H / heads. Raises a `ValueError` if the heads do not divide the hidden size."""
  if hidden_size % heads:
    raise ValueError(f"hidden_size is {hidden_size}; it must be a multiple of the number of heads, {heads}.")
  return hidden_size // heads


def split_heads(a: Float[Array, "*batch H"], heads: int) -> Float[Array, "*batch heads K"]:
  """Returns vectors with the heads, which were side by side, on an axis of their own."""
  return a.reshape(*a.shape[:-1], heads, -1)


def unit(k: Float[Array, "*batch K"]) -> Float[Array, "*batch K"]:
  """Returns k / √(‖k‖² + 1e-6), a vector of length 1 for all but tiny k."""
  return k * jax.lax.rsqrt(jnp.sum(k * k, axis=-1, keepdims=True) + NORM_EPSILON)


def outer(k: Float[Array, "*batch K"], v: Float[Array, "*batch V"]) -> Float[Array, "*batch K V"]:
  """Returns k vᵀ."""
  return k[..., :, None] * v[..., None, :]


def read(state: Float[Array, "*batch heads K V"], q: Float[Array, "*batch heads K"]) -> Float[Array, "*batch H"]:
  """Returns Sᵀ q of every head, side by side."""
  o = jnp.einsum("...kv,...k->...v", state, q)
  return o.reshape(*o.shape[:-2], -1)
