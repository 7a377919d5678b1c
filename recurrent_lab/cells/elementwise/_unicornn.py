"""The undamped independent oscillatory network: one driven nonlinear oscillator per unit, with a time step of its own.

    s   = Δ σ(c)
    z_t = z_{t-1} - s ⊗ (tanh(x_t U + w ⊗ y_{t-1} + b) + α y_{t-1})
    y_t = y_{t-1} + s ⊗ z_t

σ(c) is the paper's σ̂. It is a symplectic Euler step of a Hamiltonian system. Each unit has a Jacobian of determinant 1 in (y, z),
so its two exponents add up to 0.

Reference: Rusch & Mishra, "UnICORNN: a recurrent model for learning very long time dependencies", ICML (2021).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, variants

OPTIONS = ("recurrent_gain", "input_gain", "bias_scale", "timescale", "dtype")

TIME_SCALE = 0.1  # c starts uniform on [-0.1, 0.1], as in the authors' code


class UnICORNNParams(NamedTuple):
  """Parameters of the undamped independent oscillatory network."""

  input_kernel: Float[Array, "I H"]  # U
  recurrent_kernel: Float[Array, "H"]  # w
  time_scale: Float[Array, "H"]  # c
  bias: Float[Array, "H"]  # b


class UnICORNNState(NamedTuple):
  """State of the undamped independent oscillatory network."""

  position: Float[Array, "*batch H"]  # y
  velocity: Float[Array, "*batch H"]  # z


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> UnICORNNParams:
  """Draws parameters. The options are those in `OPTIONS`. w is `recurrent_gain` times a uniform number on [0, 1]."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_recurrent, k_scale, k_bias = jax.random.split(key, 4)
  gain = jnp.asarray(o.recurrent_gain, o.dtype)
  return UnICORNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=gain * jax.random.uniform(k_recurrent, (hidden_size,), o.dtype),
    time_scale=initializers.stretched(jax.random.uniform(k_scale, (hidden_size,), o.dtype, -TIME_SCALE, TIME_SCALE), o),
    bias=initializers.bias(k_bias, hidden_size, o),
  )


def initial_state(params: UnICORNNParams, batch_shape: tuple[int, ...] = ()) -> UnICORNNState:
  """Returns zeros `[*batch, H]`: oscillators at rest."""
  zeros = jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)
  return UnICORNNState(zeros, zeros)


def affine(params: UnICORNNParams, state: UnICORNNState, x: Float[Array, "*batch I"]) -> Float[Array, "*batch H"]:
  """Returns the pre-activations, `[*batch, H]`."""
  return x @ params.input_kernel + params.recurrent_kernel * state.position + params.bias


def probe(params: UnICORNNParams, state: UnICORNNState, x: Array) -> dict[str, Activity]:
  """Returns the activity of the drives."""
  return {"drive": ACTIVATIONS["tanh"].activity(affine(params, state, x))}


@variants
def unicornn(time_step: float = 0.1, stiffness: float = 1.0) -> Cell:
  """Returns an undamped independent oscillatory network. Its state is `UnICORNNState(y, z)`, and its output is y `[*batch, H]`.

  Args:
    time_step: Δ, above 0.
    stiffness: α, 0 or more.

  Raises:
    ValueError: for a number out of range.
  """
  if not time_step > 0:
    raise ValueError(f"time_step is {time_step}; it must be above 0.")
  if not stiffness >= 0:
    raise ValueError(f"stiffness is {stiffness}; it must be 0 or more.")

  def pointwise(
    params: UnICORNNParams, state: UnICORNNState, a: Float[Array, "*batch H"]
  ) -> tuple[UnICORNNState, Float[Array, "*batch H"]]:
    y, z = state
    own_step = time_step * sigmoid(params.time_scale)
    z = z - own_step * (tanh(a) + stiffness * y)
    new = UnICORNNState(y + own_step * z, z)
    return new, new.position

  halves = Halves(affine, pointwise)
  output = lambda params, state: state.position
  return holding(UnICORNNParams, Cell(init, initial_state, join(halves), probe, halves, output, options=OPTIONS))
