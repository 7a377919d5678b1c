"""Closed forms for gated cells at the zero state.

Without input and without a bias on the candidate, each of these cells has a fixed point at h = 0. There the candidate is
tanh(0) = 0 and each gate is σ of its bias. The Jacobian is a multiple of I plus a multiple of one recurrent kernel U. Gaussian
entries of standard deviation W_s/√H give U eigenvalues u that fill a disk of radius W_s. The eigenvalues μ of the Jacobian are:

    rnn     J = U                                             μ = u
    lstm    c' = f c + i h U_g,   h' = o c'                   μ = f + i o u, and 0 (H times)      f, i, o = σ(b_f), …
    gru     h' = z h + (1 - z) r h U_n                        μ = z + (1 - z) r u                 z, r = σ(b_z), σ(b_r)

The kernels of the gates drop out, because they multiply the state, which is 0. The zero state is unstable if any |μ| > 1.

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
  """Returns ln σ(b_f), nats per step: the growth rate of ∂c_T/∂c_0 in an LSTM whose kernels are 0.

  There f_t = σ(b_f) at every step and c_t = f_t ⊗ c_{t-1} + const, so ∂c_T/∂c_0 = σ(b_f)^T I. The memory timescale is
  -1 / ln σ(b_f) steps. `forget_bias` b_f has any shape.

  References: Gers, Schmidhuber & Cummins, "Learning to forget", Neural Computation 12 (2000); Tallec & Ollivier, "Can recurrent
  neural networks warp time?", ICLR (2018).
  """
  return jax.nn.log_sigmoid(jnp.asarray(forget_bias, dtype=float))


def _own_and_loop(
  cell_name: str, forget_bias: ArrayLike, input_bias: ArrayLike, output_bias: ArrayLike, reset_bias: ArrayLike
) -> tuple[Array, Array]:
  """Returns a and b of the Jacobian J = a I + b U."""
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
  """Computes the eigenvalues of the Jacobian at the zero state from those of one recurrent kernel.

  Args:
    cell_name: "rnn", "lstm" or "gru".
    kernel_eigenvalues: `[H]`, the eigenvalues of the recurrent kernel of the candidate (g in an LSTM, n in a GRU).
    forget_bias: the bias of f (LSTM) or z (GRU). Each cell ignores the biases of gates that it lacks.
    input_bias: the bias of i.
    output_bias: the bias of o.
    reset_bias: the bias of r.

  Returns:
    `[H]`, or `[2H]` for an LSTM. The Jacobian of the joint state (h, c) has rank H, because h' = o c', so it has H eigenvalues 0.

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
  """Returns the spectral radius of the Jacobian at the zero state, for a Gaussian kernel of gain W_s and H → ∞.

  It is a + b W_s where the eigenvalues are μ = a + b u. Its logarithm, in nats per step, is the growth rate of gradients in a
  silent network. The biases are those of `zero_state_eigenvalues`; `gain` has any shape.

  Raises:
    ValueError: for another cell, or a gain that is negative or not finite (NaN when traced).
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
  """Returns the gain W_s at which the zero state becomes unstable: a + b W_s = 1 where the eigenvalues are μ = a + b u.

      rnn     1
      lstm    (1 - σ(b_f)) / (σ(b_i) σ(b_o)),   with the other biases at 0: 4 (1 - σ(b_f))
      gru     1 / σ(b_r),                       for every update bias, which slows all directions equally

  The biases are those of `zero_state_eigenvalues`, of any shape. With an input the state is not 0; use `predicted_growth_rate`.

  Raises:
    ValueError: for another cell.
  """
  f, i, o, r = (
    jax.nn.log_sigmoid(jnp.asarray(b, float)) for b in (jnp.negative(forget_bias), input_bias, output_bias, reset_bias)
  )
  table = {"rnn": jnp.zeros_like(f), "lstm": f - i - o, "gru": -r}
  check_choice("Cell", cell_name, table)
  return jnp.exp(table[cell_name])
