"""Theory of the whole Lyapunov spectrum of the large random rate network with a leak.

    x(n+1) = (1 - δ) x(n) + δ g W tanh(x(n)),        W_ij ~ N(0, 1/N),   0 < δ ≤ 1,   g > 1

`leaky_rnn(δ)` without inputs and biases has the same exponents: its state h gives x = g W h.

**Activity.** For N → ∞ every x_i is an independent stationary Gaussian process. Its autocorrelation C(τ) reproduces itself:

    Ĉ(ω) = δ² g² Ŝ(ω) / |e^{iω} - (1 - δ)|²,        S(τ) = E[tanh x(n) tanh x(n+τ)]

**Exponents.** Let L = e^s (shift) - J(n), and let u be the solution of L u = b of least norm. Then e^s ∂u(n+1)/∂b(n) projects on
the directions that grow more slowly than s, and its trace over N is the share of exponents below s. That solution is
Lᵀ (L Lᵀ + η²)^{-1} b for η → 0. L contains W once, so the average over W is a sum of non-crossing diagrams, as for the
eigenvalues of a random matrix. Let A = e^s (shift) - (1 - δ), and D(n) = tanh'(x(n)) for one unit. Matrices over times solve

    K = η + δ² g² E[D Q D],      Q = (B + Aᵀ K^{-1} A)^{-1},      B = η + δ² g² D G D,      G = E[(K + A B^{-1} Aᵀ)^{-1}]

where E is the mean over units, and the response is Q Aᵀ K^{-1}. K and G depend on the difference of times alone. For δ = 1 the
x(n) are independent in time, and all of it becomes one equation for u (see `_white_share`).

**Largest exponent.** It is the s at which K and G first differ from 0, so that the largest eigenvalue of the linear map
K(τ) → δ² g² C_D(τ) [K̂ / |Â|²](τ) is 1, with C_D(τ) = E[D(n) D(n+τ)].

This module computes in NumPy and float64, whatever JAX is set to. Exponents are in nats per step.

References: Sompolinsky, Crisanti & Sommers, PRL 61 (1988), for C and λ₁ in continuous time; Clark, arXiv 2610.12426 (2026), for
the share of exponents as a trace. The equations above were derived for this module and are tested by simulated networks.
"""

from collections.abc import Callable
import functools
from typing import NamedTuple

import numpy as np

from recurrent_lab.theory import _activity as activity
from recurrent_lab.theory._activity import Vector

DRAWS = 8192  # values of D over units and times: a standard error of 2 % of the share above 0 at δ = 0.5, g = 3
ETA = 1e-6


class RateSpectrum(NamedTuple):
  """The spectrum of the rate network for N → ∞."""

  largest: float  # λ₁, nats per step
  mean: float  # the mean of all exponents, nats per step
  positive_share: float  # share of exponents above 0
  entropy_rate: float  # sum of the positive exponents / N, nats per step
  dimension: float  # Kaplan–Yorke dimension / N
  exponent: Vector  # a falling grid of s, nats per step
  share_above: Vector  # the share of exponents above every s


def _check(gain: float, leak: float) -> tuple[float, float]:
  gain, leak = float(gain), float(leak)
  if not (1 < gain < np.inf):
    raise ValueError(f"gain is {gain}; it must be finite and above 1, where the network is chaotic.")
  if not 0 < leak <= 1:
    raise ValueError(f"leak is {leak}; it must be above 0 and at most 1.")
  return gain, leak


def _root(f: Callable[[float], float], low: float, high: float) -> float:
  """Returns the root of a falling function, by bisection."""
  for _ in range(60):
    middle = (low + high) / 2
    low, high = (middle, high) if f(middle) > 0 else (low, middle)
  return (low + high) / 2


def _log_growth(gain: float, leak: float, slopes: Vector, s: float) -> float:
  """Returns ln of the largest eigenvalue of K -> δ² g² C_D [K̂ / |Â|²] by power iteration. `slopes` is C_D(τ) `[T]`."""
  phase = activity.phase(len(slopes))
  size, kernel = 1.0, np.ones(len(slopes))
  for _ in range(5000):
    passed = np.fft.ifft(kernel / np.abs(np.exp(s) * phase - (1 - leak)) ** 2)
    new = (leak * gain) ** 2 * np.fft.fft(slopes * passed).real
    size = np.abs(new).max()
    settled = np.abs(new / size - kernel).max() < 1e-12
    kernel = new / size
    if settled:
      break
  return float(np.log(size))


@functools.cache
def _largest(gain: float, leak: float) -> float:
  slopes = activity.covariance(activity.sech2, activity.correlation(gain, leak))
  low = np.log1p(-leak) if leak < 1 else -20.0
  return _root(lambda s: _log_growth(gain, leak, slopes, s), low + 1e-9, np.log(1 - leak + leak * gain))


def rate_largest_exponent(gain: float, leak: float = 1.0) -> float:
  """Returns the largest Lyapunov exponent λ₁ of the rate network, in nats per step, for N → ∞.

  Args:
    gain: g > 1.
    leak: δ, above 0 and at most 1.

  Raises:
    ValueError: for values outside of these ranges, or an activity that is correlated over more than 512 steps.
  """
  return _largest(*_check(gain, leak))


def rate_mean_exponent(gain: float, leak: float = 1.0) -> float:
  """Returns the mean of all Lyapunov exponents of the rate network, in nats per step, for N → ∞.

  It is ln |det J| / N for one step. For J = (1 - δ) + δ g W D that is the largest value over u ≥ 0 of
  ½ E ln((1 - δ)² + u D²) - u / 2 δ² g², as for the eigenvalues of W D. Arguments and errors are those of `rate_largest_exponent`.
  """
  gain, leak = _check(gain, leak)
  variance, squared = activity.correlation(gain, leak)[0], (leak * gain) ** 2
  excess = lambda u: squared * activity.mean(lambda x: 1 / (u + ((1 - leak) / activity.sech2(x)) ** 2), variance) - 1
  u = _root(excess, 0.0, squared)
  value = lambda x: np.log((1 - leak) ** 2 + u * activity.sech2(x) ** 2) / 2
  return activity.mean(value, variance) - u / (2 * squared)


def _white_share(gain: float, s: float) -> float:
  """Returns the share of exponents below s for δ = 1: 1 - u / g², where g² E[D² / (u D² + e^{2s})] = 1."""
  variance = activity.correlation(gain, 1.0)[0]
  excess = lambda u: gain**2 * activity.mean(lambda x: 1 / (u + np.exp(2 * s) / activity.sech2(x) ** 2), variance) - 1
  return 1 - _root(excess, 0.0, gain**2) / gain**2


class _Kernels(NamedTuple):
  forward: Vector  # K by lag
  backward: Vector  # G by lag


def _coloured_share(
  gain: float, leak: float, s: float, slopes: Vector, kernels: _Kernels | None
) -> tuple[float, _Kernels]:
  """Solves for K and G by damped iteration, from those of a neighbouring s. `slopes` are values of D `[M, T]`.

  For η → 0, K and G are known up to a factor, which tr G = E tr Q fixes.
  """
  steps, squared = slopes.shape[1], (leak * gain) ** 2
  diagonal = np.arange(steps)
  symbol = np.exp(s) * activity.phase(steps) - (1 - leak)  # Â
  forward, backward = kernels or _Kernels(np.eye(steps)[0], np.eye(steps)[0])
  outer = squared * slopes[:, :, None] * slopes[:, None, :]
  for _ in range(300):
    spectrum = np.fft.fft(forward).real
    matrices = outer * activity.toeplitz(backward)
    matrices[:, diagonal, diagonal] += ETA
    q = np.linalg.inv(matrices + activity.toeplitz(np.fft.ifft(np.abs(symbol) ** 2 / spectrum).real))
    q_spectrum = np.fft.fft(activity.by_lag(q)).real
    new_forward = activity.by_lag(outer * q)
    new_forward[0] += ETA
    new_backward = np.fft.ifft(1 / spectrum - np.abs(symbol) ** 2 * q_spectrum / spectrum**2).real
    factor = np.sqrt(new_backward[0] / q_spectrum.mean())
    new_forward, new_backward = new_forward * factor, new_backward / factor
    share = np.exp(s) * np.fft.ifft(q_spectrum * np.conj(symbol) / spectrum).real[1]
    change = max(
      np.abs(new - old).max() / np.abs(old).max() for new, old in ((new_forward, forward), (new_backward, backward))
    )
    forward, backward = (forward + new_forward) / 2, (backward + new_backward) / 2
    if change < 1e-5:
      break
  return float(share), _Kernels(forward, backward)


def _slopes(gain: float, leak: float, draws: int, seed: int) -> Vector:
  """Draws D over about `draws` units and times `[M, T]`, from the seed and the content.

  One factor near 1 makes the largest exponent of the draws that of the theory, which takes most of the noise out of the share.
  """
  correlation = activity.correlation(gain, leak)
  steps = len(correlation)
  rng = np.random.default_rng([round(gain * 1e9), round(leak * 1e9), seed])
  white = rng.standard_normal((max(4, draws // steps), steps))
  root = np.sqrt(np.maximum(np.fft.fft(correlation).real, 0))
  slopes = activity.sech2(np.fft.ifft(np.fft.fft(white) * root).real)
  drawn = np.fft.ifft((np.abs(np.fft.fft(slopes)) ** 2).mean(axis=0)).real / steps  # C_D of the draws
  return slopes * np.exp(-_log_growth(gain, leak, drawn, _largest(gain, leak)) / 2)


def rate_exponent_cdf(gain: float, leak: float, s: Vector, draws: int = DRAWS, seed: int = 0) -> Vector:
  """Returns F(s), the share of Lyapunov exponents below every s of the rate network, for N → ∞.

  For δ = 1 it is exact. For δ < 1 the mean over units is one over random draws of D, see `DRAWS`.

  Args:
    gain: g > 1.
    leak: δ, above 0 and at most 1.
    s: thresholds in nats per step, of any shape.
    draws: number of values of D over units and times.
    seed: of these draws.

  Raises:
    ValueError: as `rate_largest_exponent`, for a threshold that is not finite, or for less than 256 draws.
  """
  gain, leak = _check(gain, leak)
  s = np.asarray(s, float)
  if not np.isfinite(s).all():
    raise ValueError("A threshold s is not finite.")
  if draws < 256:
    raise ValueError(f"draws is {draws}; it must be at least 256.")
  largest, result, kernels = _largest(gain, leak), np.ones(s.size), None
  slopes = _slopes(gain, leak, draws, seed)
  for i in np.argsort(-s.ravel()):  # from the edge down, so that neighbours begin from each other
    threshold = float(s.ravel()[i])
    if threshold >= largest:
      continue
    if leak == 1:
      result[i] = _white_share(gain, threshold)
    else:
      result[i], kernels = _coloured_share(gain, leak, threshold, slopes, kernels)
  return np.clip(result, 0, 1).reshape(s.shape)


def rate_spectrum(gain: float, leak: float = 1.0, points: int = 24, draws: int = DRAWS, seed: int = 0) -> RateSpectrum:
  """Computes λ₁, the distribution of all exponents, the entropy rate and the dimension of the rate network, for N → ∞.

  Args:
    gain: g > 1.
    leak: δ, above 0 and at most 1.
    points: number of thresholds, from λ₁ to where the sum from the top is negative.
    draws: number of values of D over units and times.
    seed: of these draws.

  Raises:
    ValueError: as `rate_exponent_cdf`, or for less than 8 points.
  """
  if points < 8:
    raise ValueError(f"points is {points}; it must be at least 8.")
  largest = rate_largest_exponent(gain, leak)
  lowest = -2.0 * largest
  while True:
    grid = np.concatenate([np.linspace(largest, 0, points // 2), np.linspace(0, lowest, points - points // 2 + 1)[1:]])
    above = 1 - rate_exponent_cdf(gain, leak, grid, draws, seed)
    above[0] = 0
    areas = np.diff(-grid) * (above[1:] + above[:-1]) / 2  # trapezoids under the share over s
    total = np.concatenate([[0.0], np.cumsum(areas)]) + grid * above  # sum of the exponents above s, per unit
    if total[-1] < 0:
      break
    lowest *= 2
  zero = points // 2 - 1
  return RateSpectrum(
    largest,
    rate_mean_exponent(gain, leak),
    float(above[zero]),
    float(total[zero]),
    float(np.interp(0, -total[zero:], above[zero:])),
    grid,
    above,
  )
