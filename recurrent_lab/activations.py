"""Nonlinearities with slopes that survive saturation, and statistics of saturation.

In float32, `1 - tanh(a)**2` is exactly 0 from |a| ≈ 8 on. The lab measures deep saturation, so every activation comes with the
logarithm of its slope in a form that stays accurate there.
"""

from collections.abc import Callable, Mapping
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


def get_activation(choice: str | Activation) -> Activation:
  """Returns the activation of that name, or the given one. Raises `ValueError` with the valid names if there is none."""
  if isinstance(choice, Activation):
    return choice
  check_choice("Activation", choice, ACTIVATIONS)
  return ACTIVATIONS[choice]


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
