"""Closed forms for gated cells, at the zero state.

With no input and no bias on its candidate, every cell here rests at h = 0, where the candidate is tanh(0) = 0 and the gates
are σ of their biases. There the Jacobian is a number times I plus a number times one recurrent kernel U, whose eigenvalues
u fill a disk of radius W_s for Gaussian entries of standard deviation W_s/√H:

    rnn     J = U                                             μ = u
    lstm    c' = f c + i h U_g,   h' = o c'                   μ = f + i o u, and 0 (H times)      f, i, o = σ(b_f), …
    gru     h' = z h + (1 - z) r h U_n                        μ = z + (1 - z) r u                 z, r = σ(b_z), σ(b_r)

The gates' own kernels drop out, since they multiply the state, which is 0. The zero state is unstable once |μ| > 1 somewhere.

References: Can, Krishnamurthy & Schwab, "Gating creates slow modes and controls phase-space complexity in GRUs and LSTMs",
MSML (2020), for these Jacobians; Krishnamurthy, Can & Schwab, "Theory of gating in recurrent neural networks", PRX 12 (2022).
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Inexact

from recurrent_lab._checks import check_choice
from recurrent_lab.theory.domain import restrict_gain

sigmoid = jax.nn.sigmoid


def cell_path_exponent(forget_bias: ArrayLike) -> Float[Array, "..."]:
  """ln σ(b_f), nats per step: the growth rate of ∂c_T/∂c_0 in an LSTM whose kernels are 0.

  There f_t = σ(b_f) at every step and c_t = f_t ⊗ c_{t-1} + const, so ∂c_T/∂c_0 = σ(b_f)^T I. The memory length is
  -1 / ln σ(b_f) steps (Gers, Schmidhuber & Cummins, 2000; Tallec & Ollivier, "Can recurrent neural networks warp time?", 2018).
  """
  return jax.nn.log_sigmoid(jnp.asarray(forget_bias, dtype=float))


def _own_and_loop(
  cell_name: str, forget_bias: ArrayLike, input_bias: ArrayLike, output_bias: ArrayLike, reset_bias: ArrayLike
) -> tuple[Array, Array]:
  """a and b in J = a I + b U."""
  f, i, o, r = (jnp.asarray(b, float) for b in (forget_bias, input_bias, output_bias, reset_bias))
  table: Mapping[str, tuple[Array, Array]] = {
    "rnn": (jnp.zeros_like(f), jnp.ones_like(f)),
    "lstm": (sigmoid(f), sigmoid(i) * sigmoid(o)),
    "gru": (sigmoid(f), sigmoid(-f) * sigmoid(r)),
  }
  check_choice("Cell", cell_name, table)
  return table[cell_name]


def zero_state_eigenvalues(
  cell_name: str,
  kernel_eigenvalues: ArrayLike,
  *,
  forget_bias: ArrayLike = 0.0,
  input_bias: ArrayLike = 0.0,
  output_bias: ArrayLike = 0.0,
  reset_bias: ArrayLike = 0.0,
) -> Inexact[Array, "n"]:
  """The eigenvalues of the state's Jacobian at the zero state, given those of one recurrent kernel.

  Args:
    cell_name: "rnn", "lstm" or "gru".
    kernel_eigenvalues: `[H]`, of the kernel of the candidate (g in an LSTM, n in a GRU).
    forget_bias: of the LSTM's f or the GRU's z. Each cell ignores the biases of gates that it lacks.
    input_bias: of i.
    output_bias: of o.
    reset_bias: of r.

  Returns:
    `[H]`, or `[2H]` for an LSTM, whose joint (h, c) Jacobian has rank H: h' = o c', so h adds H zeros.

  Raises:
    ValueError: for another cell.
  """
  own, loop = _own_and_loop(cell_name, forget_bias, input_bias, output_bias, reset_bias)
  kernel_eigenvalues = jnp.asarray(kernel_eigenvalues)
  eigenvalues = own + loop * kernel_eigenvalues
  return jnp.concatenate([eigenvalues, jnp.zeros_like(eigenvalues)]) if cell_name == "lstm" else eigenvalues


def zero_state_radius(
  cell_name: str,
  gain: ArrayLike,
  *,
  forget_bias: ArrayLike = 0.0,
  input_bias: ArrayLike = 0.0,
  output_bias: ArrayLike = 0.0,
  reset_bias: ArrayLike = 0.0,
) -> Float[Array, "..."]:
  """The spectral radius of that Jacobian for a Gaussian kernel of gain W_s and H → ∞: a + b W_s where μ = a + b u.

  Its logarithm is the growth rate, in nats per step, of gradients at a network that is silent. The arguments are those of
  `zero_state_eigenvalues`.
  """
  gain = restrict_gain(gain)
  own, loop = _own_and_loop(cell_name, forget_bias, input_bias, output_bias, reset_bias)
  return own + loop * gain


def critical_gain(
  cell_name: str,
  *,
  forget_bias: ArrayLike = 0.0,
  input_bias: ArrayLike = 0.0,
  output_bias: ArrayLike = 0.0,
  reset_bias: ArrayLike = 0.0,
) -> Float[Array, "..."]:
  """The W_s at which the zero state loses its stability: a + b W_s = 1 where μ = a + b u.

      rnn     1
      lstm    (1 - σ(b_f)) / (σ(b_i) σ(b_o)),   with other biases at 0: 4 (1 - σ(b_f))
      gru     1 / σ(b_r),                       whatever the update bias: it slows all directions alike

  The arguments are those of `zero_state_eigenvalues`. With an input the state is not 0, and `predicted_growth_rate` applies.

  Raises:
    ValueError: for another cell.
  """
  f, i, o, r = (
    jax.nn.log_sigmoid(jnp.asarray(b, float)) for b in (jnp.negative(forget_bias), input_bias, output_bias, reset_bias)
  )
  table = {"rnn": jnp.zeros_like(f), "lstm": f - i - o, "gru": -r}
  check_choice("Cell", cell_name, table)
  return jnp.exp(table[cell_name])
