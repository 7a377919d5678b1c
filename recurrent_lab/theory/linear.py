"""Bounds and transients that need only the kernel."""

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from recurrent_lab.theory.domain import restrict


def log_transient_growth(steps: ArrayLike) -> Float[Array, "..."]:
  """ln of the largest singular value of (W/g)^T for T = `steps` and N → ∞, in nats (not per step).

  W/g is a Gaussian matrix whose eigenvalues all lie in the unit disk, but it is not normal. The squared singular values
  of (W/g)^T, like those of a product of T independent such matrices, have the Fuss–Catalan numbers as moments,

      E x^k = binom((T + 1) k, k) / (T k + 1),

  whose growth with k gives the upper edge (T + 1)^{T+1} / T^T ~ e (T + 1/2). So a gradient of a linear net at g = 1 grows as
  √(e T) before it settles: a power of T, never an exponential, yet a factor of 16 at T = 100.

  References: Alexeev, Götze & Tikhomirov, "Asymptotic distribution of singular values of powers of random matrices" (2010);
  Penson & Życzkowski, "Product of Ginibre matrices: Fuss–Catalan and Raney distributions" (2011).

  Raises:
    ValueError: if steps is below 1 (NaN when traced).
  """
  steps = restrict("steps", steps, lambda t: (t >= 1) & jnp.isfinite(t), "be 1 or more")
  return 0.5 * (jnp.log1p(steps) + steps * jnp.log1p(1 / steps))


def transient_growth(steps: ArrayLike) -> Float[Array, "..."]:
  """√((T + 1)^{T+1} / T^T), to which the largest singular value of (W/g)^T tends; see `log_transient_growth`."""
  return jnp.exp(log_transient_growth(steps))


def pascanu_bounds(kernel_norm: ArrayLike, max_slope: ArrayLike = 1.0) -> Float[Array, "..."]:
  """ln(γ ‖W‖₂), nats per step: no product of Jacobians of s_t = φ(s_{t-1} W + …) grows faster.

  ‖J_j‖ = ‖W diag φ'‖ ≤ γ ‖W‖ with γ = max |φ'| (1 for tanh, ¼ for σ). So ‖W‖ < 1/γ suffices for gradients to vanish, and
  ‖W‖ > 1/γ is necessary, not sufficient, for them to explode. A Gaussian kernel of gain g has ‖W‖ → 2g.

  Reference: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), section 2.1.

  Raises:
    ValueError: if an argument is negative (NaN when traced).
  """
  norm = restrict("kernel_norm", kernel_norm, lambda n: n >= 0, "be 0 or more")
  slope = restrict("max_slope", max_slope, lambda n: n >= 0, "be 0 or more")
  return jnp.log(norm) + jnp.log(slope)


def indrnn_bound(gamma: ArrayLike, steps: ArrayLike) -> Float[Array, "..."]:
  """γ^{1/T}: recurrent weights |u| up to here keep the IndRNN's gradient over T steps below γ.

  With |f'| ≤ 1 the gradient of one unit over T steps is at most |u|^T.

  Reference: Li et al., "Independently recurrent neural network (IndRNN)", CVPR (2018), section 3.

  Raises:
    ValueError: unless gamma is above 0 and steps 1 or more (NaN when traced).
  """
  gamma = restrict("gamma", gamma, lambda g: g > 0, "be above 0")
  steps = restrict("steps", steps, lambda t: t >= 1, "be 1 or more")
  return jnp.exp(jnp.log(gamma) / steps)
