"""Three mutations of the GRU that a search over ten thousand architectures found.

    z_t = σ(x_t W_z + b_z)                                    MUT1
    z_t = σ(x_t W_z + h_{t-1} U_z + b_z)                      MUT2
    z_t = σ(x_t W_z + tanh(h_{t-1}) U_z + b_z)                MUT3
    r_t = σ(x_t W_r + h_{t-1} U_r + b_r)
    n_t = tanh((r_t ⊗ h_{t-1}) U_n + tanh(x_t W_n) + b_n)     MUT1
    n_t = tanh((r_t ⊗ h_{t-1}) U_n + x_t W_n + b_n)           MUT2, MUT3
    h_t = z_t ⊗ n_t + (1 - z_t) ⊗ h_{t-1}

The paper has tanh(x_t) in the n of MUT1 and x_t in the r of MUT2, which needs inputs of size H. Here W_n and W_r stand before
them.

Reference: Jozefowicz, Zaremba & Sutskever, "An empirical exploration of recurrent network architectures", ICML (2015), section 4.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, Gates


class MUT1Params(NamedTuple):
  """Parameters of MUT1, whose gate z sees only the input."""

  input_kernel: Float[Array, "I 3H"]  # columns of z, r, n, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of r, n
  bias: Float[Array, "3H"]  # entries of z, r, n


class MUT2Params(NamedTuple):
  """Parameters of MUT2."""

  input_kernel: Float[Array, "I 3H"]  # columns of z, r, n, in this order
  recurrent_kernel: Float[Array, "H 3H"]  # columns of z, r, n
  bias: Float[Array, "3H"]  # entries of z, r, n


class MUT3Params(MUT2Params):
  """Parameters of MUT3: those of MUT2."""


def _mutation(kind: Any, number: int) -> Cell:
  """Returns the cell of a number."""
  gates = Gates("zrn", "rn" if number == 1 else "zrn", writes="z")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> Any:
    """Draws parameters. The options are those in `ONE_GATE`. z writes, so `forget_bias` is subtracted from its bias."""
    return _gates.draw(kind, gates, key, input_size, hidden_size, options, ONE_GATE)

  def preactivations(params: Any, state: Array, x: Array) -> tuple[Array, Array, Array]:
    size = state.shape[-1]
    a_z, x_r, x_n = jnp.split(x @ params.input_kernel, 3, axis=-1)
    b_z, b_r, b_n = jnp.split(params.bias, 3)
    *kernel_z, kernel_r, kernel_n = jnp.split(
      params.recurrent_kernel, params.recurrent_kernel.shape[-1] // size, axis=-1
    )
    a_z = a_z + b_z
    if kernel_z:
      a_z = a_z + (tanh(state) if number == 3 else state) @ kernel_z[0]
    a_r = x_r + state @ kernel_r + b_r
    seen = tanh(x_n) if number == 1 else x_n
    return a_z, a_r, (sigmoid(a_r) * state) @ kernel_n + seen + b_n

  def step(
    params: Any, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    a_z, _, a_n = preactivations(params, state, x)
    z = sigmoid(a_z)
    new = z * tanh(a_n) + (1 - z) * state
    return new, new

  def probe(params: Any, state: Array, x: Array) -> dict[str, Activity]:
    a_z, a_r, a_n = preactivations(params, state, x)
    gate = ACTIVATIONS["sigmoid"].activity
    return {"write": gate(a_z), "reset": gate(a_r), "candidate": ACTIVATIONS["tanh"].activity(a_n)}

  return holding(kind, Cell(init, _gates.zeros, step, probe, output=whole_state, gated=True, options=ONE_GATE))


#: MUT1. Its state is h `[*batch, H]`, which is also its output.
mut1: Cell = _mutation(MUT1Params, 1)
#: MUT2. Its state is h `[*batch, H]`, which is also its output.
mut2: Cell = _mutation(MUT2Params, 2)
#: MUT3. Its state is h `[*batch, H]`, which is also its output.
mut3: Cell = _mutation(MUT3Params, 3)
