"""Where a formula holds. A value outside of that is an error when it is known, and NaN where it is traced."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Inexact
import numpy as np

from recurrent_lab.scaled import promoted


def restrict(name: str, value: ArrayLike, holds: Callable[[Array], Array], rule: str) -> Inexact[Array, "..."]:
  """`value` as an array of floats (float32 for half precision), of which `holds` must be true.

  Raises:
    ValueError: if an entry is known and out of bounds or NaN. Under `jit` or `vmap` such an entry becomes NaN.
  """
  array = jnp.asarray(value)
  if not jnp.issubdtype(array.dtype, jnp.inexact):
    array = array.astype(float)
  array = promoted(array)
  return certify(array, holds(array), f"{name} is {value}; it must {rule}.")


def certify(result: Array, valid: Bool[Array, "..."], complaint: str) -> Inexact[Array, "..."]:
  """`result` where it is `valid`; elsewhere a `ValueError` with that complaint if both are known, and NaN if not."""
  if not isinstance(valid, jax.core.Tracer) and not np.all(valid):
    raise ValueError(complaint)
  return jnp.where(valid, result, jnp.nan)


def restrict_gain(gain: ArrayLike) -> Array:
  """A gain: 0 or more, and finite."""
  return restrict("gain", gain, lambda g: (g >= 0) & jnp.isfinite(g), "be finite and 0 or more")


def restrict_variance(input_variance: ArrayLike) -> Array:
  """A variance: 0 or more, and finite."""
  return restrict("input_variance", input_variance, lambda v: (v >= 0) & jnp.isfinite(v), "be finite and 0 or more")
