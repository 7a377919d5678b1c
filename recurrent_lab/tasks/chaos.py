"""Forecasts of a chaotic series from noisy observations: the delay equation of Mackey and Glass.

    dx/dt = β x(t-τ) / (1 + x(t-τ)^n) - γ x(t)          β = 0.2, γ = 0.1, n = 10, τ = 17

Over one delay the first term is a known function F(t), and the rest of the equation is linear:

    x(t) = e^{-γ(t-t_0)} x(t_0) + ∫_{t_0}^t e^{-γ(t-s)} F(s) ds          t_0 ≤ t ≤ t_0 + τ

The integral is computed by the trapezoidal rule at steps of 1/4, so one matrix product advances a series by a whole delay.

References: Mackey & Glass, "Oscillation and chaos in physiological control systems", Science 197 (1977); Gers, Eck & Schmidhuber,
"Applying LSTM to time series predictable through time-window approaches", ICANN (2001), for recurrent nets on this series.
"""

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, check_at_least, mean_squared_error

BETA, GAMMA, POWER, DELAY = 0.2, 0.1, 10, 17
MEAN, VARIANCE = 0.93018, 0.05112  # the long-run mean and variance of x

_PER_UNIT = 4  # integration steps per unit of time
_EVERY = 3  # units of time between two samples
_TRANSIENT = 20  # delays cut off at the start of every series
# The largest random shift of a start: about ten turns around the attractor, because the series stay in phase for long.
_SHIFTS = 30 * DELAY


def _trapezoid() -> tuple[np.ndarray, np.ndarray]:
  """Returns decay `[K, 1]` and weights `[K, K+1]`, which advance a series by a delay of K steps.

  They give x_i = decay_i x_0 + Σ_j weights_ij F_j for i = 1 … K.
  """
  steps = DELAY * _PER_UNIT
  to, at = np.arange(1, steps + 1)[:, None], np.arange(steps + 1)
  share = np.where(at < to, 1.0, np.where(at == to, 0.5, 0.0)) - 0.5 * (at == 0)
  propagated = np.exp(-GAMMA * np.maximum(to - at, 0) / _PER_UNIT)
  return np.exp(-GAMMA * to / _PER_UNIT).astype(np.float32), (propagated * share / _PER_UNIT).astype(np.float32)


_DECAY, _WEIGHTS = _trapezoid()


def mackey_glass_series(history: Float[Array, "B"], delays: int) -> Float[Array, "time B"]:
  """Computes x(0), x(1), … over `delays` delays of 17 numbers each, from a history that is constant until t = 0."""
  past = jnp.broadcast_to(history, (len(_DECAY) + 1, *history.shape))

  def extend(past: Array, _: None) -> tuple[Array, Array]:
    known = BETA * past / (1 + past**POWER)
    new = _DECAY * past[-1] + jnp.dot(_WEIGHTS, known, precision=lax.Precision.HIGHEST)
    past = jnp.concatenate([past[-1:], new])
    return past, past[:-1:_PER_UNIT]

  return lax.scan(extend, past, length=delays)[1].reshape(-1, *history.shape)


@variants
def mackey_glass(length: int, horizon: int = 6, noise: float = 0.1, warm_up: int = 20) -> Task:
  """Asks for a Mackey–Glass series `horizon` samples ahead, at each of T = `length` samples.

  Samples are three units of time apart. The series are scaled to mean 0 and variance 1 by the constants of the attractor. The
  net sees the series with Gaussian noise of standard deviation `noise`; its targets have no noise. Steps from `warm_up` on
  count. Each history is a constant, uniform on [0.2, 1.2]. The first 340 units of time are cut off, and a random number of up
  to 510 more.

  Baseline: the best constant is the mean, whose squared error is the variance, 1. Loss and score are the mean squared error in
  units of this variance. With the default options, repeating the last input gives 3.1 (`persistence_error`), and least squares on
  the last 20 inputs gives 0.2 (`linear_error`). Solved: below 0.02, a tenth of the error of least squares.

  Raises:
    ValueError: for a length that does not exceed the warm-up, a warm-up below 0, a horizon below 1, or noise that is negative or
      not finite.
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
  """Returns the mean squared error of predicting that the target of each step equals its input."""
  return mean_squared_error(batch.inputs, batch)


def linear_error(train_batch: Batch, test_batch: Batch, taps: int) -> float:
  """Fits a linear map of the last `taps` inputs and 1 to the first batch. Returns its mean squared error on the second batch.

  Inputs before the first step are 0. This runs in NumPy and float64, because the inputs may be nearly collinear; it cannot be
  traced.

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
