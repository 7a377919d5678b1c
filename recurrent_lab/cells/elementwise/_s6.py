"""The selective state space of Mamba: the input sets the step of every unit, and what it writes and reads.

    u_t = x_t W
    Δ_t = softplus(u_t W_↓ W_↑ + b),   B_t = u_t W_B,   C_t = u_t W_C
    S_t = exp(Δ_t A) ⊗ S_{t-1} + (Δ_t ⊗ u_t) B_tᵀ,   A = -e^a
    y_t = S_t C_t

with a row of N states per unit, and Δ_t repeated along the rows. The Jacobian is diagonal with the entries exp(Δ_t A), so the
exponents are -e^a times the means of Δ_t. The convolution, the SiLU, the gate and the skip connection D u of the paper's block
are left out. With negative eigenvalues the factors are 2 exp(Δ_t A) - 1, in [-1, 1].

References:
- Gu & Dao, "Mamba: linear-time sequence modeling with selective state spaces" (2023), algorithm 2 and section 3.6.
- Grazzi et al., "Unlocking state-tracking in linear RNNs through negative eigenvalues", ICLR (2025), for negative eigenvalues.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.activations import Activity
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._complex import log_uniform
from recurrent_lab.cells._linear import from_parts
from recurrent_lab.initializers import InitOptions
from recurrent_lab.transitions import Diagonal, Transition

OPTIONS = ("input_gain", "timescale", "dtype")


class S6Params(NamedTuple):
  """Parameters of the selective state space. R is the rank of the map to the steps."""

  input_kernel: Float[Array, "I H"]  # W
  selection_kernel: Float[Array, "H R+2N"]  # columns of W_↓, W_B, W_C, in this order
  step_kernel: Float[Array, "R H"]  # W_↑
  bias: Float[Array, "H"]  # b
  log_decay: Float[Array, "H N"]  # a


def softplus(a: Float[Array, "..."]) -> Activity:
  """Returns the activity of softplus(a) = ln(1 + e^a), whose slope is σ(a)."""
  return Activity(jax.nn.softplus(a), jax.nn.log_sigmoid(a))


def step_bias(key: Key[Array, ""], size: int, options: InitOptions, low: float, high: float) -> Float[Array, "n"]:
  """Returns biases b with softplus(b) log-uniform between `low` and `high`, divided by the timescale of the options.

  Raises:
    ValueError: unless 0 < low <= high.
  """
  steps = jnp.exp(log_uniform(key, (size,), options, low, high))
  return steps + jnp.log(-jnp.expm1(-steps))


def initial_state(params: S6Params, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H N"]:
  """Returns S_0 = 0, `[*batch, H, N]`."""
  return jnp.zeros((*batch_shape, *params.log_decay.shape), params.log_decay.dtype)


def selected(params: S6Params, x: Array) -> tuple[Array, Array, Array, Array]:
  """Returns u, the pre-activation of Δ, B and C."""
  states, rank = params.log_decay.shape[-1], params.step_kernel.shape[0]
  u = x @ params.input_kernel
  low, b, c = jnp.split(u @ params.selection_kernel, [rank, rank + states], axis=-1)
  return u, low @ params.step_kernel + params.bias, b, c


def parts(params: S6Params, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
  """Returns C_t, and the factors exp(Δ_t A) with the written (Δ_t ⊗ u_t) B_tᵀ."""
  u, a_step, b, c = selected(params, x)
  delta = jax.nn.softplus(a_step)
  factors = jnp.exp(-delta[..., None] * jnp.exp(params.log_decay))
  return c, Transition(Diagonal(factors), (delta * u)[..., None] * b[..., None, :])


def signed_parts(params: S6Params, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
  """Returns C_t, and the factors 2 exp(Δ_t A) - 1 with what is written."""
  c, (matrix, offset) = parts(params, x)
  assert isinstance(matrix, Diagonal)
  return c, Transition(Diagonal(2 * matrix.entries - 1), offset)


def read(state: Float[Array, "*batch H N"], c: Float[Array, "*batch N"]) -> Float[Array, "*batch H"]:
  """Returns S C."""
  return jnp.einsum("...hn,...n->...h", state, c)


def probe(params: S6Params, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the steps Δ_t."""
  del state  # the steps see only the input
  return {"step": softplus(selected(params, x)[1])}


@variants
def s6(states: int = 16, rank: int | None = None, negative_eigenvalues: bool = False) -> Cell:
  """Returns a selective state space. Its state is S `[*batch, H, N]`, its output y `[*batch, H]`.

  Args:
    states: N, the number of states per unit.
    rank: R, the rank of the map to the steps. By default ⌈H / 16⌉, as in the paper.
    negative_eigenvalues: whether the factors are 2 exp(Δ_t A) - 1, in [-1, 1], instead of exp(Δ_t A).

  Raises:
    ValueError: for fewer than one state or a rank below 1.
  """
  for name, value in {"states": states, "rank": 1 if rank is None else rank}.items():
    if value < 1:
      raise ValueError(f"{name} is {value!r}; it must be a positive integer.")

  def init(
    key: Key[Array, ""],
    input_size: int,
    hidden_size: int,
    *,
    min_step: float = 1e-3,
    max_step: float = 0.1,
    **options: Any,
  ) -> S6Params:
    """Draws parameters. The other options are those in `OPTIONS`.

    As in the paper, A starts at -1, …, -N in every unit (S4D-Real), softplus(b) is log-uniform, and W_↑ is uniform on ±1/√R.

    Args:
      key: the random key.
      input_size: I.
      hidden_size: H.
      min_step: the least Δ at an input of 0.
      max_step: the largest Δ at an input of 0.
      **options: init options.

    Raises:
      ValueError: unless 0 < min_step <= max_step.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    k_input, k_selection, k_step, k_bias = jax.random.split(key, 4)
    r = math.ceil(hidden_size / 16) if rank is None else rank
    plain = o._replace(input_gain=1.0)
    reach = 1 / np.sqrt(r)
    return S6Params(
      input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
      selection_kernel=initializers.input_kernel(k_selection, hidden_size, r + 2 * states, plain),
      step_kernel=jax.random.uniform(k_step, (r, hidden_size), o.dtype, -reach, reach),
      bias=step_bias(k_bias, hidden_size, o, min_step, max_step),
      log_decay=jnp.broadcast_to(jnp.log(jnp.arange(1, states + 1, dtype=o.dtype)), (hidden_size, states)),
    )

  transition, step = from_parts(signed_parts if negative_eigenvalues else parts, read)
  return holding(
    S6Params,
    Cell(init, initial_state, step, probe, gated=True, elementwise=True, transition=transition, options=OPTIONS),
  )
