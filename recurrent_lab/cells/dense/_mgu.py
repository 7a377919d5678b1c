"""The minimal gated unit: a GRU whose only gate both resets and updates.

    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)
    n_t = tanh(x_t W_n + (f_t ⊗ h_{t-1}) U_n + b_n)
    h_t = (1 - f_t) ⊗ h_{t-1} + f_t ⊗ n_t

Reference: Zhou, Wu, Zhang & Zhou, "Minimal gated unit for recurrent neural networks", Int. J. Automation and Computing 13 (2016),
eq. 10.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, Gates

GATES = Gates("fn", "fn", writes="f")


class MGUParams(NamedTuple):
  """Parameters of the minimal gated unit."""

  input_kernel: Float[Array, "I 2H"]  # columns of f, n, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of f, n
  bias: Float[Array, "2H"]  # entries of f, n


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> MGUParams:
  """Draws parameters. The options are those in `ONE_GATE`.

  The gate f writes, so `forget_bias` is subtracted from its bias. A larger forget bias remembers longer.
  """
  return _gates.draw(MGUParams, GATES, key, input_size, hidden_size, options, ONE_GATE)


def preactivations(
  params: MGUParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Array, Array]:
  """Returns the pre-activations of f and n."""
  x_f, x_n = jnp.split(x @ params.input_kernel + params.bias, 2, axis=-1)
  kernel_f, kernel_n = jnp.split(params.recurrent_kernel, 2, axis=-1)
  a_f = x_f + state @ kernel_f
  return a_f, x_n + (sigmoid(a_f) * state) @ kernel_n


def step(
  params: MGUParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  a_f, a_n = preactivations(params, state, x)
  f = sigmoid(a_f)
  new = (1 - f) * state + f * tanh(a_n)
  return new, new


def probe(params: MGUParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gate and of the candidate."""
  a_f, a_n = preactivations(params, state, x)
  return {"write": ACTIVATIONS["sigmoid"].activity(a_f), "candidate": ACTIVATIONS["tanh"].activity(a_n)}


#: The minimal gated unit. Its state is h `[*batch, H]`, which is also its output.
mgu: Cell = holding(MGUParams, Cell(init, _gates.zeros, step, probe, output=whole_state, gated=True, options=ONE_GATE))
