"""Gradient clipping by norm, as optax transformations. The results are right whenever all entries are finite.

    ĝ = g · min(1, c / ‖g‖)                                       the whole gradient: Pascanu et al. (2013)
    ĝ_u = g_u · min(1, c max(‖w_u‖, 10⁻³) / ‖g_u‖)                each unit: Brock et al. (2021)

In float32, a gradient of 10²⁰ has a finite norm but its square overflows, and the norm of a gradient of 10³⁸ may overflow too.
Here g and ‖g‖ are scaled by the same power of two before the division. If nothing overflows, the results are those of
`optax.clip_by_global_norm` and `optax.adaptive_grad_clip`. These return zeros if the square overflows.

References: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), algorithm 1; Brock,
De, Smith & Simonyan, "High-performance large-scale image recognition without normalization", ICML (2021), eq. 3.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array
import optax

from recurrent_lab.scaled import largest_exponent, norm, scaled_norm, shift

# The smallest norm of a unit's weights in the formula, so that a unit whose weights are 0 can still learn.
SMALLEST_UNIT = 1e-3


def clip_by_global_norm(threshold: ArrayLike) -> optax.GradientTransformation:
  """Scales the gradient down to the norm `threshold` over all its entries, if its norm is larger."""
  return optax.stateless(lambda gradient, params: _bounded(gradient, jnp.asarray(threshold)))


def clip_by_unit_norm(ratio: ArrayLike) -> optax.GradientTransformation:
  """Scales the gradient of each unit down to `ratio` times the norm of the unit's weights, if its norm is larger.

  A unit is a column of a kernel `[in, out]`. A vector is one unit. In arrays with three axes the norm is taken over the first
  axis, and with more axes over all except the last.
  """

  def clip(gradient: Array, weights: Array) -> Array:
    batch_ndim, turn, turn_back = _by_unit(gradient)
    bound = jnp.asarray(ratio) * jnp.maximum(norm(turn(weights), batch_ndim), SMALLEST_UNIT)
    return turn_back(_bounded(turn(gradient), bound, batch_ndim))

  return optax.stateless(lambda gradient, params: jax.tree.map(clip, gradient, params))


def _by_unit(array: Array) -> tuple[int, Callable[[Array], Array], Callable[[Array], Array]]:
  """Returns the number of axes that index units, and functions that move these axes to the front and back."""
  if jnp.squeeze(array).ndim <= 1:
    return 0, lambda a: a, lambda a: a
  if array.ndim <= 3:
    return array.ndim - 1, lambda a: jnp.moveaxis(a, 0, -1), lambda a: jnp.moveaxis(a, -1, 0)
  return 1, lambda a: jnp.moveaxis(a, -1, 0), lambda a: jnp.moveaxis(a, 0, -1)


def _bounded(gradient: Any, bound: Array, batch_ndim: int = 0) -> Any:
  """Computes g · min(1, c / ‖g‖). The first `batch_ndim` axes index norms and bounds c; the norm is over all other axes."""
  size, exponent = scaled_norm(gradient, batch_ndim)
  is_small = shift(size, exponent) < bound

  def scale(g: Array) -> Array:
    over_units = lambda a: a.reshape(*a.shape, *[1] * (g.ndim - a.ndim))
    unit = shift(g, -exponent) / over_units(jnp.where(size == 0, 1, size))
    return jnp.where(over_units(is_small), g, unit * over_units(bound)).astype(g.dtype)

  return jax.tree.map(scale, gradient)


def from_large_gradients(optimiser: optax.GradientTransformation) -> optax.GradientTransformation:
  """Protects an optimiser that divides the gradient of each array by its norm from overflow of the square.

  Such an optimiser makes the same update for every multiple of the gradient. Each array with entries above 1 is therefore divided
  by a power of two.
  """
  inner = optax.with_extra_args_support(optimiser)

  def update(gradient: Any, state: Any, params: Any = None, **extra: Any) -> tuple[Any, Any]:
    in_range = jax.tree.map(lambda g: shift(g, -jnp.maximum(largest_exponent(g), 0)), gradient)
    return inner.update(in_range, state, params, **extra)

  return optax.GradientTransformationExtraArgs(inner.init, update)
