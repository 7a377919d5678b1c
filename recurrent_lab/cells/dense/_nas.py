"""The cell that neural architecture search found.

    a^k = x_t W^k + h_{t-1} U^k + b^k                                   k = 0 … 7
    p = tanh(σ(a^0) ⊗ relu(a^1))          q = tanh(σ(a^2) + relu(a^3))
    r = tanh(tanh(a^4) ⊗ σ(a^5))          s = σ(tanh(a^6) + σ(a^7))
    c_t = tanh(p + c_{t-1}) ⊗ q
    h_t = tanh(c_t ⊗ tanh(r + s))

Reference: Zoph & Le, "Neural architecture search with reinforcement learning", ICLR (2017), the cell of appendix A. The equations
are those that torchrecurrent 0.2.5 computes; the cell of that name in TensorFlow Addons multiplies the two parts of a^3.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import WITHOUT_GATES, Gates
from recurrent_lab.cells._lstm import LSTMState, initial_state, visible

GATES = Gates("01234567", "01234567")
# The nonlinearities of a^0 … a^7.
KINDS = ("sigmoid", "relu", "sigmoid", "relu", "tanh", "sigmoid", "tanh", "sigmoid")


class NASParams(NamedTuple):
  """Parameters of the cell."""

  input_kernel: Float[Array, "I 8H"]  # columns of a^0 … a^7
  recurrent_kernel: Float[Array, "H 8H"]  # columns of a^0 … a^7
  bias: Float[Array, "8H"]  # entries of a^0 … a^7


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> NASParams:
  """Draws parameters. The options are those in `WITHOUT_GATES`."""
  return _gates.draw(NASParams, GATES, key, input_size, hidden_size, options, WITHOUT_GATES)


def affine(params: NASParams, state: LSTMState, x: Float[Array, "*batch I"]) -> Float[Array, "*batch kH"]:
  """Computes a^0 … a^7, side by side."""
  return x @ params.input_kernel + state.hidden @ params.recurrent_kernel + params.bias


def pointwise(
  params: NASParams, state: LSTMState, a: Float[Array, "*batch kH"]
) -> tuple[LSTMState, Float[Array, "*batch H"]]:
  """Returns ((h_t, c_t), h_t)."""
  v = [ACTIVATIONS[kind].function(part) for kind, part in zip(KINDS, jnp.split(a, 8, axis=-1), strict=True)]
  p, q, r, s = tanh(v[0] * v[1]), tanh(v[2] + v[3]), tanh(v[4] * v[5]), sigmoid(v[6] + v[7])
  cell = tanh(p + state.cell) * q
  hidden = tanh(cell * tanh(r + s))
  return LSTMState(hidden, cell), hidden


def probe(params: NASParams, state: LSTMState, x: Array) -> dict[str, Activity]:
  """Returns the activity of the eight nonlinearities of the first layer."""
  parts = jnp.split(affine(params, state, x), 8, axis=-1)
  return {f"{kind} {k}": ACTIVATIONS[kind].activity(parts[k]) for k, kind in enumerate(KINDS)}


_HALVES = Halves(affine, pointwise)
#: The cell of architecture search. Its state is an `LSTMState`, and its output is h `[*batch, H]`.
nas: Cell = holding(
  NASParams, Cell(init, initial_state, join(_HALVES), probe, _HALVES, visible, gated=True, options=WITHOUT_GATES)
)
