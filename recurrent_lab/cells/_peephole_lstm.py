"""The LSTM whose gates see the cell.

    i_t = σ(x_t W_i + h_{t-1} U_i + p_i ⊗ c_{t-1} + b_i), likewise f
    g_t = tanh(x_t W_g + h_{t-1} U_g + b_g)
    c_t = f_t ⊗ c_{t-1} + i_t ⊗ g_t
    o_t = σ(x_t W_o + h_{t-1} U_o + p_o ⊗ c_t + b_o)
    h_t = o_t ⊗ tanh(c_t)

i and f see the old cell, o the new one. With p = 0 it is the LSTM of `_lstm.py`, step for step.

Reference: Gers & Schmidhuber, "Recurrent nets that time and count", IJCNN (2000).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import Activity, get_activation, sigmoid
from recurrent_lab.cell import Cell, Halves, holding, join, variants
from recurrent_lab.cells._lstm import (
  GATES,
  LSTMState,
  activities,
  affine,
  affine_params,
  by_gate,
  initial_state,
  next_cell,
  visible,
)


class PeepholeLSTMParams(NamedTuple):
  """Parameters of an LSTM with peepholes."""

  input_kernel: Float[Array, "I kH"]  # columns of i, f, g, o, in this order, without a gate that the variant lacks
  recurrent_kernel: Float[Array, "H kH"]  # likewise
  bias: Float[Array, "kH"]  # likewise
  peephole: Float[Array, "gates H"]  # to the gates in their order, without g: i, f, o in the standard cell


class NoForgetPeepholeLSTMParams(PeepholeLSTMParams):
  """Parameters of the peephole LSTM without a forget gate: columns of i, g, o, peepholes to i, o."""


class CoupledPeepholeLSTMParams(PeepholeLSTMParams):
  """Parameters of the peephole LSTM whose input gate is 1 - f: columns of f, g, o, peepholes to f, o."""


PARAMS = {"gate": PeepholeLSTMParams, "none": NoForgetPeepholeLSTMParams, "coupled": CoupledPeepholeLSTMParams}


@variants
def peephole_lstm(input_node: str = "tanh", forget: str = "gate", activation: str = "tanh") -> Cell:
  """An LSTM with peepholes; the arguments are those of `lstm`.

  Raises:
    ValueError: as `lstm` does.
  """
  check_choice("forget", forget, GATES)
  get_activation(input_node)
  output_activation = get_activation(activation).function
  gates = GATES[forget]
  seeing = gates.replace("g", "")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> PeepholeLSTMParams:
    """Random parameters; `options` are those of `InitOptions` (`forget_bias` goes to f, ignored without a forget gate).

    Peepholes are one unit's weight on itself, so they are drawn like a diagonal kernel whose scale is gain / √H, that of
    any other weight into the gate.
    """
    k_affine, k_peephole = jax.random.split(key)
    affine = affine_params(k_affine, input_size, hidden_size, gates, options)
    o = initializers.InitOptions(**options)
    gain = jnp.asarray(o.recurrent_gain, affine.bias.dtype) / hidden_size**0.5
    peephole = gain * jax.random.normal(k_peephole, (len(seeing), hidden_size), affine.bias.dtype)
    return PARAMS[forget](*affine, peephole)

  def advance(params: PeepholeLSTMParams, state: LSTMState, stacked: Array) -> tuple[dict[str, Array], Array]:
    """Pre-activations and the new cell; o waits for c_t."""
    a = by_gate(stacked, gates)
    peephole = dict(zip(seeing, params.peephole, strict=True))
    for gate in seeing.replace("o", ""):
      a[gate] = a[gate] + peephole[gate] * state.cell
    cell = next_cell(a, state.cell, input_node)
    a["o"] = a["o"] + peephole["o"] * cell
    return a, cell

  def pointwise(
    params: PeepholeLSTMParams, state: LSTMState, stacked: Float[Array, "*batch kH"]
  ) -> tuple[LSTMState, Float[Array, "*batch H"]]:
    a, cell = advance(params, state, stacked)
    hidden = sigmoid(a["o"]) * output_activation(cell)
    return LSTMState(hidden, cell), hidden

  def probe(params: PeepholeLSTMParams, state: LSTMState, x: Array) -> dict[str, Activity]:
    a, cell = advance(params, state, affine(params, state, x))
    return activities(a, cell, input_node, activation)

  halves = Halves(affine, pointwise)
  return holding(PARAMS[forget], Cell(init, initial_state, join(halves), probe, halves, visible, gated=True))
