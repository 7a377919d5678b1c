"""Growth rates of log norms with the lag, and the memory length that they imply.

    ln ‖J_T … J_{T-l+1}‖ ≈ intercept + rate · l,      memory length = -1 / rate

The line is fitted to the lags after the transient.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._compiled import compiled
from recurrent_lab.scaled import promoted


class Growth(NamedTuple):
  """A straight line fitted to log norms: `intercept + rate · lag`."""

  rate: Float[Array, ""]  # nats per step
  intercept: Float[Array, ""]  # nats
  residual: Float[Array, ""]  # root mean square deviation from the line, nats


@compiled("first_lag")
def growth_rate(log_norms: Float[Array, "T"], first_lag: int | None = None) -> Growth:
  """Fits a line to log norms as a function of the lag, by least squares.

  Args:
    log_norms: `[T]` in nats; entry l-1 belongs to lag l. Entries that are not finite are left out.
    first_lag: the first lag of the fit, by default T // 10, which skips the transient.

  Returns:
    The fit. Its rate is -inf if fewer than two entries are finite, and NaN if any entry is NaN.

  Raises:
    ValueError: if `first_lag` leaves fewer than two lags, or is below 1.
  """
  steps = log_norms.shape[0]
  first = max(1, steps // 10) if first_lag is None else first_lag
  if not 1 <= first < steps:
    raise ValueError(f"first_lag is {first}; it must lie between 1 and {steps - 1}, so that two lags are left to fit.")
  log_norms = promoted(log_norms)
  y = log_norms[first - 1 :]
  lags = jnp.arange(first, steps + 1, dtype=y.dtype)
  seen = jnp.isfinite(y)
  weight = seen / jnp.maximum(jnp.sum(seen), 1)
  y = jnp.where(seen, y, 0)
  mean_lag, mean_y = jnp.sum(weight * lags), jnp.sum(weight * y)
  spread = jnp.sum(weight * (lags - mean_lag) ** 2)
  covariance = jnp.sum(weight * (lags - mean_lag) * (y - mean_y))
  enough = jnp.sum(seen) >= 2
  rate = jnp.where(enough, covariance / jnp.where(enough, spread, 1), -jnp.inf)
  intercept = jnp.where(enough, mean_y - rate * mean_lag, 0)
  residual = jnp.sqrt(jnp.sum(weight * jnp.where(enough, y - intercept - rate * lags, 0) ** 2))
  broken = jnp.any(jnp.isnan(log_norms))
  return Growth(*(jnp.where(broken, jnp.nan, value) for value in (rate, intercept, residual)))


@compiled()
def memory_length(rate: Float[Array, "*any"]) -> Float[Array, "*any"]:
  """Returns the lag in steps over which a norm decreases by a factor e: -1 / rate, or inf if it does not decrease.

  `rate` is in nats per step and has any shape.
  """
  falls = rate < 0
  return jnp.where(jnp.isnan(rate), jnp.nan, jnp.where(falls, -1 / jnp.where(falls, rate, -1), jnp.inf))
