"""The diagonal state space layer: each unit filters its own input with N complex exponentials.

    dz_hn/dt = Λ_hn z_hn + u_h,   Λ = -e^a + i ω,   u_t = x_t W,   Δ_h = e^{s_h}
    z_t = e^{ΔΛ} ⊗ z_{t-1} + Λ⁻¹ (e^{ΔΛ} - 1) ⊗ u_t          zero-order hold
    y_h = 2 Re Σ_n C_hn z_hn

so that the exponents are -Δ_h e^{a_hn}, each twice. The conjugate of every z is left out, hence the factor 2. B is 1, because
only its product with C matters. The skip connection D u is left out, because it bypasses the state.

Reference: Gu, Gupta, Goel & Ré, "On the parameterization and initialization of diagonal state space models", NeurIPS (2022),
section 3, and section 4 for the initialisations S4D-Inv, S4D-Lin and S4D-Real.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.cell import Cell, variants
from recurrent_lab.cells._complex import by_real, diagonal, log_uniform, zero_order_hold, zeros
from recurrent_lab.cells._linear import linear
from recurrent_lab.transitions import Pair, Transition

OPTIONS = ("input_gain", "timescale", "dtype")

#: (decay e^a, angular frequency ω) of the n-th of N exponentials, by name.
SPECTRA: Mapping[str, Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]] = {
  "lin": lambda n, size: (np.full(size, 0.5), np.pi * n),
  "inv": lambda n, size: (np.full(size, 0.5), 2 * size / np.pi * (2 * size / (2 * n + 1) - 1)),
  "real": lambda n, size: (n + 1, np.zeros(size)),
}


class S4DParams(NamedTuple):
  """Parameters of the diagonal state space layer."""

  input_kernel: Float[Array, "I H"]  # W
  log_step: Float[Array, "H"]  # s
  log_decay: Float[Array, "H N"]  # a
  frequency: Float[Array, "H N"]  # ω
  output_real: Float[Array, "H N"]  # Re C
  output_imag: Float[Array, "H N"]  # Im C


def output(params: S4DParams, state: Pair) -> Float[Array, "*batch H"]:
  """Returns 2 Re Σ_n C_hn z_hn."""
  return 2 * jnp.sum(params.output_real * state.real - params.output_imag * state.imag, axis=-1)


def initial_state(params: S4DParams, batch_shape: tuple[int, ...] = ()) -> Pair:
  """Returns z_0 = 0, a pair of `[*batch, H, N]`."""
  return zeros((*batch_shape, *params.log_decay.shape), params.log_decay.dtype)


def transition(params: S4DParams, x: Float[Array, "*batch I"]) -> Transition:
  """Returns the rotations e^{ΔΛ} and the written Λ⁻¹ (e^{ΔΛ} - 1) ⊗ u_t."""
  kept, written = zero_order_hold(params.log_decay, params.frequency, params.log_step[:, None])
  return diagonal(kept, by_real(written, (x @ params.input_kernel)[..., None]))


@variants
def s4d(states: int = 8) -> Cell:
  """Returns a diagonal state space layer. Its state is z, a `Pair` of `[*batch, H, N]`; its output is y `[*batch, H]`.

  Args:
    states: N, the number of complex exponentials per unit. The paper has 32.

  Raises:
    ValueError: for fewer than one state.
  """
  if states < 1:
    raise ValueError(f"states is {states!r}; it must be a positive integer.")

  def init(
    key: Key[Array, ""],
    input_size: int,
    hidden_size: int,
    *,
    spectrum: str = "lin",
    min_step: float = 1e-3,
    max_step: float = 0.1,
    **options: Any,
  ) -> S4DParams:
    """Draws parameters. The other options are those in `OPTIONS`.

    Args:
      key: the random key.
      input_size: I.
      hidden_size: H.
      spectrum: the initial Λ, a name in `SPECTRA`: `lin` is -1/2 + iπn, `inv` approximates S4, `real` is -(n + 1).
      min_step: the least Δ. The steps are log-uniform.
      max_step: the largest Δ.
      **options: init options.

    Raises:
      ValueError: for another spectrum, or unless 0 < min_step <= max_step.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    check_choice("spectrum", spectrum, SPECTRA)
    k_input, k_step, k_output = jax.random.split(key, 3)
    repeated = lambda of_units: jnp.broadcast_to(jnp.asarray(of_units, o.dtype), (hidden_size, states))
    decay, frequency = SPECTRA[spectrum](np.arange(states), states)
    read = jax.random.normal(k_output, (2, hidden_size, states), o.dtype) * np.sqrt(0.5).astype(o.dtype)
    return S4DParams(
      input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
      log_step=log_uniform(k_step, (hidden_size,), o, min_step, max_step),
      log_decay=repeated(np.log(decay)),
      frequency=repeated(frequency),
      output_real=read[0],
      output_imag=read[1],
    )

  return linear(S4DParams, init, initial_state, transition, OPTIONS, output)
