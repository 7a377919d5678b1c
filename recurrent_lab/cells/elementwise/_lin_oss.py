"""Linear oscillators that are driven by the input, each in its own position y and velocity z.

    dz/dt = -A ⊗ y + x B,   dy/dt = z,   A = relu(a),   Δ = σ(s)

    implicit (IM):           z_t = z_{t-1} + Δ (-A y_t + x_t B),       y_t = y_{t-1} + Δ z_t
    mixed (IMEX):            z_t = z_{t-1} + Δ (-A y_{t-1} + x_t B),   y_t = y_{t-1} + Δ z_t
    o_t = y_t C

The implicit form is z_t = S (z_{t-1} - Δ A y_{t-1} + Δ x_t B) with S = 1 / (1 + Δ² A), so both forms are linear in (z, y), with
2×2 blocks. The determinant of a block is S, which loses energy, in the implicit form, and 1, which conserves volume, in the mixed
form. The authors' code has complex B and C, which is two such layers side by side; the paper's and the lab's are real. The skip
connection D x is left out, because it bypasses the state.

Reference: Rusch & Rus, "Oscillatory state-space models", ICLR (2025), sections 2 and 3.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import sigmoid
from recurrent_lab.cell import Cell, variants
from recurrent_lab.cells._linear import linear
from recurrent_lab.transitions import Dense, Transition

OPTIONS = ("input_gain", "timescale", "dtype")


class LinOSSParams(NamedTuple):
  """Parameters of the linear oscillators."""

  input_kernel: Float[Array, "I H"]  # B
  stiffness: Float[Array, "H"]  # a
  step_logit: Float[Array, "H"]  # s
  output_kernel: Float[Array, "H H"]  # C


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LinOSSParams:
  """Draws parameters. The options are those in `OPTIONS`.

  As in the paper, a and the steps σ(s) are uniform on [0, 1] at a timescale of 1. B and C have the variances 1 / I and 1 / H.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_stiffness, k_step, k_output = jax.random.split(key, 4)
  return LinOSSParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    stiffness=jax.random.uniform(k_stiffness, (hidden_size,), o.dtype),
    # The logit of a uniform number.
    step_logit=initializers.stretched(jax.random.logistic(k_step, (hidden_size,), o.dtype), o),
    output_kernel=jax.random.normal(k_output, (hidden_size, hidden_size), o.dtype)
    / np.sqrt(hidden_size).astype(o.dtype),
  )


def initial_state(params: LinOSSParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H 2 1"]:
  """Returns z_0 = y_0 = 0."""
  return jnp.zeros((*batch_shape, *params.stiffness.shape, 2, 1), params.stiffness.dtype)


def output(params: LinOSSParams, state: Float[Array, "*batch H 2 1"]) -> Float[Array, "*batch H"]:
  """Returns y C."""
  return state[..., 1, 0] @ params.output_kernel


@variants
def lin_oss(discretization: str = "implicit") -> Cell:
  """Returns linear oscillators. Their state is (z, y) `[*batch, H, 2, 1]`, their output `[*batch, H]`.

  Args:
    discretization: `implicit` (IM) or `mixed` (IMEX).

  Raises:
    ValueError: for another `discretization`.
  """
  check_choice("discretization", discretization, ("implicit", "mixed"))

  def transition(params: LinOSSParams, x: Float[Array, "*batch I"]) -> Transition:
    """Returns a 2×2 block per oscillator, and the written Δ x B times its first column."""
    d, a, u = sigmoid(params.step_logit), jax.nn.relu(params.stiffness), x @ params.input_kernel
    s = 1 / (1 + d**2 * a)
    rows = {
      "implicit": ((s, -d * a * s), (d * s, s)),
      "mixed": ((jnp.ones_like(d), -d * a), (d, 1 - d**2 * a)),
    }[discretization]
    block = jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)
    block = jnp.broadcast_to(block, (*u.shape, 2, 2))
    return Transition(Dense(block), (d * u)[..., None, None] * block[..., :1])

  return linear(LinOSSParams, init, initial_state, transition, OPTIONS, output)
