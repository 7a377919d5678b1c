"""The activity of the large random rate network: a Gaussian process whose correlation reproduces itself. See `rate_network`."""

from collections.abc import Callable
import functools

import numpy as np

Vector = np.ndarray  # float64

SHORTEST, LONGEST = 32, 1024  # steps of the periodic window of times
FORGOTTEN = 5e-3  # largest correlation of x at half a window, relative to its variance
HERMITE = 120  # terms of a covariance


def sech2(x: Vector) -> Vector:
  """Returns tanh'(x)."""
  return np.cosh(np.minimum(np.abs(x), 300)) ** -2.0


def nodes(variance: float) -> tuple[Vector, Vector]:
  """Returns nodes and weights of the trapezoidal rule for a Gaussian. Its error is below 1e-12, for functions like tanh."""
  z = np.linspace(-8.4, 8.4, 2 * int(np.ceil(84 * max(1.0, np.sqrt(variance) / 3))) + 1)
  weights = np.exp(-(z**2) / 2)
  return z, weights / weights.sum()


def mean(f: Callable[[Vector], Vector], variance: float) -> float:
  """Returns E f(√variance z)."""
  z, weights = nodes(variance)
  return float(weights @ f(np.sqrt(variance) * z))


def covariance(f: Callable[[Vector], Vector], correlation: Vector) -> Vector:
  """Returns E[f(x(n)) f(x(n+τ))] for a Gaussian process with a correlation `[T]`, which is even and periodic.

  It is Σ_k a_k² ρ^k, with ρ = C(τ) / C(0) and a_k = E[f(√C(0) z) he_k(z)] for the normalised Hermite polynomials he_k (Mehler).
  The sum over all a_k² is E f², which gives what is cut off; it matters near ρ = 1 alone.
  """
  z, weights = nodes(correlation[0])
  values = f(np.sqrt(correlation[0]) * z)
  before, polynomial, squares = np.zeros_like(z), np.ones_like(z), np.empty(HERMITE)
  for k in range(HERMITE):
    squares[k] = (weights @ (values * polynomial)) ** 2
    before, polynomial = polynomial, (z * polynomial - np.sqrt(k) * before) / np.sqrt(k + 1)
  squares[-1] += weights @ values**2 - squares.sum()
  return np.polynomial.polynomial.polyval(np.clip(correlation / correlation[0], -1, 1), squares)


def phase(steps: int) -> Vector:
  """Returns e^{iω} at the frequencies of a periodic window `[T]`."""
  return np.exp(2j * np.pi * np.arange(steps) / steps)


@functools.cache
def correlation(gain: float, leak: float) -> Vector:
  """Returns C(τ) `[T]` over a periodic window, which is doubled until x has forgotten itself at half of it.

  Raises:
    ValueError: if it does not within `LONGEST` steps.
  """
  steps = max(SHORTEST, 2 ** round(np.log2(16 / leak)))
  while steps <= LONGEST:
    response = (leak * gain) ** 2 / np.abs(phase(steps) - (1 - leak)) ** 2
    lag = np.minimum(np.arange(steps), steps - np.arange(steps))
    correlation = gain**2 / 2 * (1 - leak) ** (3.0 * lag)
    for _ in range(2000):
      source = np.maximum(np.fft.fft(covariance(np.tanh, correlation)).real, 0)
      new = np.fft.ifft(response * source).real
      change = np.abs(new - correlation).max()
      correlation = (correlation + new) / 2
      if converged := change < 1e-8 * correlation[0]:
        break
    if converged and abs(correlation[steps // 2]) < FORGOTTEN * correlation[0]:
      return correlation
    steps *= 2
  raise ValueError(
    f"The activity for gain {gain} and leak {leak} is correlated over more than {LONGEST // 2} steps; "
    "take a larger leak, or a gain further above 1."
  )
