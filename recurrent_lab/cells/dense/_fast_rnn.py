"""FastRNN and FastGRNN: a residual step with two scalars, and its gated form, which uses one kernel twice.

    h̃_t = tanh(x_t W + h_{t-1} U + b)
    h_t = σ(α) h̃_t + σ(β) h_{t-1}                                     FastRNN

    z_t = σ(x_t W + h_{t-1} U + b_z)
    h̃_t = tanh(x_t W + h_{t-1} U + b_h)
    h_t = (σ(ζ) (1 - z_t) + σ(ν)) ⊗ h̃_t + z_t ⊗ h_{t-1}               FastGRNN

Reference: Kusupati et al., "FastGRNN: a fast, accurate, stable and tiny kilobyte sized gated recurrent neural network", NeurIPS
(2018). Its code starts from α = -3, β = 3, ζ = 1 and ν = -4.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, WITHOUT_GATES

FAST_RNN_OPTIONS = (*WITHOUT_GATES[:-1], "timescale", "dtype")


class FastRNNParams(NamedTuple):
  """Parameters of FastRNN."""

  input_kernel: Float[Array, "I H"]  # W
  recurrent_kernel: Float[Array, "H H"]  # U
  bias: Float[Array, "H"]  # b
  candidate_weight: Float[Array, ""]  # α, the weight of the candidate before σ
  state_weight: Float[Array, ""]  # β, the weight of the old state before σ


class FastGRNNParams(NamedTuple):
  """Parameters of FastGRNN."""

  input_kernel: Float[Array, "I H"]  # W
  recurrent_kernel: Float[Array, "H H"]  # U
  bias: Float[Array, "2H"]  # entries of z, h, in this order
  gate_weight: Float[Array, ""]  # ζ, the weight of 1 - z before σ
  candidate_weight: Float[Array, ""]  # ν, the part of the candidate that is always written, before σ


def init_fast_rnn(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> FastRNNParams:
  """Draws parameters. The options are those in `FAST_RNN_OPTIONS`. `timescale` divides σ(α), and β starts at -α."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, FAST_RNN_OPTIONS)
  written = initializers.stretched(jnp.asarray(-3, o.dtype), o)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  return FastRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
    bias=initializers.bias(k_bias, hidden_size, o),
    candidate_weight=written,
    state_weight=-written,
  )


def init_fast_grnn(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> FastGRNNParams:
  """Draws parameters. The options are those in `ONE_GATE`. `forget_bias` is added to z, so larger remembers longer."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, ONE_GATE)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  return FastGRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
    bias=initializers.add_to_gate(initializers.bias(k_bias, 2 * hidden_size, o), 0, 2, o.forget_bias),
    gate_weight=jnp.asarray(1, o.dtype),
    candidate_weight=jnp.asarray(-4, o.dtype),
  )


def affine(params: Any, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> Array:
  """Computes x_t W + h_{t-1} U, without a bias."""
  return x @ params.input_kernel + state @ params.recurrent_kernel


def fast_rnn_pointwise(
  params: FastRNNParams, state: Float[Array, "*batch H"], a: Float[Array, "*batch H"]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  new = sigmoid(params.candidate_weight) * tanh(a + params.bias) + sigmoid(params.state_weight) * state
  return new, new


def fast_grnn_pointwise(
  params: FastGRNNParams, state: Float[Array, "*batch H"], a: Float[Array, "*batch H"]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  b_z, b_h = jnp.split(params.bias, 2)
  z = sigmoid(a + b_z)
  written = sigmoid(params.gate_weight) * (1 - z) + sigmoid(params.candidate_weight)
  new = written * tanh(a + b_h) + z * state
  return new, new


def fast_rnn_probe(params: FastRNNParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the candidate."""
  return {"candidate": ACTIVATIONS["tanh"].activity(affine(params, state, x) + params.bias)}


def fast_grnn_probe(params: FastGRNNParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gate and of the candidate."""
  a, (b_z, b_h) = affine(params, state, x), jnp.split(params.bias, 2)
  return {"update": ACTIVATIONS["sigmoid"].activity(a + b_z), "candidate": ACTIVATIONS["tanh"].activity(a + b_h)}


_FAST_RNN, _FAST_GRNN = Halves(affine, fast_rnn_pointwise), Halves(affine, fast_grnn_pointwise)
#: FastRNN. Its state is h `[*batch, H]`, which is also its output.
fast_rnn: Cell = holding(
  FastRNNParams,
  Cell(init_fast_rnn, _gates.zeros, join(_FAST_RNN), fast_rnn_probe, _FAST_RNN, whole_state, options=FAST_RNN_OPTIONS),
)
#: FastGRNN. Its state is h `[*batch, H]`, which is also its output.
fast_grnn: Cell = holding(
  FastGRNNParams,
  Cell(
    init_fast_grnn,
    _gates.zeros,
    join(_FAST_GRNN),
    fast_grnn_probe,
    _FAST_GRNN,
    whole_state,
    gated=True,
    options=ONE_GATE,
  ),
)
