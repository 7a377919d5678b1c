"""Complex numbers as pairs of real arrays, for cells whose recurrence is diagonal over the complex numbers."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab.initializers import InitOptions
from recurrent_lab.transitions import Pair, Rotations, Transition


def exponential(real: Float[Array, "..."], imag: Float[Array, "..."]) -> Pair:
  """Returns e^{real + i imag}."""
  radius = jnp.exp(real)
  return Pair(radius * jnp.cos(imag), radius * jnp.sin(imag))


def exponential_minus_one(real: Float[Array, "..."], imag: Float[Array, "..."]) -> Pair:
  """Returns e^{real + i imag} - 1, without cancellation near 0."""
  difference = jnp.expm1(real) * jnp.cos(imag) - 2 * jnp.sin(imag / 2) ** 2
  return Pair(difference, jnp.exp(real) * jnp.sin(imag))


def divide(a: Pair, b: Pair) -> Pair:
  """Returns a / b."""
  square = b.real**2 + b.imag**2
  return Pair((a.real * b.real + a.imag * b.imag) / square, (a.imag * b.real - a.real * b.imag) / square)


def times(a: Pair, b: Pair) -> Pair:
  """Returns a b."""
  return Rotations(*a).times(b)


def by_real(a: Pair, b: Float[Array, "..."]) -> Pair:
  """Returns a b for a real b."""
  return Pair(a.real * b, a.imag * b)


def pair_of(columns: Float[Array, "*batch kH"]) -> Pair:
  """Returns complex numbers whose real parts come first and whose imaginary parts come second on the last axis."""
  return Pair(*jnp.split(columns, 2, axis=-1))


def zeros(shape: tuple[int, ...], dtype: np.dtype) -> Pair:
  """Returns complex zeros."""
  return Pair(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype))


def diagonal(factors: Pair, offset: Pair) -> Transition:
  """Returns z ↦ factors ⊗ z + offset. The factors are repeated over the batch axes of the offset."""
  shape = offset.real.shape
  return Transition(Rotations(*(jnp.broadcast_to(part, shape) for part in factors)), offset)


def zero_order_hold(
  log_decay: Float[Array, "..."], angle: Float[Array, "..."], log_step: Float[Array, "..."]
) -> tuple[Pair, Pair]:
  """Discretizes dz/dt = Λ z + u, with Λ = -e^log_decay + i angle, for inputs that are constant over a step of Δ = e^log_step.

  Returns:
    e^{ΔΛ} and (e^{ΔΛ} - 1) / Λ, the factors of z and of u.
  """
  eigenvalue = Pair(-jnp.exp(log_decay), angle)
  exponent = by_real(eigenvalue, jnp.exp(log_step))
  return exponential(*exponent), divide(exponential_minus_one(*exponent), eigenvalue)


def log_uniform(key: Key[Array, ""], shape: tuple[int, ...], options: InitOptions, low: float, high: float) -> Array:
  """Returns logarithms of time steps that are log-uniform between `low` and `high`, divided by the timescale of the options.

  Raises:
    ValueError: unless 0 < low <= high.
  """
  if not 0 < low <= high:
    raise ValueError(f"The steps lie between {low} and {high}; they need 0 < min_step <= max_step.")
  steps = jax.random.uniform(key, shape, options.dtype, np.log(low), np.log(high))
  return steps - jnp.log(jnp.asarray(options.timescale, options.dtype))
