"""The minimal GRU: its gate and its candidate see only the input, so it is linear in its state.

    z_t = σ(x_t W_z + b_z)
    h_t = (1 - z_t) ⊗ h_{t-1} + z_t ⊗ g(x_t W_h + b_h)          g(a) = a + 1/2 for a ≥ 0, else σ(a)

so that ∂h_t/∂h_{t-1} = diag(1 - z_t), whatever the state.

Reference: Feng et al., "Were RNNs all we needed?" (2024), section 3.1, and appendix B for g, which keeps h positive so that the
recurrence can run in log space.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell
from recurrent_lab.cells._linear import linear
from recurrent_lab.transitions import Diagonal, Transition

OPTIONS = ("input_gain", "bias_scale", "forget_bias", "dtype")


class MinGRUParams(NamedTuple):
  """Parameters of the minimal GRU, which has no recurrent kernel."""

  input_kernel: Float[Array, "I 2H"]  # columns of z, h, in this order
  bias: Float[Array, "2H"]  # entries of z, h


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> MinGRUParams:
  """Draws parameters. The options are those in `OPTIONS`.

  The gate z writes, so `forget_bias` is subtracted from its bias. A larger forget bias remembers longer.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_bias = jax.random.split(key)
  bias = initializers.bias(k_bias, 2 * hidden_size, o)
  return MinGRUParams(
    input_kernel=initializers.input_kernel(k_input, input_size, 2 * hidden_size, o),
    bias=initializers.add_to_gate(bias, 0, 2, -jnp.asarray(o.forget_bias)),
  )


def initial_state(params: MinGRUParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.bias.shape[0] // 2), params.bias.dtype)


def positive(a: Float[Array, "..."]) -> Float[Array, "..."]:
  """Computes g, which is positive, increasing and continuous."""
  return jnp.where(a >= 0, a + 0.5, sigmoid(a))


def transition(params: MinGRUParams, x: Float[Array, "*batch I"]) -> Transition:
  """Returns the factors 1 - z_t = σ(-a_z) and the written z_t ⊗ g."""
  a_z, a_h = jnp.split(x @ params.input_kernel + params.bias, 2, axis=-1)
  return Transition(Diagonal(sigmoid(-a_z)), sigmoid(a_z) * positive(a_h))


def probe(params: MinGRUParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gate."""
  del state  # the gate sees only the input
  return {"write": ACTIVATIONS["sigmoid"].activity(jnp.split(x @ params.input_kernel + params.bias, 2, axis=-1)[0])}


#: The minimal GRU. Its state is h `[*batch, H]`, which is also its output.
min_gru: Cell = linear(
  MinGRUParams, init, initial_state, transition, OPTIONS, probe=probe, gated=True, elementwise=True
)
