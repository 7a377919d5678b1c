"""The minimal LSTM: its gates and its candidate see only the input, and its two gates are scaled to a sum of 1.

    f_t = σ(x_t W_f + b_f),   i_t = σ(x_t W_i + b_i)
    f'_t = f_t / (f_t + i_t),   i'_t = i_t / (f_t + i_t)
    h_t = f'_t ⊗ h_{t-1} + i'_t ⊗ g(x_t W_h + b_h)              g(a) = a + 1/2 for a ≥ 0, else σ(a)

so that ∂h_t/∂h_{t-1} = diag(f'_t), whatever the state. With l = ln σ the lab computes f' = σ(l(a_f) - l(a_i)), which has full
accuracy when both gates are closed.

Reference: Feng et al., "Were RNNs all we needed?" (2024), section 3.2, and appendix B for g.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell
from recurrent_lab.cells._linear import linear
from recurrent_lab.cells.elementwise._min_gru import positive
from recurrent_lab.transitions import Diagonal, Transition

OPTIONS = ("input_gain", "bias_scale", "forget_bias", "write_bias", "dtype")


class MinLSTMParams(NamedTuple):
  """Parameters of the minimal LSTM, which has no recurrent kernel."""

  input_kernel: Float[Array, "I 3H"]  # columns of f, i, h, in this order
  bias: Float[Array, "3H"]  # entries of f, i, h


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> MinLSTMParams:
  """Draws parameters. The options are those in `OPTIONS`. `forget_bias` is added to f and `write_bias` to i."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_bias = jax.random.split(key)
  bias = initializers.add_to_gate(initializers.bias(k_bias, 3 * hidden_size, o), 0, 3, o.forget_bias)
  return MinLSTMParams(
    input_kernel=initializers.input_kernel(k_input, input_size, 3 * hidden_size, o),
    bias=initializers.add_to_gate(bias, 1, 3, o.write_bias),
  )


def initial_state(params: MinLSTMParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.bias.shape[0] // 3), params.bias.dtype)


def transition(params: MinLSTMParams, x: Float[Array, "*batch I"]) -> Transition:
  """Returns the factors f'_t and the written i'_t ⊗ g."""
  a_f, a_i, a_h = jnp.split(x @ params.input_kernel + params.bias, 3, axis=-1)
  balance = jax.nn.log_sigmoid(a_f) - jax.nn.log_sigmoid(a_i)
  return Transition(Diagonal(sigmoid(balance)), sigmoid(-balance) * positive(a_h))


def probe(params: MinLSTMParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of both gates before they are scaled."""
  del state  # the gates see only the input
  a_f, a_i, _ = jnp.split(x @ params.input_kernel + params.bias, 3, axis=-1)
  gate = ACTIVATIONS["sigmoid"]
  return {"forget": gate.activity(a_f), "write": gate.activity(a_i)}


#: The minimal LSTM. Its state is h `[*batch, H]`, which is also its output.
min_lstm: Cell = linear(
  MinLSTMParams, init, initial_state, transition, OPTIONS, probe=probe, gated=True, elementwise=True
)
