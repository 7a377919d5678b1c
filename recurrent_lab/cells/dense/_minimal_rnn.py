"""The minimal RNN: the input goes through a map of its own, and one gate mixes it into the state.

    z_t = tanh(x_t W_z + b_z)
    u_t = σ(h_{t-1} U + z_t V + b_u)
    h_t = u_t ⊗ h_{t-1} + (1 - u_t) ⊗ z_t

Reference: Chen, "MinimalRNN: toward more interpretable and trainable recurrent neural networks" (2017); Chen, Pennington &
Schoenholz, "Dynamical isometry and a mean field theory of RNNs", ICML (2018), for its mean field.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE


class MinimalRNNParams(NamedTuple):
  """Parameters of the minimal RNN."""

  input_kernel: Float[Array, "I H"]  # W_z
  latent_kernel: Float[Array, "H H"]  # V
  recurrent_kernel: Float[Array, "H H"]  # U
  bias: Float[Array, "2H"]  # entries of z, u, in this order


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> MinimalRNNParams:
  """Draws parameters. The options are those in `ONE_GATE`. `forget_bias` is added to u, so larger remembers longer."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, ONE_GATE)
  k_input, k_latent, k_recurrent, k_bias = jax.random.split(key, 4)
  bias = initializers.bias(k_bias, 2 * hidden_size, o)
  return MinimalRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    latent_kernel=initializers.input_kernel(k_latent, hidden_size, hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
    bias=initializers.add_to_gate(bias, 1, 2, o.forget_bias),
  )


def _preactivations(
  params: MinimalRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Array, Array]:
  """Returns the pre-activations of z and u."""
  b_z, b_u = jnp.split(params.bias, 2)
  a_z = x @ params.input_kernel + b_z
  return a_z, state @ params.recurrent_kernel + tanh(a_z) @ params.latent_kernel + b_u


def step(
  params: MinimalRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  a_z, a_u = _preactivations(params, state, x)
  u = sigmoid(a_u)
  new = u * state + (1 - u) * tanh(a_z)
  return new, new


def probe(params: MinimalRNNParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gate and of the map of the input."""
  a_z, a_u = _preactivations(params, state, x)
  return {"update": ACTIVATIONS["sigmoid"].activity(a_u), "input": ACTIVATIONS["tanh"].activity(a_z)}


#: The minimal RNN. Its state is h `[*batch, H]`, which is also its output.
minimal_rnn: Cell = holding(
  MinimalRNNParams, Cell(init, _gates.zeros, step, probe, output=whole_state, gated=True, options=ONE_GATE)
)
