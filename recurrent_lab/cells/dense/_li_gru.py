"""The light GRU: a single gate, and a relu candidate.

    z_t = σ(x_t W_z + h_{t-1} U_z + b_z)
    c_t = relu(x_t W_c + h_{t-1} U_c + b_c)
    h_t = z_t ⊗ h_{t-1} + (1 - z_t) ⊗ c_t

The batch normalisation of the paper is left out, because it couples the sequences of a batch.

Reference: Ravanelli, Brakel, Omologo & Bengio, "Light gated recurrent units for speech recognition", IEEE Trans. Emerging Topics
in Comp. Intelligence 2 (2018).
"""

from typing import Any, NamedTuple

from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell, Halves, holding, join, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, Gates

GATES = Gates("zc", "zc", keeps="z")


class LiGRUParams(NamedTuple):
  """Parameters of the light GRU."""

  input_kernel: Float[Array, "I 2H"]  # columns of z, c, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of z, c
  bias: Float[Array, "2H"]  # entries of z, c


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LiGRUParams:
  """Draws parameters. The options are those in `ONE_GATE`. `forget_bias` is added to z, so larger remembers longer."""
  return _gates.draw(LiGRUParams, GATES, key, input_size, hidden_size, options, ONE_GATE)


def pointwise(
  params: LiGRUParams, state: Float[Array, "*batch H"], a: tuple[Array, Array]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  seen = _gates.sums(a, GATES)
  z = sigmoid(seen["z"])
  new = z * state + (1 - z) * ACTIVATIONS["relu"].function(seen["c"])
  return new, new


def probe(params: LiGRUParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gate and of the candidate."""
  seen = _gates.sums(_gates.affine(params, state, x), GATES)
  return {"update": ACTIVATIONS["sigmoid"].activity(seen["z"]), "candidate": ACTIVATIONS["relu"].activity(seen["c"])}


_HALVES = Halves(_gates.affine, pointwise)
#: The light GRU. Its state is h `[*batch, H]`, which is also its output.
li_gru: Cell = holding(
  LiGRUParams, Cell(init, _gates.zeros, join(_HALVES), probe, _HALVES, whole_state, gated=True, options=ONE_GATE)
)
