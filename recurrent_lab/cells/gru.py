"""The gated recurrent unit.

    r_t = σ(x_t W_r + h_{t-1} U_r + b_r)
    z_t = σ(x_t W_z + h_{t-1} U_z + b_z)
    n_t = tanh(x_t W_n + b_n + r_t ⊗ (h_{t-1} U_n + b_hn))     reset after the product
    n_t = tanh(x_t W_n + b_n + (r_t ⊗ h_{t-1}) U_n)            reset before it
    h_t = (1 - z_t) ⊗ n_t + z_t ⊗ h_{t-1}

References: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP (2014), for the reset before the
product; the form after it is that of cuDNN, which torch and Flax share.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, get_activation, sigmoid
from recurrent_lab.cell import Cell, check_choice, variants


class GRUParams(NamedTuple):
  """Parameters of the GRU that resets after the product."""

  input_kernel: Float[Array, "I kH"]
  recurrent_kernel: Float[Array, "H kH"]
  bias: Float[Array, "kH"]
  recurrent_bias: Float[Array, "H"]  # b_hn, inside the reset product


class ResetBeforeGRUParams(NamedTuple):
  """Parameters of the GRU that resets before the product."""

  input_kernel: Float[Array, "I kH"]
  recurrent_kernel: Float[Array, "H kH"]
  bias: Float[Array, "kH"]


def initial_state(
  params: GRUParams | ResetBeforeGRUParams, batch_shape: tuple[int, ...] = ()
) -> Float[Array, "*batch H"]:
  """h_0 = 0."""
  return jnp.zeros((*batch_shape, params.recurrent_kernel.shape[0]), params.bias.dtype)


@variants
def gru(reset: str = "after", activation: str = "tanh") -> Cell:
  """A GRU that applies the reset gate `after` or `before` the recurrent product, with candidate nonlinearity `activation`."""
  check_choice("reset", reset, ("after", "before"))
  f = get_activation(activation)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> GRUParams | ResetBeforeGRUParams:
    """Random parameters; `options` are those of `InitOptions` (`forget_bias` goes to z: larger remembers longer)."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options)
    k_input, k_recurrent, k_bias, k_inner = jax.random.split(key, 4)
    outer = ResetBeforeGRUParams(
      input_kernel=initializers.input_kernel(k_input, input_size, 3 * hidden_size, o),
      recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 3, o),
      bias=initializers.add_to_gate(initializers.bias(k_bias, 3 * hidden_size, o), 1, 3, o.forget_bias),
    )
    return outer if reset == "before" else GRUParams(*outer, initializers.bias(k_inner, hidden_size, o))

  def preactivations(params: Any, state: Array, x: Array) -> tuple[Array, Array, Array]:
    x_r, x_z, x_n = jnp.split(x @ params.input_kernel + params.bias, 3, axis=-1)
    if reset == "after":
      u_r, u_z, u_n = jnp.split(state @ params.recurrent_kernel, 3, axis=-1)
      a_n = x_n + sigmoid(x_r + u_r) * (u_n + params.recurrent_bias)
    else:
      size = state.shape[-1]
      u_r, u_z = jnp.split(state @ params.recurrent_kernel[:, : 2 * size], 2, axis=-1)
      a_n = x_n + (sigmoid(x_r + u_r) * state) @ params.recurrent_kernel[:, 2 * size :]
    return x_r + u_r, x_z + u_z, a_n

  def step(
    params: Any, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    _, a_z, a_n = preactivations(params, state, x)
    z = sigmoid(a_z)
    new = (1 - z) * f.function(a_n) + z * state
    return new, new

  def probe(params: Any, state: Array, x: Array) -> dict[str, Activity]:
    a_r, a_z, a_n = preactivations(params, state, x)
    gate = ACTIVATIONS["sigmoid"]
    return {"reset": gate.activity(a_r), "update": gate.activity(a_z), "candidate": f.activity(a_n)}

  return Cell(init, initial_state, step, probe)
