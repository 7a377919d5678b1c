"""Just another network: an LSTM with the forget gate alone.

    s_t = x_t W_f + h_{t-1} U_f + b_f
    c_t = tanh(x_t W_c + h_{t-1} U_c + b_c)
    h_t = σ(s_t) ⊗ h_{t-1} + (1 - σ(s_t - β)) ⊗ c_t

β > 0 lets more in than a coupled gate would.

Reference: van der Westhuizen & Lasenby, "The unreasonable effectiveness of the forget gate" (2018).
"""

import math
from typing import Any, NamedTuple

from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, Gates

GATES = Gates("fc", "fc", keeps="f")


class JANETParams(NamedTuple):
  """Parameters of JANET."""

  input_kernel: Float[Array, "I 2H"]  # columns of f, c, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of f, c
  bias: Float[Array, "2H"]  # entries of f, c


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> JANETParams:
  """Draws parameters. The options are those in `ONE_GATE`. `forget_bias` is added to f, so larger remembers longer."""
  return _gates.draw(JANETParams, GATES, key, input_size, hidden_size, options, ONE_GATE)


@variants
def janet(beta: float = 1.0) -> Cell:
  """Returns JANET. Its state is h `[*batch, H]`, which is also its output.

  Args:
    beta: β, subtracted from the gate where it writes. The paper uses 1.

  Raises:
    ValueError: if β is not finite.
  """
  if not math.isfinite(beta):
    raise ValueError(f"beta is {beta}; it must be finite.")

  def pointwise(
    params: JANETParams, state: Float[Array, "*batch H"], a: tuple[Array, Array]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    seen = _gates.sums(a, GATES)
    new = sigmoid(seen["f"]) * state + sigmoid(beta - seen["f"]) * tanh(seen["c"])
    return new, new

  def probe(params: JANETParams, state: Array, x: Array) -> dict[str, Activity]:
    seen = _gates.sums(_gates.affine(params, state, x), GATES)
    gate = ACTIVATIONS["sigmoid"].activity
    return {
      "forget": gate(seen["f"]),
      "write": gate(beta - seen["f"]),
      "candidate": ACTIVATIONS["tanh"].activity(seen["c"]),
    }

  halves = Halves(_gates.affine, pointwise)
  cell = Cell(init, _gates.zeros, join(halves), probe, halves, whole_state, gated=True, options=ONE_GATE)
  return holding(JANETParams, cell)
