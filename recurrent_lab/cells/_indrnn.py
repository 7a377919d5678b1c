"""The independently recurrent network: every unit sees only its own past.

    h_t = f(x_t W + u ⊗ h_{t-1} + b)

so that ∂h_t/∂h_{t-1} = diag(f'(a_t) u), and the product over T steps is u^T unit by unit: |u| ≤ γ^{1/T} bounds it by γ.

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
  recurrent_kernel: Float[Array, "H"]  # u, every unit's weight on itself
  bias: Float[Array, "H"]  # b


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> IndRNNParams:
  """Random parameters; `options` are those of `InitOptions`. Each unit is a net of size 1, so a gaussian u has standard
  deviation `recurrent_gain`; there is no gate, so `forget_bias` is ignored.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  return IndRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=initializers.diagonal_kernel(k_recurrent, hidden_size, o),
    bias=initializers.bias(k_bias, hidden_size, o),
  )


def initial_state(params: IndRNNParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """h_0 = 0."""
  return jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)


def recommend(key: Key[Array, ""], hidden_size: int, longest: float | int) -> dict[str, Any]:
  """u = 1, so that u^T neither vanishes nor explodes (the paper's |u| ≤ γ^{1/T} with γ = 1), and an input gain of 1/√longest,
  so that a sum over all steps stays near 1.
  """
  return {"recurrent_init": "identity", "input_gain": longest**-0.5}


@variants
def indrnn(activation: str = "relu") -> Cell:
  """An IndRNN with f = `activation`, a name in `ACTIVATIONS`; the paper's own choice is relu.

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
  cell = Cell(init, initial_state, join(halves), probe, halves, whole_state, recommend=recommend)
  return holding(IndRNNParams, cell)
