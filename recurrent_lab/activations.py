"""Nonlinearities with slopes that survive saturation, and statistics of saturation.

In float32, `1 - tanh(a)**2` is exactly 0 from |a| ≈ 8 on. The lab measures deep saturation, so every activation comes with the
logarithm of its slope in a form that stays accurate there.
"""

from collections.abc import Callable, Mapping
import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._checks import check_choice
from recurrent_lab._compiled import compiled


class Activity(NamedTuple):
  """The value and log-slope of a nonlinearity φ at pre-activation a."""

  value: Float[Array, "..."]  # φ(a)
  log_slope: Float[Array, "..."]  # ln |φ'(a)|, -inf where the slope is 0


class Activation(NamedTuple):
  """A pointwise nonlinearity and the natural logarithm of its slope."""

  function: Callable[[Array], Array]  # φ
  log_slope: Callable[[Array], Array]  # a -> ln |φ'(a)|, -inf where the slope is 0

  def activity(self, preactivation: Array) -> Activity:
    """Returns φ and ln |φ'| at pre-activations of any shape."""
    return Activity(self.function(preactivation), self.log_slope(preactivation))


def log_sech2(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """Returns ln tanh'(a) = ln sech²(a) = -2 ln cosh a, without underflow or cancellation.

      |a| < 1:  -ln(1 + sinh² a)                     tends to -a² for small a
      else:     2 (ln 2 - |a| - ln(1 + e^{-2|a|}))   tends to 2 ln 2 - 2|a| for large a

  `a` has any shape.
  """
  size = jnp.abs(a)
  small = jnp.minimum(size, 1.0)  # keeps the unused branch finite; its gradient would be NaN otherwise
  large = jnp.maximum(size, 1.0)
  near = -jnp.log1p(jnp.sinh(small) ** 2)
  far = 2 * (jnp.log(jnp.asarray(2.0, a.dtype)) - large - jnp.log1p(jnp.exp(-2 * large)))
  return jnp.where(size < 1, near, far)


def log_sigmoid_slope(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """Returns ln σ'(a) = ln σ(a) + ln σ(-a). Any shape."""
  return jax.nn.log_sigmoid(a) + jax.nn.log_sigmoid(-a)


def sech2(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """Returns tanh'(a) = 4 e^{-2|a|} / (1 + e^{-2|a|})², with full relative accuracy until it underflows."""
  e = jnp.exp(-2 * jnp.abs(a))
  return 4 * e / (1 + e) ** 2


def sigmoid_slope(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """Returns σ'(a) = e^{-|a|} / (1 + e^{-|a|})², with full relative accuracy until it underflows."""
  e = jnp.exp(-jnp.abs(a))
  return e / (1 + e) ** 2


def _with_slope(function: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Callable[[Array], Array]:
  """Returns the function with the given derivative. In float32, 1 - tanh² is 0 from |a| ≈ 8 on, so J would be singular."""
  exact = jax.custom_jvp(function)
  exact.defjvp(lambda primals, tangents: (exact(*primals), slope(*primals) * tangents[0]))
  return exact


tanh = _with_slope(jnp.tanh, sech2)
sigmoid = _with_slope(jax.nn.sigmoid, sigmoid_slope)


def _step_log_slope(is_on: Callable[[Array], Array], off: float) -> Callable[[Array], Array]:
  """Returns the log-slope of a piecewise linear function: 0 where it is on, ln(off) elsewhere."""
  return lambda a: jnp.where(is_on(a), 0.0, jnp.log(jnp.asarray(off, a.dtype)))


def _log_gelu_slope(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """Returns ln |Φ(a) + a φ(a)|, below 0 as ln φ(a) + ln |a + Φ(a) / φ(a)|, which does not underflow. Any shape."""
  below, above = jnp.minimum(a, 0), jnp.maximum(a, 0)
  log_density = jax.scipy.stats.norm.logpdf(below)
  far = log_density + jnp.log(jnp.abs(below + jnp.exp(jax.scipy.stats.norm.logcdf(below) - log_density)))
  near = jnp.log(jax.scipy.stats.norm.cdf(above) + above * jax.scipy.stats.norm.pdf(above))
  return jnp.where(a < 0, far, near)


@functools.cache
def power_law(exponent: float = 2.0, gain: float = 1.0) -> Activation:
  """Returns φ(a) = k ⌊a⌋₊ⁿ with n = `exponent` and k = `gain`, the transfer function of supralinear units.

  Reference: Rubin, Van Hooser & Miller, "The stabilized supralinear network: a unifying circuit motif underlying multi-input
  integration in sensory cortex", Neuron 85 (2015), with n = 2.

  Raises:
    ValueError: unless both are above 0.
  """
  if not (exponent > 0 and gain > 0):
    raise ValueError(f"The power law has exponent {exponent} and gain {gain}; both must be above 0.")
  positive = lambda a: jnp.where(a > 0, a, 1)  # keeps the unused branch finite
  return Activation(
    lambda a: jnp.where(a > 0, gain * positive(a) ** exponent, 0),
    lambda a: jnp.where(a > 0, math.log(gain * exponent) + (exponent - 1) * jnp.log(positive(a)), -jnp.inf),
  )


LEAK = 0.01  # the slope of the leaky relu below 0 (Maas et al., 2013)

#: The nonlinearities by name.
ACTIVATIONS: Mapping[str, Activation] = {
  "tanh": Activation(tanh, log_sech2),
  "relu": Activation(jax.nn.relu, _step_log_slope(lambda a: a > 0, 0.0)),
  "sigmoid": Activation(sigmoid, log_sigmoid_slope),
  "leaky_relu": Activation(lambda a: jax.nn.leaky_relu(a, LEAK), _step_log_slope(lambda a: a >= 0, LEAK)),
  "softsign": Activation(jax.nn.soft_sign, lambda a: -2 * jnp.log1p(jnp.abs(a))),
  "hard_tanh": Activation(jax.nn.hard_tanh, _step_log_slope(lambda a: jnp.abs(a) < 1, 0.0)),
  "identity": Activation(lambda a: a, jnp.zeros_like),
  "softplus": Activation(jax.nn.softplus, jax.nn.log_sigmoid),
  "elu": Activation(
    _with_slope(lambda a: jax.nn.elu(a), lambda a: jnp.exp(jnp.minimum(a, 0))), lambda a: jnp.minimum(a, 0)
  ),
  "gelu": Activation(lambda a: jax.nn.gelu(a, approximate=False), _log_gelu_slope),
  "power_law": power_law(),
}


def get_activation(name: str | Activation) -> Activation:
  """Returns the activation of that name, or an `Activation` as it is.

  Raises:
    ValueError: with the valid names, if there is none of that name.
  """
  if isinstance(name, Activation):
    return name
  check_choice("Activation", name, ACTIVATIONS)
  return ACTIVATIONS[name]


class Saturation(NamedTuple):
  """Averages of an `Activity` over all its entries: steps, units and batch."""

  mean_value: Float[Array, ""]  # E φ
  mean_slope: Float[Array, ""]  # E φ'
  mean_log_slope: Float[Array, ""]  # E ln φ', nats per step: the growth rate of a product of slopes
  share_high: Float[Array, ""]  # share of entries with |φ| > 0.95, a saturated tanh or an open gate
  share_low: Float[Array, ""]  # share of entries with |φ| < 0.05, a tanh in its linear range or a closed gate


@compiled()
def saturation(activity: Activity) -> Saturation:
  """Summarises how saturated a nonlinearity was. `activity` has any shape, usually `[T, ..., H]`."""
  size = jnp.abs(activity.value)
  return Saturation(
    mean_value=jnp.mean(activity.value),
    mean_slope=jnp.mean(jnp.exp(activity.log_slope)),
    mean_log_slope=jnp.mean(activity.log_slope),
    share_high=jnp.mean((size > 0.95).astype(size.dtype)),
    share_low=jnp.mean((size < 0.05).astype(size.dtype)),
  )
