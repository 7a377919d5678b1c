"""The update gate recurrent network: a GRU without the reset gate.

    c_t = tanh(x_t W_c + h_{t-1} U_c + b_c)
    g_t = σ(x_t W_g + h_{t-1} U_g + b_g)
    h_t = g_t ⊗ h_{t-1} + (1 - g_t) ⊗ c_t

Reference: Collins, Sohl-Dickstein & Sussillo, "Capacity and trainability in recurrent neural networks", ICLR (2017).
"""

from typing import Any, NamedTuple

from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, Gates

GATES = Gates("cg", "cg", keeps="g")


class UGRNNParams(NamedTuple):
  """Parameters of the update gate network."""

  input_kernel: Float[Array, "I 2H"]  # columns of c, g, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of c, g
  bias: Float[Array, "2H"]  # entries of c, g


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> UGRNNParams:
  """Draws parameters. The options are those in `ONE_GATE`. `forget_bias` is added to g, so larger remembers longer."""
  return _gates.draw(UGRNNParams, GATES, key, input_size, hidden_size, options, ONE_GATE)


def pointwise(
  params: UGRNNParams, state: Float[Array, "*batch H"], a: tuple[Array, Array]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  seen = _gates.sums(a, GATES)
  g = sigmoid(seen["g"])
  new = g * state + (1 - g) * tanh(seen["c"])
  return new, new


def probe(params: UGRNNParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gate and of the candidate."""
  seen = _gates.sums(_gates.affine(params, state, x), GATES)
  return {"update": ACTIVATIONS["sigmoid"].activity(seen["g"]), "candidate": ACTIVATIONS["tanh"].activity(seen["c"])}


_HALVES = Halves(_gates.affine, pointwise)
#: The update gate network. Its state is h `[*batch, H]`, which is also its output.
ugrnn: Cell = holding(
  UGRNNParams, Cell(init, _gates.zeros, join(_HALVES), probe, _HALVES, whole_state, gated=True, options=ONE_GATE)
)
