"""Long expressive memory: two vectors, each with time steps of its own that depend on the input and the state.

    Δ_t = Δ σ(x_t U_1 + y_{t-1} W_1 + b_1)
    Δ̄_t = Δ σ(x_t U_2 + y_{t-1} W_2 + b_2)
    z_t = (1 - Δ_t) ⊗ z_{t-1} + Δ_t ⊗ tanh(x_t U_z + y_{t-1} W_z + b_z)
    y_t = (1 - Δ̄_t) ⊗ y_{t-1} + Δ̄_t ⊗ tanh(x_t U_y + z_t W_y + b_y)

It is an implicit-explicit Euler step of a differential equation with several time scales: y_t sees the new z_t.

Reference: Rusch, Mishra, Erichson & Mahoney, "Long expressive memory for sequence modeling", ICLR (2022), eq. 3.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, Gates


class LEMParams(NamedTuple):
  """Parameters of long expressive memory."""

  input_kernel: Float[Array, "I 4H"]  # columns of Δ, Δ̄, z, y, in this order
  recurrent_kernel: Float[Array, "H 4H"]  # columns of Δ, Δ̄, z, which see y, and of y, which sees z
  bias: Float[Array, "4H"]  # entries of Δ, Δ̄, z, y


class LEMState(NamedTuple):
  """State of long expressive memory."""

  hidden: Float[Array, "*batch H"]  # y
  memory: Float[Array, "*batch H"]  # z


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LEMParams:
  """Draws parameters. The options are those in `ONE_GATE`.

  The gate Δ_t writes the memory, so `forget_bias` is subtracted from its bias. A larger forget bias remembers longer.
  """
  return _gates.draw(LEMParams, Gates("12zy", "12zy", writes="1"), key, input_size, hidden_size, options, ONE_GATE)


def initial_state(params: LEMParams, batch_shape: tuple[int, ...] = ()) -> LEMState:
  """Returns zeros `[*batch, H]`."""
  zeros = jnp.zeros((*batch_shape, params.recurrent_kernel.shape[0]), params.bias.dtype)
  return LEMState(zeros, zeros)


@variants
def lem(time_step: float = 1.0) -> Cell:
  """Returns long expressive memory. Its state is `LEMState(y, z)`, and its output is y `[*batch, H]`.

  Args:
    time_step: Δ in (0, 1], the largest time step.

  Raises:
    ValueError: for a time step outside (0, 1].
  """
  if not 0 < time_step <= 1:
    raise ValueError(f"time_step is {time_step}; it must lie in (0, 1].")

  def evolve(params: LEMParams, state: LEMState, x: Float[Array, "*batch I"]) -> tuple[list[Array], LEMState]:
    """Returns the pre-activations of Δ, Δ̄, z, y and the new state."""
    size = state.hidden.shape[-1]
    seen = x @ params.input_kernel + params.bias
    recurrent = state.hidden @ params.recurrent_kernel[:, : 3 * size]
    a_1, a_2, a_z = jnp.split(seen[..., : 3 * size] + recurrent, 3, axis=-1)
    step_z, step_y = time_step * sigmoid(a_1), time_step * sigmoid(a_2)
    memory = (1 - step_z) * state.memory + step_z * tanh(a_z)
    a_y = seen[..., 3 * size :] + memory @ params.recurrent_kernel[:, 3 * size :]
    return [a_1, a_2, a_z, a_y], LEMState((1 - step_y) * state.hidden + step_y * tanh(a_y), memory)

  def step(
    params: LEMParams, state: LEMState, x: Float[Array, "*batch I"]
  ) -> tuple[LEMState, Float[Array, "*batch H"]]:
    new = evolve(params, state, x)[1]
    return new, new.hidden

  def probe(params: LEMParams, state: LEMState, x: Array) -> dict[str, Activity]:
    gate, f = ACTIVATIONS["sigmoid"], ACTIVATIONS["tanh"]
    kinds = {"write": gate, "update": gate, "candidate": f, "hidden": f}
    found = evolve(params, state, x)[0]
    return {name: kind.activity(a) for (name, kind), a in zip(kinds.items(), found, strict=True)}

  output = lambda params, state: state.hidden
  return holding(LEMParams, Cell(init, initial_state, step, probe, output=output, gated=True, options=ONE_GATE))
