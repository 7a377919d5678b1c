"""The simplified LSTM of the introductions: its gates see only the input.

    f_t = σ(x_t W_f + b_f)
    i_t = σ(x_t W_i + b_i)
    X_t = x_t W_g + b_g
    S_t = φ(f_t ⊗ S_{t-1} + i_t ⊗ X_t)          φ = tanh, or the identity for the form without activation

The introductions write X_t for a scalar input, which is the case W_g = 1 and b_g = 0. There is no recurrent kernel, so the
Jacobian is exactly diag(φ'(·) f_t). The introductions say that this factor is "0 or 1".
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, get_activation, sigmoid
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state


class SimplifiedLSTMParams(NamedTuple):
  """Parameters of the simplified LSTM, which has no recurrent kernel."""

  input_kernel: Float[Array, "I kH"]  # columns of i, f, g, in this order
  bias: Float[Array, "kH"]  # entries of i, f, g


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> SimplifiedLSTMParams:
  """Draws parameters. The options are those of `InitOptions`, but those of the recurrent kernel and `write_bias` are ignored."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options)
  k_input, k_bias = jax.random.split(key)
  return SimplifiedLSTMParams(
    input_kernel=initializers.input_kernel(k_input, input_size, 3 * hidden_size, o),
    bias=initializers.add_to_gate(initializers.bias(k_bias, 3 * hidden_size, o), 1, 3, o.forget_bias),
  )


def initial_state(params: SimplifiedLSTMParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns S_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.bias.shape[0] // 3), params.bias.dtype)


@variants
def simplified_lstm(activation: str = "tanh") -> Cell:
  """Returns the simplified LSTM with φ = `activation`, a name in `ACTIVATIONS`.

  Its state is S `[*batch, H]`, which is also its output.

  Raises:
    ValueError: for an unknown activation.
  """
  outer = get_activation(activation)
  gate = ACTIVATIONS["sigmoid"]

  def affine(params: SimplifiedLSTMParams, state: Array, x: Float[Array, "*batch I"]) -> Float[Array, "*batch kH"]:
    return x @ params.input_kernel + params.bias

  def preactivations(state: Array, stacked: Float[Array, "*batch kH"]) -> tuple[Array, Array, Array]:
    a_i, a_f, candidate = jnp.split(stacked, 3, axis=-1)
    return a_i, a_f, sigmoid(a_f) * state + sigmoid(a_i) * candidate

  def pointwise(
    params: SimplifiedLSTMParams, state: Float[Array, "*batch H"], stacked: Float[Array, "*batch kH"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    _, _, a = preactivations(state, stacked)
    new = outer.function(a)
    return new, new

  def probe(params: SimplifiedLSTMParams, state: Array, x: Array) -> dict[str, Activity]:
    a_i, a_f, a = preactivations(state, affine(params, state, x))
    return {"input": gate.activity(a_i), "forget": gate.activity(a_f), "state": outer.activity(a)}

  halves = Halves(affine, pointwise)
  cell = Cell(init, initial_state, join(halves), probe, halves, whole_state, gated=True)
  return holding(SimplifiedLSTMParams, cell)
