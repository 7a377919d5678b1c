"""The independently recurrent network: every unit sees only its own past.

    h_t = f(x_t W + u ⊗ h_{t-1} + b)

so that ∂h_t/∂h_{t-1} = diag(f'(a_t) u). With |f'| ≤ 1, the product over T steps is at most |u|^T for each unit, so weights
|u| ≤ γ^{1/T} bound it by γ.

Reference: Li et al., "Independently recurrent neural network (IndRNN)", CVPR (2018), eq. 4.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import Activity, get_activation
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state


class IndRNNParams(NamedTuple):
  """Parameters of the IndRNN."""

  input_kernel: Float[Array, "I H"]  # W
  recurrent_kernel: Float[Array, "H"]  # u, the weight of each unit on itself
  bias: Float[Array, "H"]  # b


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> IndRNNParams:
  """Draws parameters. The options are those of `InitOptions`.

  Each unit is a net of size 1, so a Gaussian u has standard deviation `recurrent_gain`. The cell has no gates, so `forget_bias`
  and `write_bias` are ignored.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  return IndRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=initializers.diagonal_kernel(k_recurrent, hidden_size, o),
    bias=initializers.bias(k_bias, hidden_size, o),
  )


def initial_state(params: IndRNNParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)


def recommend(key: Key[Array, ""], hidden_size: int, longest: float | int) -> dict[str, Any]:
  """Recommends u = 1 and an input gain of 1/√longest.

  With u = 1, u^T neither vanishes nor explodes (the paper's bound |u| ≤ γ^{1/T} at γ = 1). The input gain keeps a sum over all
  steps near 1.
  """
  return {"recurrent_init": "identity", "input_gain": longest**-0.5}


@variants
def indrnn(activation: str = "relu") -> Cell:
  """Returns an IndRNN with f = `activation`, a name in `ACTIVATIONS`. The paper uses relu.

  Its state is h `[*batch, H]`, which is also its output.

  Raises:
    ValueError: for an unknown activation.
  """
  f = get_activation(activation)

  def affine(params: IndRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> Array:
    return x @ params.input_kernel + params.recurrent_kernel * state + params.bias

  def pointwise(params: IndRNNParams, state: Array, a: Float[Array, "*batch H"]) -> tuple[Array, Array]:
    new = f.function(a)
    return new, new

  def probe(params: IndRNNParams, state: Array, x: Array) -> dict[str, Activity]:
    return {"state": f.activity(affine(params, state, x))}

  halves = Halves(affine, pointwise)
  cell = Cell(init, initial_state, join(halves), probe, halves, whole_state, recommend=recommend, elementwise=True)
  return holding(IndRNNParams, cell)
