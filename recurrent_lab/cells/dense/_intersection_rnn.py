"""The intersection RNN: one gate along depth and one along time.

    x̂_t = x_t P
    y'_t = relu(x̂_t W_y + h_{t-1} U_y + b_y)          g_t = σ(x̂_t W_g + h_{t-1} U_g + b_g)
    h'_t = tanh(x̂_t W_h + h_{t-1} U_h + b_h)          k_t = σ(x̂_t W_k + h_{t-1} U_k + b_k)
    y_t = g_t ⊗ x̂_t + (1 - g_t) ⊗ y'_t
    h_t = k_t ⊗ h_{t-1} + (1 - k_t) ⊗ h'_t

The paper has inputs of size H, so that outputs can pass them on. The projection P makes them so.

Reference: Collins, Sohl-Dickstein & Sussillo, "Capacity and trainability in recurrent neural networks", ICLR (2017).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE

ORDER = "yhgk"


class IntersectionRNNParams(NamedTuple):
  """Parameters of the intersection RNN."""

  input_kernel: Float[Array, "I H"]  # P
  gate_kernel: Float[Array, "H 4H"]  # columns W of y, h, g, k, in this order
  recurrent_kernel: Float[Array, "H 4H"]  # columns U of y, h, g, k
  bias: Float[Array, "4H"]  # entries of y, h, g, k


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> IntersectionRNNParams:
  """Draws parameters. The options are those in `ONE_GATE`. `forget_bias` is added to k, so larger remembers longer."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, ONE_GATE)
  k_input, k_gate, k_recurrent, k_bias = jax.random.split(key, 4)
  bias = initializers.bias(k_bias, 4 * hidden_size, o)
  return IntersectionRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    gate_kernel=initializers.input_kernel(k_gate, hidden_size, 4 * hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 4, o),
    bias=initializers.add_to_gate(bias, 3, 4, o.forget_bias),
  )


def _preactivations(
  params: IntersectionRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Array, dict[str, Array]]:
  """Returns x̂ and the pre-activations by letter."""
  projected = x @ params.input_kernel
  a = projected @ params.gate_kernel + state @ params.recurrent_kernel + params.bias
  return projected, dict(zip(ORDER, jnp.split(a, 4, axis=-1), strict=True))


def step(
  params: IntersectionRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns (h_t, y_t)."""
  projected, a = _preactivations(params, state, x)
  g, k = sigmoid(a["g"]), sigmoid(a["k"])
  output = g * projected + (1 - g) * ACTIVATIONS["relu"].function(a["y"])
  return k * state + (1 - k) * tanh(a["h"]), output


def probe(params: IntersectionRNNParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of both gates and of both candidates."""
  _, a = _preactivations(params, state, x)
  of = {"output": ("y", "relu"), "candidate": ("h", "tanh"), "depth": ("g", "sigmoid"), "update": ("k", "sigmoid")}
  return {name: ACTIVATIONS[kind].activity(a[letter]) for name, (letter, kind) in of.items()}


#: The intersection RNN. Its state is h and its output y, each `[*batch, H]`.
intersection_rnn: Cell = holding(
  IntersectionRNNParams, Cell(init, _gates.zeros, step, probe, gated=True, options=ONE_GATE)
)
