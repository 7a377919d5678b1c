"""The spectral radius of a matrix, from products alone, so that it compiles for every device."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# Over 2^22 steps a transient growth by a factor of 10⁴ adds 2e-6; more squarings would let the eigenvalues of a matrix far from
# normal, which are small beside its norm, underflow in float32.
SQUARINGS = 22


def log_spectral_radius(w: Float[Array, "n n"]) -> Float[Array, ""]:
  """ln max |μ_i(W)| = lim ln ‖W^l‖^{1/l} (Gelfand), by squaring W again and again, each time scaled to a largest entry of 1.

  Right to about 1e-5 in float32; -inf for W = 0 and for a W whose power vanishes exactly.
  """

  def square(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
    power, log_radius = carry
    size = jnp.max(jnp.abs(power))
    scaled = power / jnp.where(size > 0, size, 1)
    return scaled @ scaled, log_radius + jnp.log(size) * jnp.exp(-math.log(2) * i)

  return jax.lax.fori_loop(0, SQUARINGS, square, (w, jnp.zeros((), w.dtype)))[1]
