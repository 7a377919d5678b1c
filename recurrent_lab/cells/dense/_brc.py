"""Bistable recurrent cells: each unit feeds itself with a gain up to 2, so that it can hold one of two states.

    a_t = 1 + tanh(x_t W_a + u_a ⊗ h_{t-1} + b_a)          BRC: units see only themselves
    c_t = σ(x_t W_c + u_c ⊗ h_{t-1} + b_c)
    a_t = 1 + tanh(x_t W_a + h_{t-1} U_a + b_a)            nBRC: neuromodulated, units see each other
    c_t = σ(x_t W_c + h_{t-1} U_c + b_c)
    h_t = c_t ⊗ h_{t-1} + (1 - c_t) ⊗ tanh(x_t W_h + a_t ⊗ h_{t-1} + b_h)

Reference: Vecoven, Ernst & Drion, "A bio-inspired bistable recurrent cell allows for long-lasting memory", PLoS ONE 16 (2021).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE, Gates

GATES = Gates("ach", "ac", keeps="c")


class BRCParams(NamedTuple):
  """Parameters of the bistable cell, whose units see only themselves."""

  input_kernel: Float[Array, "I 3H"]  # columns of a, c, h, in this order
  recurrent_kernel: Float[Array, "2H"]  # u of a, c
  bias: Float[Array, "3H"]  # entries of a, c, h


class NBRCParams(NamedTuple):
  """Parameters of the neuromodulated bistable cell."""

  input_kernel: Float[Array, "I 3H"]  # columns of a, c, h, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of a, c
  bias: Float[Array, "3H"]  # entries of a, c, h


def init_brc(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> BRCParams:
  """Draws parameters. The options are those in `ONE_GATE`. `forget_bias` is added to c, so larger remembers longer."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, ONE_GATE)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  bias = initializers.bias(k_bias, 3 * hidden_size, o)
  return BRCParams(
    input_kernel=initializers.input_kernel(k_input, input_size, 3 * hidden_size, o),
    recurrent_kernel=initializers.diagonal_kernel(k_recurrent, 2 * hidden_size, o),
    bias=initializers.add_to_gate(bias, 1, 3, o.forget_bias),
  )


def init_nbrc(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> NBRCParams:
  """Draws parameters. The options are those in `ONE_GATE`. `forget_bias` is added to c, so larger remembers longer."""
  return _gates.draw(NBRCParams, GATES, key, input_size, hidden_size, options, ONE_GATE)


def initial_state(params: BRCParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.bias.shape[0] // 3), params.bias.dtype)


def brc_affine(params: BRCParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> tuple[Array, Array]:
  """Returns the parts from the input, a, c, h, and those from the state, a and c."""
  own = jnp.concatenate([state, state], axis=-1) * params.recurrent_kernel
  return x @ params.input_kernel + params.bias, own


def pointwise(
  params: Any, state: Float[Array, "*batch H"], a: tuple[Array, Array]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns h_t twice: as the state and as the output."""
  seen = _gates.sums(a, GATES)
  c = sigmoid(seen["c"])
  new = c * state + (1 - c) * tanh(seen["h"] + (1 + tanh(seen["a"])) * state)
  return new, new


def _activities(state: Array, a: tuple[Array, Array]) -> dict[str, Activity]:
  """Returns the activity of the gain, of the gate and of the candidate."""
  seen, squashed = _gates.sums(a, GATES), ACTIVATIONS["tanh"].activity
  return {
    "gain": squashed(seen["a"]),
    "update": ACTIVATIONS["sigmoid"].activity(seen["c"]),
    "candidate": squashed(seen["h"] + (1 + tanh(seen["a"])) * state),
  }


def brc_probe(params: BRCParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gain, of the gate and of the candidate."""
  return _activities(state, brc_affine(params, state, x))


def nbrc_probe(params: NBRCParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the gain, of the gate and of the candidate."""
  return _activities(state, _gates.affine(params, state, x))


_BRC, _NBRC = Halves(brc_affine, pointwise), Halves(_gates.affine, pointwise)
#: The bistable cell. Its state is h `[*batch, H]`, which is also its output.
brc: Cell = holding(
  BRCParams,
  Cell(
    init_brc,
    initial_state,
    join(_BRC),
    brc_probe,
    _BRC,
    whole_state,
    gated=True,
    elementwise=True,
    options=ONE_GATE,
  ),
)
#: The neuromodulated bistable cell. Its state is h `[*batch, H]`, which is also its output.
nbrc: Cell = holding(
  NBRCParams,
  Cell(init_nbrc, _gates.zeros, join(_NBRC), nbrc_probe, _NBRC, whole_state, gated=True, options=ONE_GATE),
)
