"""Long short-term memory.

    i_t = σ(x_t W_i + h_{t-1} U_i + b_i)
    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)
    o_t = σ(x_t W_o + h_{t-1} U_o + b_o)
    g_t = φ(x_t W_g + h_{t-1} U_g + b_g)            φ = tanh, or σ as in the introductions
    c_t = f_t ⊗ c_{t-1} + i_t ⊗ g_t
    h_t = o_t ⊗ tanh(c_t)

`forget="none"` sets f_t = 1, which is the cell of 1997. `forget="coupled"` sets i_t = 1 - f_t, and `forget="input_coupled"` sets
f_t = 1 - i_t. The two differ in their weights, and for gates other than σ in what they can compute. The state is the pair (h, c).
With all kernels 0, its Jacobian has ∂c_t/∂c_{t-1} = σ(b_f); with f_t = 1 this path is the constant error carousel.

References: Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); Gers, Schmidhuber & Cummins,
"Learning to forget", Neural Computation 12 (2000); Greff et al., "LSTM: a search space odyssey" (2015) for coupled gates.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import Activation, Activity, get_activation
from recurrent_lab.cell import Cell, Halves, holding, join, variants

# The gates of each variant, in the order in which kernels and biases hold them.
GATES = {"gate": "ifgo", "none": "igo", "coupled": "fgo", "input_coupled": "igo"}


class LSTMParams(NamedTuple):
  """Parameters of an LSTM without peepholes."""

  input_kernel: Float[Array, "I kH"]  # columns of i, f, g, o, in this order, without gates that the variant lacks
  recurrent_kernel: Float[Array, "H kH"]  # columns of the same gates
  bias: Float[Array, "kH"]  # entries of the same gates


class NoForgetLSTMParams(LSTMParams):
  """Parameters of the LSTM without a forget gate: columns of i, g, o."""


class CoupledLSTMParams(LSTMParams):
  """Parameters of the LSTM whose input gate is 1 - f: columns of f, g, o."""


class InputCoupledLSTMParams(LSTMParams):
  """Parameters of the LSTM whose forget gate is 1 - i: columns of i, g, o."""


PARAMS = {
  "gate": LSTMParams,
  "none": NoForgetLSTMParams,
  "coupled": CoupledLSTMParams,
  "input_coupled": InputCoupledLSTMParams,
}


class Nonlinearities(NamedTuple):
  """The nonlinearities of an LSTM, and how it forgets."""

  gate: Activation  # that of i, f and o
  input_node: Activation  # that of g
  cell: Activation  # that on c_t on its way out
  forget: str  # a key of GATES


def nonlinearities(
  input_node: str | Activation, forget: str, activation: str | Activation, gate: str | Activation
) -> Nonlinearities:
  """Looks the nonlinearities up. Raises `ValueError` for an unknown name."""
  check_choice("forget", forget, GATES)
  return Nonlinearities(get_activation(gate), get_activation(input_node), get_activation(activation), forget)


class LSTMState(NamedTuple):
  """The state of an LSTM, the pair (h, c)."""

  hidden: Float[Array, "*batch H"]  # h, which is also the output
  cell: Float[Array, "*batch H"]  # c, the cell state


def initial_state(params: Any, batch_shape: tuple[int, ...] = ()) -> LSTMState:
  """Returns h_0 = c_0 = 0, each `[*batch, H]`."""
  zeros = jnp.zeros((*batch_shape, params.recurrent_kernel.shape[0]), params.bias.dtype)
  return LSTMState(zeros, zeros)


def visible(params: Any, state: LSTMState) -> Float[Array, "*batch H"]:
  """Returns the output, h."""
  return state.hidden


def affine_params(
  key: Key[Array, ""], input_size: int, hidden_size: int, forget: str, options: dict[str, Any]
) -> LSTMParams:
  """Draws the kernels and biases that all LSTMs have. `forget_bias` is added to gate f and `write_bias` to gate i, if present.

  If f = 1 - i, `forget_bias` is subtracted from i instead.
  """
  gates = GATES[forget]
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  bias = initializers.bias(k_bias, len(gates) * hidden_size, o)
  if "f" in gates:
    bias = initializers.add_to_gate(bias, gates.index("f"), len(gates), o.forget_bias)
  if "i" in gates:
    written = -jnp.asarray(o.forget_bias) if forget == "input_coupled" else o.write_bias
    bias = initializers.add_to_gate(bias, gates.index("i"), len(gates), written)
  return LSTMParams(
    input_kernel=initializers.input_kernel(k_input, input_size, len(gates) * hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, len(gates), o),
    bias=bias,
  )


def affine(params: Any, state: LSTMState, x: Float[Array, "*batch I"]) -> Float[Array, "*batch kH"]:
  """Computes the affine part of all gates, side by side."""
  return x @ params.input_kernel + state.hidden @ params.recurrent_kernel + params.bias


def by_gate(a: Float[Array, "*batch kH"], gates: str) -> dict[str, Array]:
  """Splits the affine part into gates, by the letter of each gate."""
  return dict(zip(gates, jnp.split(a, len(gates), axis=-1), strict=True))


def next_cell(a: dict[str, Array], cell: Array, phi: Nonlinearities) -> Array:
  """Computes c_t = f_t ⊗ c_{t-1} + i_t ⊗ g_t. A gate that a variant lacks is 1 minus the other one, or 1."""
  g = phi.input_node.function(a["g"])
  gate = {k: phi.gate.function(a[k]) for k in a if k in "if"}
  if phi.forget == "input_coupled":
    return (1 - gate["i"]) * cell + gate["i"] * g
  f = gate["f"] if "f" in gate else jnp.ones_like(cell)
  i = gate["i"] if "i" in gate else 1 - f
  return f * cell + i * g


def activities(a: dict[str, Array], cell: Array, phi: Nonlinearities) -> dict[str, Activity]:
  """Returns the activity of every gate, and that of the nonlinearity on the new cell state."""
  names = {"i": "input", "f": "forget", "g": "candidate", "o": "output"}
  seen = {names[k]: (phi.input_node if k == "g" else phi.gate).activity(a[k]) for k in a}
  return {**seen, "cell": phi.cell.activity(cell)}


@variants
def lstm(
  input_node: str | Activation = "tanh",
  forget: str = "gate",
  activation: str | Activation = "tanh",
  gate: str | Activation = "sigmoid",
) -> Cell:
  """Returns an LSTM without peepholes. Its state is an `LSTMState`, and its output is h `[*batch, H]`.

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

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LSTMParams:
    """Draws parameters. The options are those of `InitOptions`. Without a forget gate, `forget_bias` is ignored."""
    return PARAMS[forget](*affine_params(key, input_size, hidden_size, forget, options))

  def pointwise(
    params: LSTMParams, state: LSTMState, stacked: Float[Array, "*batch kH"]
  ) -> tuple[LSTMState, Float[Array, "*batch H"]]:
    a = by_gate(stacked, gates)
    cell = next_cell(a, state.cell, phi)
    hidden = phi.gate.function(a["o"]) * phi.cell.function(cell)
    return LSTMState(hidden, cell), hidden

  def probe(params: LSTMParams, state: LSTMState, x: Array) -> dict[str, Activity]:
    a = by_gate(affine(params, state, x), gates)
    return activities(a, next_cell(a, state.cell, phi), phi)

  halves = Halves(affine, pointwise)
  return holding(PARAMS[forget], Cell(init, initial_state, join(halves), probe, halves, visible, gated=True))
