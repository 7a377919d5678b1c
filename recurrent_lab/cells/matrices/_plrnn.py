"""Piecewise-linear recurrent networks, whose Jacobian takes one value in each region of the state space.

    z_t = a ⊗ z_{t-1} + relu(z_{t-1}) W + b + x_t C                         W_ii = 0
    z_t = a ⊗ z_{t-1} + relu(z_{t-1} W₂ + b₂) W₁ + b + x_t C                shallow

so that (∂z_t/∂z_{t-1})ᵀ = diag(a) + diag(1[z > 0]) W, or diag(a) + W₂ diag(1[z W₂ + b₂ > 0]) W₁. The cell ignores the diagonal
of W. The papers' noise and readout are left out.

References:
- Durstewitz, "A state space approach for piecewise-linear recurrent neural networks for identifying computational dynamics from
  neural measurements", PLoS Computational Biology 13 (2017), eq. 1.
- Hess, Monfared, Brenner & Durstewitz, "Generalized teacher forcing for learning chaotic dynamics", ICML (2023), for the
  shallow net.
"""

from typing import Any, NamedTuple

import jax
from jax.nn import relu
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity
from recurrent_lab.cell import Cell, holding, variants, whole_state

OPTIONS = ("recurrent_gain", "recurrent_init", "input_gain", "bias_scale", "dtype")

# At this gain, all of 120 random nets (8, 32 and 128 units, one relu per unit) stayed below 1000 over 300 steps. At 0.3, 11 of
# 120 did not, and at the authors' 0.58 (uniform on ±1/√H), 93 of 120.
GAIN = 0.2
UNIFORM = 3**-0.5  # the gain of weights that are uniform on ±1/√(fan-in), as in the authors' code
DECAY_RANGE = (0.5, 0.9)  # the start of a, as in the authors' code


class PLRNNParams(NamedTuple):
  """Parameters of the piecewise-linear RNN."""

  input_kernel: Float[Array, "I H"]  # C
  decay: Float[Array, "H"]  # a
  recurrent_kernel: Float[Array, "H H"]  # W, whose diagonal has no effect
  bias: Float[Array, "H"]  # b


class ShallowPLRNNParams(NamedTuple):
  """Parameters of the shallow piecewise-linear RNN with L hidden units."""

  input_kernel: Float[Array, "I H"]  # C
  decay: Float[Array, "H"]  # a
  recurrent_kernel: Float[Array, "H L"]  # W₂
  inner_bias: Float[Array, "L"]  # b₂
  return_kernel: Float[Array, "L H"]  # W₁
  bias: Float[Array, "H"]  # b


def initial_state(
  params: PLRNNParams | ShallowPLRNNParams, batch_shape: tuple[int, ...] = ()
) -> Float[Array, "*batch H"]:
  """Returns z_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.decay.shape[0]), params.bias.dtype)


def linear(params: PLRNNParams | ShallowPLRNNParams, state: Array, x: Array) -> Array:
  """Returns the terms without relu."""
  return params.decay * state + params.bias + x @ params.input_kernel


def probe(params: PLRNNParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the units."""
  del params, x  # the relu acts on the old state
  return {"state": ACTIVATIONS["relu"].activity(state)}


def inner(params: ShallowPLRNNParams, state: Array) -> Array:
  return state @ params.recurrent_kernel + params.inner_bias


@variants
def plrnn(expansion: int = 0) -> Cell:
  """Returns a piecewise-linear RNN. Its state is z `[*batch, H]`, which is also its output.

  Args:
    expansion: 0 for the net with one relu per unit, or L / H for the shallow net with L hidden units.

  Raises:
    ValueError: for a negative expansion.
  """
  if expansion < 0:
    raise ValueError(f"expansion is {expansion!r}; it must be 0 or a positive integer.")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> PLRNNParams | ShallowPLRNNParams:
    """Draws parameters. The options are those in `OPTIONS`; the gain acts on W and W₂.

    As in the authors' code, a is uniform on [0.5, 0.9], and W₁ has the variance of a uniform distribution on ±1/√L. The gain is
    0.2 by default, because relu does not saturate: see `GAIN`.
    """
    sizes = {"input_size": input_size, "hidden_size": hidden_size}
    o = initializers.parse_options(sizes, options, OPTIONS, recurrent_gain=GAIN)
    k_input, k_decay, k_recurrent, k_bias, k_return, k_inner = jax.random.split(key, 6)
    kernel = initializers.input_kernel(k_input, input_size, hidden_size, o)
    decay = jax.random.uniform(k_decay, (hidden_size,), o.dtype, *DECAY_RANGE)
    recurrent = initializers.recurrent_kernel(k_recurrent, hidden_size, max(expansion, 1), o)
    bias = initializers.bias(k_bias, hidden_size, o)
    if not expansion:
      return PLRNNParams(kernel, decay, recurrent, bias)
    width = expansion * hidden_size
    back = initializers.input_kernel(k_return, width, hidden_size, o._replace(input_gain=UNIFORM))
    return ShallowPLRNNParams(kernel, decay, recurrent, initializers.bias(k_inner, width, o), back, bias)

  def step(
    params: PLRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    """Returns z_t twice: as the state and as the output."""
    others = params.recurrent_kernel * (1 - np.eye(state.shape[-1], dtype=state.dtype))
    new = linear(params, state, x) + relu(state) @ others
    return new, new

  def shallow_step(
    params: ShallowPLRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    """Returns z_t twice: as the state and as the output."""
    new = linear(params, state, x) + relu(inner(params, state)) @ params.return_kernel
    return new, new

  def shallow_probe(params: ShallowPLRNNParams, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activity of the hidden units."""
    del x  # the relu acts on the old state
    return {"inner": ACTIVATIONS["relu"].activity(inner(params, state))}

  if expansion:
    cell = Cell(init, initial_state, shallow_step, shallow_probe, output=whole_state, options=OPTIONS)
    return holding(ShallowPLRNNParams, cell)
  return holding(PLRNNParams, Cell(init, initial_state, step, probe, output=whole_state, options=OPTIONS))
