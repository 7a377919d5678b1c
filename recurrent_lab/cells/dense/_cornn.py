"""The coupled oscillatory network: driven and damped oscillators, one per unit, whose couplings pass through tanh.

    z_t = z_{t-1} + Δ (tanh(x_t U + y_{t-1} W + z_{t-1} V + b) - γ y_{t-1} - ε z_{t-1})      or ε z_t: implicit damping
    y_t = y_{t-1} + Δ z_t

It is an Euler step of y'' = tanh(…) - γ y - ε y' with z = y', in which y takes the new z.

Reference: Rusch & Mishra, "Coupled oscillatory recurrent neural network (coRNN)", ICLR (2021), eq. 3, which allows both forms of
the damping. The authors' code has the explicit one.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, variants

OPTIONS = ("recurrent_gain", "recurrent_init", "input_gain", "bias_scale", "dtype")


class CoRNNParams(NamedTuple):
  """Parameters of the coupled oscillatory network."""

  input_kernel: Float[Array, "I H"]  # U
  recurrent_kernel: Float[Array, "H H"]  # W, which sees the positions y
  velocity_kernel: Float[Array, "H H"]  # V, which sees the velocities z
  bias: Float[Array, "H"]  # b


class CoRNNState(NamedTuple):
  """State of the coupled oscillatory network."""

  position: Float[Array, "*batch H"]  # y
  velocity: Float[Array, "*batch H"]  # z


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> CoRNNParams:
  """Draws parameters. The options are those in `OPTIONS`. The recurrent gain acts on both kernels that see the state."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  recurrent, velocity = jnp.split(initializers.recurrent_kernel(k_recurrent, hidden_size, 2, o), 2, axis=-1)
  return CoRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=recurrent,
    velocity_kernel=velocity,
    bias=initializers.bias(k_bias, hidden_size, o),
  )


def initial_state(params: CoRNNParams, batch_shape: tuple[int, ...] = ()) -> CoRNNState:
  """Returns zeros `[*batch, H]`: oscillators at rest."""
  zeros = jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)
  return CoRNNState(zeros, zeros)


def affine(params: CoRNNParams, state: CoRNNState, x: Float[Array, "*batch I"]) -> Float[Array, "*batch H"]:
  """Returns the pre-activations, `[*batch, H]`."""
  coupled = state.position @ params.recurrent_kernel + state.velocity @ params.velocity_kernel
  return x @ params.input_kernel + coupled + params.bias


def probe(params: CoRNNParams, state: CoRNNState, x: Array) -> dict[str, Activity]:
  """Returns the activity of the couplings."""
  return {"drive": ACTIVATIONS["tanh"].activity(affine(params, state, x))}


@variants
def cornn(time_step: float = 0.042, stiffness: float = 2.7, damping: float = 4.7, implicit: bool = False) -> Cell:
  """Returns a coupled oscillatory network. Its state is `CoRNNState(y, z)`, and its output is y `[*batch, H]`.

  The defaults are those of the authors' code for sequential MNIST.

  Args:
    time_step: Δ, above 0.
    stiffness: γ, 0 or more.
    damping: ε, 0 or more.
    implicit: whether the damping acts on the new velocity.

  Raises:
    ValueError: for a number out of range.
  """
  if not time_step > 0:
    raise ValueError(f"time_step is {time_step}; it must be above 0.")
  for name, value in (("stiffness", stiffness), ("damping", damping)):
    if not value >= 0:
      raise ValueError(f"{name} is {value}; it must be 0 or more.")

  def pointwise(
    params: CoRNNParams, state: CoRNNState, a: Float[Array, "*batch H"]
  ) -> tuple[CoRNNState, Float[Array, "*batch H"]]:
    y, z = state
    driven = time_step * (tanh(a) - stiffness * y)
    z = (z + driven) / (1 + time_step * damping) if implicit else (1 - time_step * damping) * z + driven
    new = CoRNNState(y + time_step * z, z)
    return new, new.position

  halves = Halves(affine, pointwise)
  output = lambda params, state: state.position
  return holding(CoRNNParams, Cell(init, initial_state, join(halves), probe, halves, output, options=OPTIONS))
