"""The multiplicative LSTM: the input chooses the recurrent map.

    m_t = (x_t W_m) ⊗ (h_{t-1} U_m)
    i_t = σ(x_t W_i + m_t U_i + b_i)
    f_t = σ(x_t W_f + m_t U_f + b_f)
    g_t = tanh(x_t W_g + m_t U_g + b_g)
    o_t = σ(x_t W_o + m_t U_o + b_o)
    c_t = f_t ⊗ c_{t-1} + i_t ⊗ g_t
    h_t = o_t ⊗ tanh(c_t)

Reference: Krause, Lu, Murray & Renals, "Multiplicative LSTM for sequence modelling" (2016). The paper has the output gate inside
of the last tanh; this is the form of later code, with the gate outside, as in an LSTM.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding
from recurrent_lab.cells._lstm import LSTMState, initial_state, visible


class MultiplicativeLSTMParams(NamedTuple):
  """Parameters of the multiplicative LSTM."""

  input_kernel: Float[Array, "I 5H"]  # columns of m, i, f, g, o, in this order
  recurrent_kernel: Float[Array, "H H"]  # U_m
  multiplicative_kernel: Float[Array, "H 4H"]  # columns U of i, f, g, o
  bias: Float[Array, "4H"]  # entries of i, f, g, o


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> MultiplicativeLSTMParams:
  """Draws parameters. The options are those of `InitOptions`. All recurrent kernels have the recurrent gain."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options)
  k_input, k_recurrent, k_multiplicative, k_bias = jax.random.split(key, 4)
  bias = initializers.add_to_gate(initializers.bias(k_bias, 4 * hidden_size, o), 1, 4, o.forget_bias)
  return MultiplicativeLSTMParams(
    input_kernel=initializers.input_kernel(k_input, input_size, 5 * hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
    multiplicative_kernel=initializers.recurrent_kernel(k_multiplicative, hidden_size, 4, o),
    bias=initializers.add_to_gate(bias, 0, 4, o.write_bias),
  )


def _preactivations(
  params: MultiplicativeLSTMParams, state: LSTMState, x: Float[Array, "*batch I"]
) -> tuple[Array, Array, Array, Array]:
  """Returns the pre-activations of i, f, g, o."""
  size = params.recurrent_kernel.shape[0]
  x_m, x_gates = jnp.split(x @ params.input_kernel, [size], axis=-1)
  m = x_m * (state.hidden @ params.recurrent_kernel)
  a_i, a_f, a_g, a_o = jnp.split(x_gates + m @ params.multiplicative_kernel + params.bias, 4, axis=-1)
  return a_i, a_f, a_g, a_o


def step(
  params: MultiplicativeLSTMParams, state: LSTMState, x: Float[Array, "*batch I"]
) -> tuple[LSTMState, Float[Array, "*batch H"]]:
  """Returns ((h_t, c_t), h_t)."""
  a_i, a_f, a_g, a_o = _preactivations(params, state, x)
  cell = sigmoid(a_f) * state.cell + sigmoid(a_i) * tanh(a_g)
  hidden = sigmoid(a_o) * tanh(cell)
  return LSTMState(hidden, cell), hidden


def probe(params: MultiplicativeLSTMParams, state: LSTMState, x: Array) -> dict[str, Activity]:
  """Returns the activity of every gate, of the candidate, and of the tanh on the new cell state."""
  a_i, a_f, a_g, a_o = _preactivations(params, state, x)
  gate, squashed = ACTIVATIONS["sigmoid"].activity, ACTIVATIONS["tanh"].activity
  new, _ = step(params, state, x)
  return {
    "input": gate(a_i),
    "forget": gate(a_f),
    "candidate": squashed(a_g),
    "output": gate(a_o),
    "cell": squashed(new.cell),
  }


#: The multiplicative LSTM. Its state is an `LSTMState`, and its output is h `[*batch, H]`.
multiplicative_lstm: Cell = holding(
  MultiplicativeLSTMParams, Cell(init, initial_state, step, probe, output=visible, gated=True)
)
