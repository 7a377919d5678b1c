"""Nonlinearities with slopes that survive saturation, and the statistics of that saturation.

In float32 `1 - tanh(a)**2` is exactly 0 from |a| ≈ 8 on. Deep saturation is what the lab measures, so every activation
comes with the logarithm of its slope in a form that stays exact there.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._checks import check_choice
from recurrent_lab._compiled import compiled


class Activity(NamedTuple):
  """What a nonlinearity φ did at pre-activation a."""

  value: Float[Array, "..."]  # φ(a)
  log_slope: Float[Array, "..."]  # ln |φ'(a)|, -inf where the slope is 0


class Activation(NamedTuple):
  """A pointwise nonlinearity and the natural logarithm of its slope."""

  function: Callable[[Array], Array]  # φ
  log_slope: Callable[[Array], Array]  # a -> ln |φ'(a)|, -inf where the slope is 0

  def activity(self, preactivation: Array) -> Activity:
    """φ and ln |φ'| at a pre-activation of any shape."""
    return Activity(self.function(preactivation), self.log_slope(preactivation))


def log_sech2(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """ln tanh'(a) = ln sech²(a) = -2 ln cosh a, without underflow or cancellation.

  |a| < 1:  -ln(1 + sinh² a)                   (exact down to -a² for tiny a)
  else:     2 (ln 2 - |a| - ln(1 + e^{-2|a|}))   (exact up to -2|a| for huge a)
  """
  size = jnp.abs(a)
  small = jnp.minimum(size, 1.0)  # keeps the branch that is not taken finite, so that gradients stay clean
  large = jnp.maximum(size, 1.0)
  near = -jnp.log1p(jnp.sinh(small) ** 2)
  far = 2 * (jnp.log(jnp.asarray(2.0, a.dtype)) - large - jnp.log1p(jnp.exp(-2 * large)))
  return jnp.where(size < 1, near, far)


def log_sigmoid_slope(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """ln σ'(a) = ln σ(a) + ln σ(-a)."""
  return jax.nn.log_sigmoid(a) + jax.nn.log_sigmoid(-a)


def sech2(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """tanh'(a) = 4 e^{-2|a|} / (1 + e^{-2|a|})², with full relative accuracy until it underflows."""
  e = jnp.exp(-2 * jnp.abs(a))
  return 4 * e / (1 + e) ** 2


def sigmoid_slope(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """σ'(a) = e^{-|a|} / (1 + e^{-|a|})², likewise."""
  e = jnp.exp(-jnp.abs(a))
  return e / (1 + e) ** 2


def _with_slope(function: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Callable[[Array], Array]:
  """The same function, differentiated by its exact slope: 1 - tanh² is 0 in float32 from |a| ≈ 8 on, and J would be singular."""
  exact = jax.custom_jvp(function)
  exact.defjvp(lambda primals, tangents: (exact(*primals), slope(*primals) * tangents[0]))
  return exact


tanh = _with_slope(jnp.tanh, sech2)
sigmoid = _with_slope(jax.nn.sigmoid, sigmoid_slope)


def _step_log_slope(is_on: Callable[[Array], Array], off: float) -> Callable[[Array], Array]:
  """The log-slope of a piecewise linear function: 0 where it is on, ln(off) elsewhere."""
  return lambda a: jnp.where(is_on(a), 0.0, jnp.log(jnp.asarray(off, a.dtype)))


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
}


def get_activation(name: str) -> Activation:
  """The activation of that name; raises `ValueError` listing the valid names."""
  check_choice("Activation", name, ACTIVATIONS)
  return ACTIVATIONS[name]


class Saturation(NamedTuple):
  """Averages of an `Activity` over all its entries (steps, units, batch)."""

  mean_value: Float[Array, ""]  # E φ
  mean_slope: Float[Array, ""]  # E φ'
  mean_log_slope: Float[Array, ""]  # E ln φ', nats: what a product of slopes loses a step
  share_high: Float[Array, ""]  # share with |φ| > 0.95: a saturated tanh, an open gate
  share_low: Float[Array, ""]  # share with |φ| < 0.05: a tanh near its linear range, a closed gate


@compiled()
def saturation(activity: Activity) -> Saturation:
  """Summarises how saturated a nonlinearity was; `activity` of any shape, usually `[T, ..., H]`."""
  size = jnp.abs(activity.value)
  return Saturation(
    mean_value=jnp.mean(activity.value),
    mean_slope=jnp.mean(jnp.exp(activity.log_slope)),
    mean_log_slope=jnp.mean(activity.log_slope),
    share_high=jnp.mean((size > 0.95).astype(size.dtype)),
    share_low=jnp.mean((size < 0.05).astype(size.dtype)),
  )
