"""The simplified state space layer: one diagonal state space that all inputs write to and all outputs read from.

    dz/dt = Λ z + B x,   Λ = -e^a + i ω,   Δ = e^s
    z_t = e^{ΔΛ} ⊗ z_{t-1} + Λ⁻¹ (e^{ΔΛ} - 1) ⊗ (x_t B)          zero-order hold
    y_t = 2 Re(z_t C)

so that the exponents are -Δ_j e^{a_j}, each twice. The conjugate of every z is left out, hence the factor 2. The paper learns
Re Λ itself; here it is -e^a, which is stable for all a. The skip connection D x is left out, because it bypasses the state.

Reference: Smith, Warrington & Linderman, "Simplified state space layers for sequence modeling", ICLR (2023),
section 3, and appendix B.1 for the initialisation by HiPPO-N.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.cell import Cell
from recurrent_lab.cells._complex import diagonal, log_uniform, pair_of, times, zero_order_hold, zeros
from recurrent_lab.cells._linear import linear
from recurrent_lab.transitions import Pair, Transition

OPTIONS = ("input_gain", "timescale", "dtype")


class S5Params(NamedTuple):
  """Parameters of the simplified state space layer."""

  input_kernel: Float[Array, "I 2H"]  # columns of Re B, Im B, in this order
  log_step: Float[Array, "H"]  # s
  log_decay: Float[Array, "H"]  # a
  frequency: Float[Array, "H"]  # ω
  output_kernel: Float[Array, "2H H"]  # rows of Re C, -Im C


def hippo_normal(size: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns the frequencies `[size]` and eigenvectors `[2·size, size]` of HiPPO-N, without their conjugates.

  The normal part of the HiPPO-LegS matrix of size 2·size is -1/2 plus an antisymmetric matrix, so all its decays are 1/2.
  """
  root = np.sqrt(np.arange(2 * size) + 0.5)
  lower = np.tril(np.outer(root, root), -1)
  frequencies, vectors = np.linalg.eigh(1j * (lower - lower.T))
  return frequencies[size:], vectors[:, size:]


def init(
  key: Key[Array, ""],
  input_size: int,
  hidden_size: int,
  *,
  min_step: float = 1e-3,
  max_step: float = 0.1,
  **options: Any,
) -> S5Params:
  """Draws parameters. The other options are those in `OPTIONS`.

  Λ are the eigenvalues of HiPPO-N. Real Gaussian B and C, of variance 1 / I and 1 / (2H), are carried into its eigenvectors.

  Args:
    key: the random key.
    input_size: I.
    hidden_size: H, the number of complex units.
    min_step: the least Δ. The steps are log-uniform.
    max_step: the largest Δ.
    **options: init options.

  Raises:
    ValueError: unless 0 < min_step <= max_step.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_step, k_output = jax.random.split(key, 3)
  frequencies, vectors = hippo_normal(hidden_size)
  real, imag = (jnp.asarray(part, o.dtype) for part in (vectors.real, vectors.imag))
  written = initializers.input_kernel(k_input, input_size, 2 * hidden_size, o)
  read = initializers.input_kernel(k_output, 2 * hidden_size, hidden_size, o._replace(input_gain=1.0))
  return S5Params(
    input_kernel=jnp.concatenate([written @ real, -written @ imag], axis=-1),  # B times the conjugate of V
    log_step=log_uniform(k_step, (hidden_size,), o, min_step, max_step),
    log_decay=jnp.full((hidden_size,), np.log(0.5), o.dtype),
    frequency=jnp.asarray(frequencies, o.dtype),
    output_kernel=jnp.concatenate([real.T @ read, -imag.T @ read]),  # V times C
  )


def initial_state(params: S5Params, batch_shape: tuple[int, ...] = ()) -> Pair:
  """Returns z_0 = 0, a pair of `[*batch, H]`."""
  return zeros((*batch_shape, *params.log_decay.shape), params.log_decay.dtype)


def transition(params: S5Params, x: Float[Array, "*batch I"]) -> Transition:
  """Returns the rotations e^{ΔΛ} and the written Λ⁻¹ (e^{ΔΛ} - 1) ⊗ (x B)."""
  kept, written = zero_order_hold(params.log_decay, params.frequency, params.log_step)
  return diagonal(kept, times(written, pair_of(x @ params.input_kernel)))


def output(params: S5Params, state: Pair) -> Float[Array, "*batch H"]:
  """Returns 2 Re(z C)."""
  return 2 * (jnp.concatenate(state, axis=-1) @ params.output_kernel)


#: The simplified state space layer. Its state is z, a `Pair` of `[*batch, H]`; its output is y `[*batch, H]`.
s5: Cell = linear(S5Params, init, initial_state, transition, OPTIONS, output)
