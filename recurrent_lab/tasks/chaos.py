"""Forecast a chaotic series from noisy observations: the delay equation of Mackey and Glass.

    dx/dt = β x(t-τ) / (1 + x(t-τ)^n) - γ x(t)          β = 0.2, γ = 0.1, n = 10, τ = 17

Over one delay the first term is known, F(t), and what is left is linear:

    x(t) = e^{-γ(t-t_0)} x(t_0) + ∫_{t_0}^t e^{-γ(t-s)} F(s) ds          t_0 ≤ t ≤ t_0 + τ

so that a product with one matrix, the integral by the trapezoidal rule at steps of 1/4, takes a series a whole delay further.

References: Mackey & Glass, "Oscillation and chaos in physiological control systems", Science 197 (1977); Gers, Eck & Schmidhuber,
"Applying LSTM to time series predictable through time-window approaches", ICANN (2001), for recurrent nets on it.
"""

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, check_at_least, mean_squared_error

BETA, GAMMA, POWER, DELAY = 0.2, 0.1, 10, 17
MEAN, VARIANCE = 0.93018, 0.05112  # of x in the long run

_PER_UNIT = 4  # integration steps in a unit of time
_EVERY = 3  # units of time from one sample to the next
_TRANSIENT = 20  # delays left out of every series
_SHIFTS = (
  30 * DELAY
)  # series begin up to so much later, some ten turns around the attractor, which they keep in step for long


def _trapezoid() -> tuple[np.ndarray, np.ndarray]:
  """(decay [K, 1], weights [K, K+1]): x_i = decay_i x_0 + Σ_j weights_ij F_j for i = 1 … K, a delay of K steps from x_0 on."""
  steps = DELAY * _PER_UNIT
  to, at = np.arange(1, steps + 1)[:, None], np.arange(steps + 1)
  share = np.where(at < to, 1.0, np.where(at == to, 0.5, 0.0)) - 0.5 * (at == 0)
  propagated = np.exp(-GAMMA * np.maximum(to - at, 0) / _PER_UNIT)
  return np.exp(-GAMMA * to / _PER_UNIT).astype(np.float32), (propagated * share / _PER_UNIT).astype(np.float32)


_DECAY, _WEIGHTS = _trapezoid()


def mackey_glass_series(history: Float[Array, "B"], delays: int) -> Float[Array, "time B"]:
  """x(0), x(1), … of that many delays, 17 numbers each, after a history that was constant until t = 0."""
  past = jnp.broadcast_to(history, (len(_DECAY) + 1, *history.shape))

  def extend(past: Array, _: None) -> tuple[Array, Array]:
    known = BETA * past / (1 + past**POWER)
    new = _DECAY * past[-1] + jnp.dot(_WEIGHTS, known, precision=lax.Precision.HIGHEST)
    past = jnp.concatenate([past[-1:], new])
    return past, past[:-1:_PER_UNIT]

  return lax.scan(extend, past, length=delays)[1].reshape(-1, *history.shape)


@variants
def mackey_glass(length: int, horizon: int = 6, noise: float = 0.1, warm_up: int = 20) -> Task:
  """T = `length` samples of a Mackey–Glass series, three units of time apart, each asking for that `horizon` samples later.

  Series are brought to mean 0 and variance 1 by the constants of the attractor. The net sees them with Gaussian noise of standard
  deviation `noise` and is asked for them without; steps from `warm_up` on count. Histories are constants uniform on [0.2, 1.2];
  the first 340 units are left out, and up to 510 more at random.

  Baseline: the mean, which errs by the variance, 1. The loss and the score are the mean squared error in units of that variance.
  Repeating the last input errs by about 3.1 with the default options, least squares on the last 20 inputs by about 0.2
  (`persistence_error`, `linear_error`). Solved below 0.02, a tenth of the latter.

  Raises:
    ValueError: for a length not above the warm-up, a warm-up below 0, a horizon below 1, or noise that is negative or not finite.
  """
  check_at_least("warm_up", warm_up, 0)
  check_at_least("length", length, warm_up + 1)
  check_at_least("horizon", horizon, 1)
  if not 0 <= noise < float("inf"):
    raise ValueError(f"noise is {noise}; it must be finite and at least 0.")
  first = _TRANSIENT * DELAY
  delays = -(-(first + _SHIFTS + _EVERY * (length + horizon)) // DELAY)

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_history, k_shift, k_noise = jax.random.split(key, 3)
    history = jax.random.uniform(k_history, (batch_size,), jnp.float32, 0.2, 1.2)
    shift = jax.random.randint(k_shift, (batch_size,), 0, _SHIFTS, jnp.int32)
    at = first + shift + _EVERY * np.arange(length + horizon, dtype=np.int32)[:, None]
    series = mackey_glass_series(history, delays)[at, np.arange(batch_size)]
    series = ((series - MEAN) / VARIANCE**0.5)[..., None]
    seen = series[:length] + noise * jax.random.normal(k_noise, (length, batch_size, 1), jnp.float32)
    mask = jnp.zeros((length, batch_size), jnp.float32).at[warm_up:].set(1.0)
    return Batch(seen, series[horizon:], mask)

  return Task(
    name="mackey_glass",
    input_size=1,
    output_size=1,
    steps=length,
    sample=sample,
    test=sample,
    loss=mean_squared_error,
    baseline=1.0,
    score=mean_squared_error,
    solved_below=0.02,
  )


def persistence_error(batch: Batch) -> Float[Array, ""]:
  """The mean squared error of who takes the input of each step for its target."""
  return mean_squared_error(batch.inputs, batch)


def linear_error(train_batch: Batch, test_batch: Batch, taps: int) -> float:
  """The mean squared error, on the second batch, of the linear map of the last `taps` inputs and 1 that fits the first best.

  Inputs before the first count as 0. Not to be traced: in NumPy and float64, since the inputs may be nearly collinear.

  Raises:
    ValueError: for fewer than 1 tap.
  """
  check_at_least("taps", taps, 1)

  def counted(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    inputs, targets, is_counted = np.asarray(batch.inputs, np.float64), np.asarray(batch.targets), batch.mask > 0
    padded = np.pad(inputs, ((taps - 1, 0), (0, 0), (0, 0)))
    lagged = [padded[tap : tap + len(inputs)] for tap in range(taps)]
    return np.concatenate([*lagged, np.ones_like(inputs[..., :1])], axis=-1)[is_counted], targets[is_counted]

  fit = np.linalg.lstsq(*counted(train_batch))[0]
  seen, targets = counted(test_batch)
  return float(np.mean((seen @ fit - targets) ** 2))
