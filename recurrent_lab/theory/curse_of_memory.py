"""The curse of memory: the longer a linear unit remembers, the more sensitive it is to its own weight.

    h_t = λ h_{t-1} + γ x_t,     x white with variance 1,     |λ| < 1

Nothing explodes, because ∂h_t/∂h_{t-1} = λ. Still, the gradient with respect to λ diverges as |λ| → 1, and faster than h does.
Two remedies together remove it: the normalisation γ = √(1 - |λ|²), and the parameter ν of |λ| = exp(-e^ν).

Reference: Zucchet & Orvieto, "Recurrent neural networks: vanishing and exploding gradients are not the end of the story",
NeurIPS (2024), section 2.
"""

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from recurrent_lab.theory.domain import restrict


def _one_minus_square(decay: ArrayLike) -> tuple[Array, Array]:
  """Returns |λ| and 1 - |λ|², without cancellation near |λ| = 1."""
  size = jnp.abs(
    restrict("decay", decay, lambda r: jnp.abs(r) < 1, "have a modulus below 1, or the variance is infinite")
  )
  return size, (1 - size) * (1 + size)


def state_variance(decay: ArrayLike) -> Float[Array, "..."]:
  """Returns E |h|² = 1 / (1 - |λ|²) at γ = 1, the stationary variance, for real or complex λ = `decay` of any shape.

  It follows from h = Σ_k λ^k x_{t-k}, a sum of independent terms.

  Raises:
    ValueError: if |decay| ≥ 1 (NaN when traced).
  """
  _, gap = _one_minus_square(decay)
  return 1 / gap


def sensitivity_variance(decay: ArrayLike) -> Float[Array, "..."]:
  """Returns E |∂h/∂λ|² = (1 + |λ|²) / (1 - |λ|²)³ at γ = 1, the stationary second moment, for real or complex λ = `decay`.

  It follows from ∂h/∂λ = Σ_k k λ^{k-1} x_{t-k} and Σ_k k² q^{k-1} = (1 + q) / (1 - q)³ at q = |λ|². `decay` has any shape.

  Raises:
    ValueError: if |decay| ≥ 1 (NaN when traced).
  """
  size, gap = _one_minus_square(decay)
  return (1 + size**2) / gap**3


def squared_gradient(
  decay: ArrayLike, slope: ArrayLike = 1.0, scale: ArrayLike = 1.0, target_variance: ArrayLike = 1.0
) -> Float[Array, "..."]:
  """Returns E (∂L/∂θ)² of L = (Re h - y)² / 2 for Gaussian white inputs and an independent Gaussian target y.

  The inputs are real, λ may be complex, and γ does not move with θ. With w = ∂h/∂θ = γ (∂λ/∂θ) Σ_k k λ^{k-1} x_{t-k},

      E (∂L/∂θ)² = (E (Re h)² + σ_y²) E (Re w)² + 2 (E Re h Re w)²

  by Isserlis' theorem. Each moment of real parts is half the real part of a sum of two: the moment with the conjugate, which is a
  series in |λ|², and the one without it, the same series in λ². For real λ both are equal.

  Args:
    decay: λ, of any shape.
    slope: ∂λ/∂θ: 1 for θ = λ, and λ ln|λ| for the ν of |λ| = exp(-e^ν).
    scale: γ.
    target_variance: σ_y², the variance of y.

  Raises:
    ValueError: if |decay| ≥ 1 (NaN when traced).
  """
  size, gap = _one_minus_square(decay)
  decay, slope = jnp.asarray(decay), jnp.asarray(slope)
  angle = (1 - decay) * (1 + decay)  # 1 - λ²
  real_part = lambda conjugated, plain: jnp.real(conjugated + plain) / 2
  h_h = real_part(1 / gap, 1 / angle)
  w_w = real_part(jnp.abs(slope) ** 2 * (1 + size**2) / gap**3, slope**2 * (1 + decay**2) / angle**3)
  h_w = real_part(jnp.conj(slope) * decay / gap**2, slope * decay / angle**2)
  return (jnp.square(scale) * h_h + target_variance) * jnp.square(scale) * w_w + 2 * (jnp.square(scale) * h_w) ** 2
