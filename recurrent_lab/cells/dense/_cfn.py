"""The chaos-free network: without inputs, every trajectory falls to 0.

    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)
    i_t = σ(x_t W_i + h_{t-1} U_i + b_i)
    h_t = f_t ⊗ tanh(h_{t-1}) + i_t ⊗ tanh(x_t W_c + b_c)

The paper writes θ for f and η for i, and has no b_c.

Reference: Laurent & von Brecht, "A recurrent neural network without chaos", ICLR (2017), eq. 1-3.
"""

from typing import Any, NamedTuple

from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import Gates

GATES = Gates("fic", "fi", keeps="f", writes="i")


class CFNParams(NamedTuple):
  """Parameters of the chaos-free network."""

  input_kernel: Float[Array, "I 3H"]  # columns of f, i, c, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of f, i
  bias: Float[Array, "3H"]  # entries of f, i, c


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> CFNParams:
  """Draws parameters. The options are those of `InitOptions`."""
  return _gates.draw(CFNParams, GATES, key, input_size, hidden_size, options)


def pointwise(
  params: CFNParams, state: Float[Array, "*batch H"], a: tuple[Array, Array]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  seen = _gates.sums(a, GATES)
  new = sigmoid(seen["f"]) * tanh(state) + sigmoid(seen["i"]) * tanh(seen["c"])
  return new, new


def probe(params: CFNParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of both gates, of the candidate and of the tanh on the old state."""
  seen = _gates.sums(_gates.affine(params, state, x), GATES)
  gate, squashed = ACTIVATIONS["sigmoid"].activity, ACTIVATIONS["tanh"].activity
  return {
    "forget": gate(seen["f"]),
    "input": gate(seen["i"]),
    "candidate": squashed(seen["c"]),
    "state": squashed(state),
  }


_HALVES = Halves(_gates.affine, pointwise)
#: The chaos-free network. Its state is h `[*batch, H]`, which is also its output.
cfn: Cell = holding(CFNParams, Cell(init, _gates.zeros, join(_HALVES), probe, _HALVES, whole_state, gated=True))
