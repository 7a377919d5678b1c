"""The real-gated linear recurrent unit of Griffin: an element-wise decay that a gate of the input slows down.

    r_t = σ(u_t W_r + b_r),   i_t = σ(u_t W_i + b_i),   u_t = x_t W_u
    a_t = exp(-8 softplus(Λ) ⊗ r_t)
    h_t = a_t ⊗ h_{t-1} + √(1 - a_t²) ⊗ (i_t ⊗ u_t)

so that ∂h_t/∂h_{t-1} = diag(a_t). The paper has a unit for each input, u_t = x_t; the kernel W_u lets the sizes differ. Its text
has both σ(Λ)^{8 r} and softplus(Λ), which differ in the sign of Λ; the lab and the authors' code take softplus(Λ).

Reference: De et al., "Griffin: mixing gated linear recurrences with local attention for efficient language models" (2024), eqs.
1-4 and section 2.4; appendix A for the computation in log space.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell
from recurrent_lab.cells._linear import linear
from recurrent_lab.transitions import Diagonal, Transition

OPTIONS = ("input_gain", "bias_scale", "forget_bias", "write_bias", "timescale", "dtype")
SHARPNESS = 8.0  # c


class RGLRUParams(NamedTuple):
  """Parameters of the real-gated linear recurrent unit."""

  input_kernel: Float[Array, "I H"]  # W_u
  gate_kernel: Float[Array, "H 2H"]  # columns of r, i, in this order
  bias: Float[Array, "2H"]  # entries of r, i
  decay: Float[Array, "H"]  # Λ


def init(
  key: Key[Array, ""],
  input_size: int,
  hidden_size: int,
  *,
  min_radius: float = 0.9,
  max_radius: float = 0.999,
  **options: Any,
) -> RGLRUParams:
  """Draws parameters. The other options are those in `OPTIONS`.

  Λ is such that a_t at r_t = 1, the fastest decay, is uniform between `min_radius` and `max_radius`, as in the paper. The gate r
  forgets, so `forget_bias` is subtracted from its bias; `write_bias` is added to i.

  Args:
    key: the random key.
    input_size: I.
    hidden_size: H.
    min_radius: the least a_t at r_t = 1.
    max_radius: the largest a_t at r_t = 1.
    **options: init options.

  Raises:
    ValueError: unless 0 < min_radius <= max_radius < 1.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  if not 0 < min_radius <= max_radius < 1:
    raise ValueError(
      f"The radii lie between {min_radius} and {max_radius}; they need 0 < min_radius <= max_radius < 1."
    )
  k_input, k_gate, k_bias, k_decay = jax.random.split(key, 4)
  slowest = -jnp.log(jax.random.uniform(k_decay, (hidden_size,), o.dtype, min_radius, max_radius)) / SHARPNESS
  slowest = slowest / jnp.asarray(o.timescale, o.dtype)
  bias = initializers.add_to_gate(initializers.bias(k_bias, 2 * hidden_size, o), 0, 2, -jnp.asarray(o.forget_bias))
  return RGLRUParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    gate_kernel=initializers.input_kernel(k_gate, hidden_size, 2 * hidden_size, o._replace(input_gain=1.0)),
    bias=initializers.add_to_gate(bias, 1, 2, o.write_bias),
    decay=jnp.log(jnp.expm1(slowest)),
  )


def initial_state(params: RGLRUParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, *params.decay.shape), params.decay.dtype)


def gates(params: RGLRUParams, x: Array) -> tuple[Array, Array, Array]:
  """Returns u and the pre-activations of r and i."""
  u = x @ params.input_kernel
  a_r, a_i = jnp.split(u @ params.gate_kernel + params.bias, 2, axis=-1)
  return u, a_r, a_i


def transition(params: RGLRUParams, x: Float[Array, "*batch I"]) -> Transition:
  """Returns the factors a_t and the written √(1 - a_t²) ⊗ (i_t ⊗ u_t)."""
  u, a_r, a_i = gates(params, x)
  log_a = -SHARPNESS * jax.nn.softplus(params.decay) * sigmoid(a_r)
  return Transition(Diagonal(jnp.exp(log_a)), jnp.sqrt(-jnp.expm1(2 * log_a)) * sigmoid(a_i) * u)


def probe(params: RGLRUParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of both gates. An open recurrence gate forgets."""
  del state  # the gates see only the input
  _, a_r, a_i = gates(params, x)
  gate = ACTIVATIONS["sigmoid"]
  return {"recurrence": gate.activity(a_r), "write": gate.activity(a_i)}


def recommend(key: Key[Array, ""], hidden_size: int, longest: float | int) -> dict[str, Any]:
  """Recommends the defaults, because the initial Λ already spreads the memory timescales up to a thousand steps."""
  del key, hidden_size, longest
  return {}


#: The real-gated linear recurrent unit. Its state is h `[*batch, H]`, which is also its output.
rg_lru: Cell = linear(
  RGLRUParams, init, initial_state, transition, OPTIONS, probe=probe, gated=True, recommend=recommend, elementwise=True
)
