"""The simple recurrent network.

    s_t = f(x_t U + s_{t-1} W + b)

so that ∂s_t/∂s_{t-1} = diag(f'(a_t)) Wᵀ at pre-activation a_t. U and W are the transposes of W_x and W_s in the introductions.

Reference: Elman, "Finding structure in time", Cognitive Science 14 (1990), eq. 1-2.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import Activation, Activity, get_activation
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state


class RNNParams(NamedTuple):
  """Parameters of the Elman network."""

  input_kernel: Float[Array, "I H"]  # U, the transpose of W_x in the introductions
  recurrent_kernel: Float[Array, "H H"]  # W, the transpose of W_s in the introductions
  bias: Float[Array, "H"]  # b


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> RNNParams:
  """Draws parameters. The options are those of `InitOptions`. The cell has no gates, so gate biases are ignored."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  return RNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
    bias=initializers.bias(k_bias, hidden_size, o),
  )


def initial_state(params: RNNParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns s_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)


@variants
def rnn(activation: str | Activation = "tanh") -> Cell:
  """Returns the Elman network with f = `activation`, a name in `ACTIVATIONS` or an `activations.Activation`.

  Its state is s `[*batch, H]`, which is also its output.

  Raises:
    ValueError: for an unknown activation.
  """
  f = get_activation(activation)

  def affine(params: RNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> Array:
    return x @ params.input_kernel + state @ params.recurrent_kernel + params.bias

  def pointwise(params: RNNParams, state: Array, a: Float[Array, "*batch H"]) -> tuple[Array, Array]:
    new = f.function(a)
    return new, new

  def probe(params: RNNParams, state: Array, x: Array) -> dict[str, Activity]:
    return {"state": f.activity(affine(params, state, x))}

  halves = Halves(affine, pointwise)
  return holding(RNNParams, Cell(init, initial_state, join(halves), probe, halves, whole_state))
