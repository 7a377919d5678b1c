"""Domains of formulas. A value outside the domain raises an error if it is known, and becomes NaN if it is traced."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Inexact
import numpy as np

from recurrent_lab.scaled import promoted


def restrict(name: str, value: ArrayLike, holds: Callable[[Array], Array], rule: str) -> Inexact[Array, "..."]:
  """Returns `value` as an array of floats, and checks that `holds` is true of every entry. Half precision becomes float32.

  Raises:
    ValueError: if an entry is outside the domain or NaN. Under `jit` or `vmap` such an entry becomes NaN instead.
  """
  array = jnp.asarray(value)
  if not jnp.issubdtype(array.dtype, jnp.inexact):
    array = array.astype(float)
  array = promoted(array)
  return certify(array, holds(array), f"{name} is {value}; it must {rule}.")


def certify(result: Array, valid: Bool[Array, "..."], complaint: str) -> Inexact[Array, "..."]:
  """Returns `result` where it is `valid`. Elsewhere it raises a `ValueError` with `complaint`, or returns NaN if traced."""
  if not isinstance(valid, jax.core.Tracer) and not np.all(valid):
    raise ValueError(complaint)
  return jnp.where(valid, result, jnp.nan)


def restrict_gain(gain: ArrayLike) -> Array:
  """Checks that a gain is finite and 0 or more."""
  return restrict("gain", gain, lambda g: (g >= 0) & jnp.isfinite(g), "be finite and 0 or more")


def restrict_variance(input_variance: ArrayLike) -> Array:
  """Checks that a variance is finite and 0 or more."""
  return restrict("input_variance", input_variance, lambda v: (v >= 0) & jnp.isfinite(v), "be finite and 0 or more")
