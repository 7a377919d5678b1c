"""Bounds and transient growth that follow from the recurrent kernel alone."""

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from recurrent_lab.theory.domain import restrict


def log_transient_growth(steps: ArrayLike) -> Float[Array, "..."]:
  """Returns the log of the largest singular value of (W/g)^T for T = `steps` and N → ∞, in nats (not per step).

  W/g is a Gaussian matrix of N units. Its eigenvalues fill the unit disk, but it is not normal. The squared singular values x of
  (W/g)^T are distributed like those of a product of T independent matrices: their moments are the Fuss–Catalan numbers,

      E x^k = binom((T + 1) k, k) / (T k + 1).

  The growth of these moments with k gives the upper edge (T + 1)^{T+1} / T^T ~ e (T + 1/2). The gradient of a linear net at g = 1
  can therefore grow as √(e T): a power of T rather than an exponential, but already a factor of 16 at T = 100.

  References: Alexeev, Götze & Tikhomirov, "Asymptotic distribution of singular values of powers of random matrices" (2010);
  Penson & Życzkowski, "Product of Ginibre matrices: Fuss–Catalan and Raney distributions" (2011).

  Raises:
    ValueError: if `steps` is below 1 (NaN when traced).
  """
  steps = restrict("steps", steps, lambda t: (t >= 1) & jnp.isfinite(t), "be 1 or more")
  return 0.5 * (jnp.log1p(steps) + steps * jnp.log1p(1 / steps))


def transient_growth(steps: ArrayLike) -> Float[Array, "..."]:
  """Returns √((T + 1)^{T+1} / T^T), the limit of the largest singular value of (W/g)^T for N → ∞.

  Arguments, errors and sources are those of `log_transient_growth`.
  """
  return jnp.exp(log_transient_growth(steps))


def pascanu_bounds(kernel_norm: ArrayLike, max_slope: ArrayLike = 1.0) -> Float[Array, "..."]:
  """Returns ln(γ ‖W‖₂), nats per step: an upper bound on the growth rate of Jacobian products of s_t = φ(s_{t-1} W + …).

  Each Jacobian has ‖J_j‖ = ‖W diag φ'‖ ≤ γ ‖W‖, where γ = `max_slope` = max |φ'| (1 for tanh, ¼ for σ). So ‖W‖ < 1/γ is
  sufficient for gradients to vanish, and ‖W‖ > 1/γ is necessary for them to explode. A Gaussian kernel of gain g has ‖W‖ → 2g.

  Reference: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), section 2.1.

  Raises:
    ValueError: if an argument is negative (NaN when traced).
  """
  norm = restrict("kernel_norm", kernel_norm, lambda n: n >= 0, "be 0 or more")
  slope = restrict("max_slope", max_slope, lambda n: n >= 0, "be 0 or more")
  return jnp.log(norm) + jnp.log(slope)


def indrnn_bound(gamma: ArrayLike, steps: ArrayLike) -> Float[Array, "..."]:
  """Returns γ^{1/T}: recurrent weights |u| up to this bound keep the gradient of an IndRNN over T = `steps` at γ or below.

  With |f'| ≤ 1 the gradient of one unit over T steps is at most |u|^T.

  Reference: Li et al., "Independently recurrent neural network (IndRNN)", CVPR (2018), section 3.

  Raises:
    ValueError: unless `gamma` is above 0 and `steps` is 1 or more (NaN when traced).
  """
  gamma = restrict("gamma", gamma, lambda g: g > 0, "be above 0")
  steps = restrict("steps", steps, lambda t: t >= 1, "be 1 or more")
  return jnp.exp(jnp.log(gamma) / steps)
