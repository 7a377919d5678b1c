"""The LSTM with peepholes: its gates see the cell state.

    i_t = σ(x_t W_i + h_{t-1} U_i + p_i ⊗ c_{t-1} + b_i)
    f_t = σ(x_t W_f + h_{t-1} U_f + p_f ⊗ c_{t-1} + b_f)
    g_t = tanh(x_t W_g + h_{t-1} U_g + b_g)
    c_t = f_t ⊗ c_{t-1} + i_t ⊗ g_t
    o_t = σ(x_t W_o + h_{t-1} U_o + p_o ⊗ c_t + b_o)
    h_t = o_t ⊗ tanh(c_t)

Gates i and f see the old cell state, and gate o sees the new one. With p = 0 this is the LSTM of `_lstm.py`.

Reference: Gers & Schmidhuber, "Recurrent nets that time and count", IJCNN (2000).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import Activation, Activity
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
  nonlinearities,
  visible,
)


class PeepholeLSTMParams(NamedTuple):
  """Parameters of an LSTM with peepholes."""

  input_kernel: Float[Array, "I kH"]  # columns of i, f, g, o, in this order, without gates that the variant lacks
  recurrent_kernel: Float[Array, "H kH"]  # columns of the same gates
  bias: Float[Array, "kH"]  # entries of the same gates
  peephole: Float[Array, "gates H"]  # one row per gate except g, in the same order: i, f, o in the standard cell


class NoForgetPeepholeLSTMParams(PeepholeLSTMParams):
  """Parameters of the peephole LSTM without a forget gate: columns of i, g, o; peepholes of i, o."""


class CoupledPeepholeLSTMParams(PeepholeLSTMParams):
  """Parameters of the peephole LSTM whose input gate is 1 - f: columns of f, g, o; peepholes of f, o."""


class InputCoupledPeepholeLSTMParams(PeepholeLSTMParams):
  """Parameters of the peephole LSTM whose forget gate is 1 - i: columns of i, g, o; peepholes of i, o."""


PARAMS = {
  "gate": PeepholeLSTMParams,
  "none": NoForgetPeepholeLSTMParams,
  "coupled": CoupledPeepholeLSTMParams,
  "input_coupled": InputCoupledPeepholeLSTMParams,
}


@variants
def peephole_lstm(
  input_node: str | Activation = "tanh",
  forget: str = "gate",
  activation: str | Activation = "tanh",
  gate: str | Activation = "sigmoid",
) -> Cell:
  """Returns an LSTM with peepholes. Its state is an `LSTMState`, and its output is h `[*batch, H]`.

  Args:
    input_node: φ, the nonlinearity of g_t, a name in `ACTIVATIONS` or an activation of the module `parametric`.
    forget: `gate` (the standard cell), `none` (f = 1), `coupled` (i = 1 - f) or `input_coupled` (f = 1 - i).
    activation: the nonlinearity on c_t.
    gate: the nonlinearity of i, f and o.

  Raises:
    ValueError: for another value of an argument.
  """
  phi = nonlinearities(input_node, forget, activation, gate)
  gates = GATES[forget]
  seeing = gates.replace("g", "")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> PeepholeLSTMParams:
    """Draws parameters. The options are those of `InitOptions`. Without a forget gate, `forget_bias` is ignored.

    A peephole is a weight of a unit on itself. It has standard deviation gain / √H, like every other recurrent weight.
    """
    k_affine, k_peephole = jax.random.split(key)
    affine = affine_params(k_affine, input_size, hidden_size, forget, options)
    o = initializers.InitOptions(**options)
    gain = jnp.asarray(o.recurrent_gain, affine.bias.dtype) / hidden_size**0.5
    peephole = gain * jax.random.normal(k_peephole, (len(seeing), hidden_size), affine.bias.dtype)
    return PARAMS[forget](*affine, peephole)

  def advance(params: PeepholeLSTMParams, state: LSTMState, stacked: Array) -> tuple[dict[str, Array], Array]:
    """Returns the pre-activations and the new cell state. Gate o comes last, because it sees c_t."""
    a = by_gate(stacked, gates)
    peephole = dict(zip(seeing, params.peephole, strict=True))
    for letter in seeing.replace("o", ""):
      a[letter] = a[letter] + peephole[letter] * state.cell
    cell = next_cell(a, state.cell, phi)
    a["o"] = a["o"] + peephole["o"] * cell
    return a, cell

  def pointwise(
    params: PeepholeLSTMParams, state: LSTMState, stacked: Float[Array, "*batch kH"]
  ) -> tuple[LSTMState, Float[Array, "*batch H"]]:
    a, cell = advance(params, state, stacked)
    hidden = phi.gate.function(a["o"]) * phi.cell.function(cell)
    return LSTMState(hidden, cell), hidden

  def probe(params: PeepholeLSTMParams, state: LSTMState, x: Array) -> dict[str, Activity]:
    a, cell = advance(params, state, affine(params, state, x))
    return activities(a, cell, phi)

  halves = Halves(affine, pointwise)
  return holding(PARAMS[forget], Cell(init, initial_state, join(halves), probe, halves, visible, gated=True))
