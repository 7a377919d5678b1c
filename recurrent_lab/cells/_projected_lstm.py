"""The LSTM with a projection: its gates see P numbers, a linear map of its H units.

    i_t, f_t, g_t, o_t, c_t    as in `_lstm.py`, with kernels U [P, H] for h_{t-1}
    h_t = (o_t ⊗ tanh(c_t)) V                          V [H, P]

The output and the recurrent input are h_t `[*batch, P]`. In torch, P is `proj_size` and V the transpose of `weight_hr`. The
paper's recurrent projection layer also has peepholes.

Reference: Sak, Senior & Beaufays, "Long short-term memory recurrent neural network architectures for large scale acoustic
modeling", Interspeech (2014), eq. 1-7.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import Activation, Activity
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._lstm import (
  LSTMState,
  activities,
  affine,
  affine_params,
  by_gate,
  next_cell,
  nonlinearities,
  visible,
)


class ProjectedLSTMParams(NamedTuple):
  """Parameters of an LSTM with a projection."""

  input_kernel: Float[Array, "I 4H"]  # columns of i, f, g, o, in this order
  recurrent_kernel: Float[Array, "P 4H"]  # columns of the same gates
  bias: Float[Array, "4H"]  # entries of the same gates
  projection: Float[Array, "H P"]  # V, the transpose of torch's weight_hr


def initial_state(params: ProjectedLSTMParams, batch_shape: tuple[int, ...] = ()) -> LSTMState:
  """Returns h_0 = 0 `[*batch, P]` and c_0 = 0 `[*batch, H]`."""
  units, size = params.projection.shape
  zeros = lambda n: jnp.zeros((*batch_shape, n), params.bias.dtype)
  return LSTMState(zeros(size), zeros(units))


@variants
def projected_lstm(
  projection_size: int | None = None,
  input_node: str | Activation = "tanh",
  activation: str | Activation = "tanh",
  gate: str | Activation = "sigmoid",
) -> Cell:
  """Returns an LSTM with a projection. Its state is an `LSTMState` (h `[*batch, P]`, c `[*batch, H]`), and its output is h.

  Args:
    projection_size: P for `init`; by default half of `hidden_size`, rounded up. A step takes the size from its params.
    input_node: the nonlinearity of g_t, a name in `ACTIVATIONS` or an activation of the module `parametric`.
    activation: the nonlinearity on c_t.
    gate: the nonlinearity of i, f and o.

  Raises:
    ValueError: for an unknown activation, or a projection size below 1.
  """
  if projection_size is not None and projection_size < 1:
    raise ValueError(f"projection_size is {projection_size}; it must be at least 1.")
  phi = nonlinearities(input_node, "gate", activation, gate)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> ProjectedLSTMParams:
    """Draws H = `hidden_size` units. The options are those of `InitOptions`.

    The recurrent kernel is the first P rows of one of H units, times √(H / P), so that P entries drive a gate as H would. The
    projection has standard deviation 1 / √H, so it keeps the mean square of an entry.
    """
    size = projection_size or -(-hidden_size // 2)
    if size > hidden_size:
      raise ValueError(f"projection_size is {size}; a projection of {hidden_size} units has at most as many numbers.")
    k_affine, k_projection = jax.random.split(key)
    full = affine_params(k_affine, input_size, hidden_size, "gate", options)
    dtype = initializers.InitOptions(**options).dtype
    return ProjectedLSTMParams(
      input_kernel=full.input_kernel,
      recurrent_kernel=full.recurrent_kernel[:size] * (hidden_size / size) ** 0.5,
      bias=full.bias,
      projection=jax.random.normal(k_projection, (hidden_size, size), dtype) / hidden_size**0.5,
    )

  def advance(params: ProjectedLSTMParams, state: LSTMState, x: Array) -> tuple[dict[str, Array], Array]:
    """Returns the pre-activations and the new cell state."""
    a = by_gate(affine(params, state, x), "ifgo")
    return a, next_cell(a, state.cell, phi)

  def step(
    params: ProjectedLSTMParams, state: LSTMState, x: Float[Array, "*batch I"]
  ) -> tuple[LSTMState, Float[Array, "*batch P"]]:
    a, cell = advance(params, state, x)
    hidden = (phi.gate.function(a["o"]) * phi.cell.function(cell)) @ params.projection
    return LSTMState(hidden, cell), hidden

  def probe(params: ProjectedLSTMParams, state: LSTMState, x: Array) -> dict[str, Activity]:
    a, cell = advance(params, state, x)
    return activities(a, cell, phi)

  return holding(ProjectedLSTMParams, Cell(init, initial_state, step, probe, output=visible, gated=True))
