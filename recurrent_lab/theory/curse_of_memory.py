"""The curse of memory: the longer a linear unit remembers, the more sensitive it is to its own weight.

    h_t = λ h_{t-1} + x_t,     x white with variance 1,     |λ| < 1

Nothing explodes, because ∂h_t/∂h_{t-1} = λ. Still, the gradient with respect to λ diverges as |λ| → 1, and faster than h does.

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
  """Returns E |h|² = 1 / (1 - |λ|²), the stationary variance, for real or complex λ = `decay` of any shape.

  It follows from h = Σ_k λ^k x_{t-k}, a sum of independent terms.

  Raises:
    ValueError: if |decay| ≥ 1 (NaN when traced).
  """
  _, gap = _one_minus_square(decay)
  return 1 / gap


def sensitivity_variance(decay: ArrayLike) -> Float[Array, "..."]:
  """Returns E |∂h/∂λ|² = (1 + |λ|²) / (1 - |λ|²)³, the stationary second moment, for real or complex λ = `decay`.

  It follows from ∂h/∂λ = Σ_k k λ^{k-1} x_{t-k} and Σ_k k² q^{k-1} = (1 + q) / (1 - q)³ at q = |λ|². `decay` has any shape.

  Raises:
    ValueError: if |decay| ≥ 1 (NaN when traced).
  """
  size, gap = _one_minus_square(decay)
  return (1 + size**2) / gap**3
