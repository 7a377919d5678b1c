"""The leaky rate network: units that move a part of the way to the state of a simple RNN.

    h_t = (1 - α) h_{t-1} + α φ(x_t U + h_{t-1} W + b)

so that (∂h_t/∂h_{t-1})ᵀ = (1 - α) I + α W diag(φ'). It is an Euler step of τ dh/dt = -h + φ(…) with α = dt / τ, so a unit without
recurrence forgets in about 1/α steps. `hopfield` has the nonlinearity inside: its state is the current, here it is the rate.

Reference: Jaeger, Lukoševičius, Popovici & Siewert, "Optimization and applications of echo state networks with leaky-integrator
neurons", Neural Networks 20 (2007).
"""

from typing import Any, NamedTuple

from jaxtyping import Array, Float, Key

from recurrent_lab.activations import Activation, Activity, get_activation
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import WITHOUT_GATES, Gates


class LeakyRNNParams(NamedTuple):
  """Parameters of the leaky rate network."""

  input_kernel: Float[Array, "I H"]  # U
  recurrent_kernel: Float[Array, "H H"]  # W
  bias: Float[Array, "H"]  # b


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LeakyRNNParams:
  """Draws parameters. The options are those in `WITHOUT_GATES`."""
  return _gates.draw(LeakyRNNParams, Gates("h", "h"), key, input_size, hidden_size, options, WITHOUT_GATES)


def affine(params: LeakyRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> Array:
  """Returns the pre-activations, `[*batch, H]`."""
  return x @ params.input_kernel + state @ params.recurrent_kernel + params.bias


@variants
def leaky_rnn(rate: float = 0.2, activation: str | Activation = "tanh") -> Cell:
  """Returns a leaky rate network. Its state is h `[*batch, H]`, which is also its output.

  Args:
    rate: α in (0, 1]. A rate of 1 gives the simple RNN.
    activation: φ, a name in `ACTIVATIONS` or an `activations.Activation`.

  Raises:
    ValueError: for an unknown activation or a rate outside (0, 1].
  """
  f = get_activation(activation)
  if not 0 < rate <= 1:
    raise ValueError(f"rate is {rate}; it must lie in (0, 1].")

  def pointwise(
    params: LeakyRNNParams, state: Float[Array, "*batch H"], a: Float[Array, "*batch H"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    new = (1 - rate) * state + rate * f.function(a)
    return new, new

  def probe(params: LeakyRNNParams, state: Array, x: Array) -> dict[str, Activity]:
    return {"state": f.activity(affine(params, state, x))}

  halves = Halves(affine, pointwise)
  cell = Cell(init, _gates.zeros, join(halves), probe, halves, whole_state, options=WITHOUT_GATES)
  return holding(LeakyRNNParams, cell)
