"""The recurrent additive network: its state is a weighted sum of the inputs alone.

    i_t = σ(x_t W_i + h_{t-1} U_i + b_i)
    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)
    c_t = i_t ⊗ (x_t W_c) + f_t ⊗ c_{t-1}
    h_t = tanh(c_t)

h is a function of c, so the state is c alone.

Reference: Lee, Levy & Zettlemoyer, "Recurrent additive networks" (2017).
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import Gates

GATES = Gates("ifc", "if", "if", keeps="f", writes="i")


class RANParams(NamedTuple):
  """Parameters of the recurrent additive network."""

  input_kernel: Float[Array, "I 3H"]  # columns of i, f, c, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of i, f
  bias: Float[Array, "2H"]  # entries of i, f


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> RANParams:
  """Draws parameters. The options are those of `InitOptions`."""
  return _gates.draw(RANParams, GATES, key, input_size, hidden_size, options)


def _preactivations(
  params: RANParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Array, Array, Array]:
  """Returns the pre-activations of i and f, and the content."""
  gates, content = jnp.split(x @ params.input_kernel, [params.bias.shape[0]], axis=-1)
  a_i, a_f = jnp.split(gates + tanh(state) @ params.recurrent_kernel + params.bias, 2, axis=-1)
  return a_i, a_f, content


def step(
  params: RANParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns (c_t, h_t)."""
  a_i, a_f, content = _preactivations(params, state, x)
  new = sigmoid(a_i) * content + sigmoid(a_f) * state
  return new, tanh(new)


def probe(params: RANParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of both gates and of the tanh on the new state."""
  a_i, a_f, _ = _preactivations(params, state, x)
  gate = ACTIVATIONS["sigmoid"].activity
  new, _ = step(params, state, x)
  return {"input": gate(a_i), "forget": gate(a_f), "state": ACTIVATIONS["tanh"].activity(new)}


#: The recurrent additive network. Its state is c and its output h = tanh(c), each `[*batch, H]`.
ran: Cell = holding(
  RANParams, Cell(init, _gates.zeros, step, probe, output=lambda params, state: tanh(state), gated=True)
)
