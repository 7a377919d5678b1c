"""The stackable recurrent cell: one gate, and a candidate that sees only the input.

    z_t = tanh(x_t W_z + b_z)
    k_t = σ(x_t W_k + h_{t-1} U_k + b_k)
    h_t = tanh((1 - k_t) ⊗ h_{t-1} + k_t ⊗ z_t)

Reference: Turkoglu, D'Aronco, Wegner & Schindler, "Gating revisited: deep multi-layer RNNs that can be trained", IEEE TPAMI 44
(2022).
"""

from typing import Any, NamedTuple

from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, Gates

GATES = Gates("zk", "k", writes="k")


class StarParams(NamedTuple):
  """Parameters of the stackable cell."""

  input_kernel: Float[Array, "I 2H"]  # columns of z, k, in this order
  recurrent_kernel: Float[Array, "H H"]  # columns of k
  bias: Float[Array, "2H"]  # entries of z, k


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> StarParams:
  """Draws parameters. The options are those in `ONE_GATE`. The gate k writes, so `forget_bias` is subtracted from its bias."""
  return _gates.draw(StarParams, GATES, key, input_size, hidden_size, options, ONE_GATE)


def pointwise(
  params: StarParams, state: Float[Array, "*batch H"], a: tuple[Array, Array]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  new = tanh(_mixed(state, a))
  return new, new


def _mixed(state: Array, a: tuple[Array, Array]) -> Array:
  """Returns the argument of the last tanh."""
  seen = _gates.sums(a, GATES)
  k = sigmoid(seen["k"])
  return (1 - k) * state + k * tanh(seen["z"])


def probe(params: StarParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gate, of the candidate and of the tanh on the new state."""
  a = _gates.affine(params, state, x)
  seen = _gates.sums(a, GATES)
  tanh_of = ACTIVATIONS["tanh"].activity
  return {
    "write": ACTIVATIONS["sigmoid"].activity(seen["k"]),
    "candidate": tanh_of(seen["z"]),
    "state": tanh_of(_mixed(state, a)),
  }


_HALVES = Halves(_gates.affine, pointwise)
#: The stackable cell. Its state is h `[*batch, H]`, which is also its output.
star: Cell = holding(
  StarParams, Cell(init, _gates.zeros, join(_HALVES), probe, _HALVES, whole_state, gated=True, options=ONE_GATE)
)
