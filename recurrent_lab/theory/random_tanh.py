"""Mean-field theory of the large random tanh network.

    x(n+1) = W tanh(x(n)) + input,        W_ij ~ N(0, g² / N),   input ~ N(0, σ²), white

For N → ∞ the sum over many units makes every x_i Gaussian, with a variance Δ that must reproduce itself. The Jacobian
J = W diag(tanh'(x)) then multiplies the squared length of any vector by χ per step:

    Δ = g² E tanh²(√Δ z) + σ²             χ = g² E sech⁴(√Δ z)             z ~ N(0, 1)

In the lab's RNN, x is the pre-activation of s = tanh(x), and σ² is `input_scale²` for white inputs. For σ = 0 the zero state is
stable up to g = 1, where chaos starts. An input suppresses chaos up to a larger gain.

References: Sompolinsky, Crisanti & Sommers, "Chaos in random neural networks", PRL 61 (1988); Molgedey, Schuchhardt &
Schuster, "Suppressing chaos in neural networks by noise", PRL 69 (1992), for Δ and χ in discrete time with input; Engelken,
Wolf & Abbott, "Lyapunov spectra of chaotic recurrent neural networks", Phys. Rev. Research 5 (2023), for the spectrum.
"""

from collections.abc import Callable
from functools import partial

import jax
from jax import lax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from recurrent_lab.activations import log_sech2
from recurrent_lab.theory.domain import certify, restrict, restrict_gain, restrict_variance

LARGEST_VARIANCE = 1e24
NODES = 160  # gives an error of 1e-11 at the largest variance and far less at common ones, see `gaussian_mean`
BISECTIONS = 70  # halvings of ln Δ, enough for any bracket to shrink below rounding in float64


def gaussian_mean(f: Callable[[Array], Array], variance: Float[Array, ""]) -> Float[Array, ""]:
  """Computes E f(√variance · z) for an even f, z ~ N(0, 1).

  This is the trapezoidal rule in v, where z = sinh(v) / s and s = max(1, √variance). Its nodes are dense where f bends (|x| ~ 1)
  and sparse in the tail of the Gaussian. The integrand is analytic for |Im v| < π/4, so the error is e^{-π²/2h} at spacing h.
  The spacing is h < 0.2 up to `LARGEST_VARIANCE`.
  """
  std = jnp.sqrt(variance)
  s = jnp.maximum(1, std)
  v = jnp.linspace(0, 1, NODES, dtype=variance.dtype) * jnp.arcsinh(9.5 * s)
  z = jnp.sinh(v) / s
  weight = (jnp.exp(-(z**2) / 2) * jnp.cosh(v)).at[0].divide(2)
  return jnp.sum(weight * f(std * z)) / jnp.sum(weight)


def _excess(x: Float[Array, "*any"]) -> Float[Array, "*any"]:
  """Returns x² - tanh² x, by its series where the difference would cancel."""
  square = jnp.minimum(jnp.abs(x), 0.2) ** 2
  coefficients = (-929569 / 42567525, 21844 / 467775, -1382 / 14175, 62 / 315, -17 / 45, 2 / 3)
  series = jnp.polyval(jnp.asarray(coefficients, x.dtype), square) * square**2
  return jnp.where(jnp.abs(x) < 0.2, series, (x - jnp.tanh(x)) * (x + jnp.tanh(x)))


def _surplus(gain: Array, input_variance: Array, variance: Array) -> tuple[Array, Array]:
  """Returns g² E tanh² + σ² - Δ, which is positive below the solution, and the size of its terms.

  For small Δ, E tanh² is Δ minus a small excess that holds all the information. Δ is therefore subtracted analytically.
  """
  excess = gain**2 * gaussian_mean(_excess, variance)
  small = (gain - 1) * (gain + 1) * variance + input_variance - excess
  large = gain**2 * gaussian_mean(lambda x: jnp.tanh(x) ** 2, variance) + input_variance - variance
  is_small = variance < 1
  return jnp.where(is_small, small, large), jnp.where(is_small, excess + input_variance, variance)


def bisect(f: Callable[[Array], Array], low: Array, high: Array) -> Array:
  """Finds the root of `f` between `low` > 0 and `high` by bisection of the logarithm. `f` is positive below the root."""

  def halve(_: Array, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
    low, high = bracket
    middle = jnp.sqrt(low) * jnp.sqrt(high)
    below = f(middle) > 0
    return jnp.where(below, middle, low), jnp.where(below, high, middle)

  low, high = lax.fori_loop(0, BISECTIONS, halve, (low, high))
  return jnp.sqrt(low) * jnp.sqrt(high)


@partial(jnp.vectorize, signature="(),()->(),()")
def _solve_variance(gain: Array, input_variance: Array) -> tuple[Array, Array]:
  """Returns Δ, and whether it solves its equation.

  Because x² - ⅔ x⁴ ≤ tanh² x ≤ 1, the solution lies between max((1 - g⁻²) / 2, σ²) and g² + σ². Bisection has no gradient. The
  Newton step after it adds the gradient of the implicit function, dΔ/dg = -∂_g F / ∂_Δ F.
  """
  silent = (gain <= 1) & (input_variance == 0)
  g = jnp.where(silent, 2, gain)
  low = jnp.maximum((1 - g**-2) / 2, input_variance)
  root = bisect(lambda v: _surplus(g, input_variance, v)[0], low * 0.99, (g**2 + input_variance) * 1.01)
  root = lax.stop_gradient(root)
  slope = lax.stop_gradient(jax.grad(lambda v: _surplus(g, input_variance, v)[0])(root))
  variance = root - _surplus(g, input_variance, root)[0] / slope
  surplus, size = _surplus(g, input_variance, variance)
  solved = (jnp.abs(surplus) <= 64 * jnp.finfo(size.dtype).eps * size) & (size < LARGEST_VARIANCE)
  return jnp.where(silent, 0, variance), silent | solved


@partial(jnp.vectorize, excluded=(0,), signature="()->()")
def _mean(f: Callable[[Array], Array], variance: Array) -> Array:
  return gaussian_mean(f, variance)


def mean_field_variance(gain: ArrayLike, input_variance: ArrayLike = 0.0) -> Float[Array, "..."]:
  """Computes the variance Δ of the pre-activations: the solution of Δ = g² E tanh²(√Δ z) + σ².

  The right side is concave in Δ, so there is one positive solution. For σ² = 0 and g ≤ 1 there is none, and Δ = 0.

  Args:
    gain: g = W_s, 0 or more, of any shape.
    input_variance: σ², the variance that the input adds to every pre-activation, independently at each step.

  Raises:
    ValueError: for a negative or infinite argument, or if the equation is not solved to rounding, as when g² overflows.
      Under a transformation such entries are NaN instead.
  """
  gain, input_variance = jnp.broadcast_arrays(*_arguments(gain, input_variance))
  # Compiled even when called directly: one compiled loop instead of 70 eager bisections.
  variance, solved = jax.jit(_solve_variance)(gain, input_variance)
  complaint = f"The variance for gain {gain} and input_variance {input_variance} did not converge in {variance.dtype}."
  return certify(variance, solved, complaint)


def jacobian_growth(gain: ArrayLike, input_variance: ArrayLike = 0.0) -> Float[Array, "..."]:
  """Returns χ = g² E sech⁴(√Δ z), the factor per step by which the mean square of a perturbation grows, for N → ∞.

  Arguments and errors are those of `mean_field_variance`.
  """
  gain, input_variance = _arguments(gain, input_variance)
  variance = mean_field_variance(gain, input_variance)
  return gain**2 * _mean(lambda x: jnp.exp(2 * log_sech2(x)), variance)


def largest_exponent(gain: ArrayLike, input_variance: ArrayLike = 0.0) -> Float[Array, "..."]:
  """Returns the largest Lyapunov exponent λ₁ = ½ ln χ in nats per step, for N → ∞.

  Arguments and errors are those of `mean_field_variance`.
  """
  return 0.5 * jnp.log(jacobian_growth(gain, input_variance))


def mean_exponent(gain: ArrayLike, input_variance: ArrayLike = 0.0) -> Float[Array, "..."]:
  """Returns the mean of all N Lyapunov exponents, ln g + E ln sech²(√Δ z) - ½, in nats per step, for N → ∞.

  The sum of the exponents is the mean of ln |det J| = ln |det W| + Σ ln tanh'(x_i). A Gaussian matrix has
  ln |det W| / N → ln g - ½. Arguments and errors are those of `mean_field_variance`.
  """
  gain, input_variance = _arguments(gain, input_variance)
  variance = mean_field_variance(gain, input_variance)
  return jnp.log(gain) + _mean(log_sech2, variance) - 0.5


def driven_critical_gain(input_variance: ArrayLike) -> Float[Array, "..."]:
  """Returns the gain g_c(σ²) at which χ = 1: a driven network forgets its past below it, and is chaotic above it.

  χ = 1 gives g² = 1 / E sech⁴(√Δ z). In the equation for Δ this leaves σ² = Δ - E tanh² / E sech⁴, which is solved for Δ. Even a
  small input matters: there σ² = (4/3) Δ³ and g_c = 1 + Δ, so g_c - 1 = (3σ²/4)^{1/3}. `input_variance` σ² has any shape.

  Raises:
    ValueError: for a negative or infinite input variance, or one without a solution in this precision (NaN when traced).
  """
  input_variance = restrict_variance(input_variance)
  gain, solved = jax.jit(_solve_critical_gain)(input_variance)
  complaint = f"The critical gain for input_variance {input_variance} did not converge in {gain.dtype}."
  return certify(gain, solved, complaint)


@partial(jnp.vectorize, signature="()->(),()")
def _solve_critical_gain(input_variance: Array) -> tuple[Array, Array]:
  def slope_moment(variance: Array) -> Array:
    return gaussian_mean(lambda x: jnp.exp(2 * log_sech2(x)), variance)

  def missing(variance: Array) -> Array:
    """Returns σ² minus the input variance for which this Δ is critical."""
    return input_variance - variance + gaussian_mean(lambda x: jnp.tanh(x) ** 2, variance) / slope_moment(variance)

  silent = input_variance == 0
  onset = jnp.cbrt(0.75 * jnp.where(silent, 1, input_variance))
  # Near the onset the difference in `missing` is rounding noise. The bracket is then as narrow as the expansion allows.
  variance = bisect(missing, onset, onset * (1 + 3 * onset) + 2 * input_variance)
  gain = lax.rsqrt(slope_moment(jnp.where(silent, 0, variance)))
  tolerance = 64 * jnp.finfo(gain.dtype).eps * variance
  return gain, silent | ((jnp.abs(missing(variance)) <= tolerance) & (variance < LARGEST_VARIANCE))


def zero_fixed_point_exponent_cdf(gain: ArrayLike, s: ArrayLike) -> Float[Array, "..."]:
  """Returns F(s) = min(1, e^{2s} / g²), the share of Lyapunov exponents ≤ s of a silent network (g < 1, σ = 0).

  There J = W at every step, so the exponents are ln |μ| for the eigenvalues μ of W. By the circular law (Girko, 1984) these fill
  the disk of radius g uniformly, so P(|μ| ≤ e^s) = e^{2s} / g². `gain` and `s` (nats per step) have any shape.

  Raises:
    ValueError: unless 0 < gain < 1 (NaN when traced).
  """
  gain = restrict("gain", gain, lambda g: (g > 0) & (g < 1), "lie between 0 and 1, where the zero state is stable")
  return jnp.exp(2 * jnp.minimum(jnp.asarray(s, gain.dtype) - jnp.log(gain), 0))


def _arguments(gain: ArrayLike, input_variance: ArrayLike) -> tuple[Array, Array]:
  gain, input_variance = restrict_gain(gain), restrict_variance(input_variance)
  dtype = jnp.promote_types(gain.dtype, input_variance.dtype)
  return gain.astype(dtype), input_variance.astype(dtype)
