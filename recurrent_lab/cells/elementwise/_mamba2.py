"""The state space of Mamba-2: each head is a matrix that decays by one number, which the input sets.

For each head, with v_t, B_t, C_t from one affine map of x_t and a number Δ_t = softplus(x_t w + b):

    S_t = exp(Δ_t A) S_{t-1} + Δ_t B_t v_tᵀ,   A = -e^a
    o_t = S_tᵀ C_t

so that all exponents of a head are -e^a times the mean of Δ_t. B and C are those of all heads, as in multi-value attention. The
convolution, the SiLU, the norm, the gate and the skip connection D v of the paper's block are left out. The output is o_t of all
heads side by side.

Reference: Dao & Gu, "Transformers are SSMs: generalized models and efficient algorithms through structured state space duality",
ICML (2024), eq. 1 and sections 7.1-7.2.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import Activity
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._heads import check_heads, head_size, outer, read, split_heads
from recurrent_lab.cells._linear import from_parts
from recurrent_lab.cells.elementwise._s6 import softplus, step_bias
from recurrent_lab.transitions import Diagonal, Transition

OPTIONS = ("input_gain", "bias_scale", "timescale", "dtype")


class Mamba2Params(NamedTuple):
  """Parameters of the state space of Mamba-2. K = H / heads."""

  input_kernel: Float[Array, "I H+2K+heads"]  # columns of v, B, C, Δ, in this order
  bias: Float[Array, "H+2K+heads"]  # entries of v, B, C, Δ
  log_decay: Float[Array, "heads"]  # a


def initial_state(params: Mamba2Params, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
  """Returns S_0 = 0."""
  heads = params.log_decay.shape[0]
  size = (params.bias.shape[0] - heads) // (heads + 2)
  return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)


def projected(params: Mamba2Params, x: Array) -> tuple[Array, ...]:
  """Returns v, B, C and the pre-activation of Δ."""
  heads = params.log_decay.shape[0]
  size = (params.bias.shape[0] - heads) // (heads + 2)
  edges = [heads * size, (heads + 1) * size, (heads + 2) * size]
  return tuple(jnp.split(x @ params.input_kernel + params.bias, edges, axis=-1))


def parts(params: Mamba2Params, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
  """Returns C_t of every head, and the factors exp(Δ_t A) with the written Δ_t B_t v_tᵀ."""
  v, b, c, a_step = projected(params, x)
  delta = jax.nn.softplus(a_step)
  factors = jnp.exp(-delta * jnp.exp(params.log_decay))[..., None, None]
  v = delta[..., None] * split_heads(v, delta.shape[-1])
  b, c = (jnp.broadcast_to(part[..., None, :], v.shape) for part in (b, c))
  return c, Transition(Diagonal(factors), outer(b, v))


transition, step = from_parts(parts, read)


def probe(params: Mamba2Params, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the steps Δ_t."""
  del state  # the steps see only the input
  return {"step": softplus(projected(params, x)[3])}


@variants
def mamba2(heads: int = 1) -> Cell:
  """Returns the state space of Mamba-2. Its state is S `[*batch, heads, K, V]` with K = V = H / heads.

  Args:
    heads: the number of heads, which divides H.

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)

  def init(
    key: Key[Array, ""],
    input_size: int,
    hidden_size: int,
    *,
    min_step: float = 1e-3,
    max_step: float = 0.1,
    **options: Any,
  ) -> Mamba2Params:
    """Draws parameters. The other options are those in `OPTIONS`.

    As in the authors' code, e^a is uniform on [1, 16], and softplus(b_Δ) is log-uniform at `bias_scale` 0.

    Args:
      key: the random key.
      input_size: I.
      hidden_size: H.
      min_step: the least Δ at an input of 0.
      max_step: the largest Δ at an input of 0.
      **options: init options.

    Raises:
      ValueError: unless 0 < min_step <= max_step, or if heads do not divide H.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    k_input, k_bias, k_step, k_decay = jax.random.split(key, 4)
    width = hidden_size + 2 * head_size(hidden_size, heads) + heads
    return Mamba2Params(
      input_kernel=initializers.input_kernel(k_input, input_size, width, o),
      bias=initializers.bias(k_bias, width, o).at[-heads:].add(step_bias(k_step, heads, o, min_step, max_step)),
      log_decay=jnp.log(jax.random.uniform(k_decay, (heads,), o.dtype, 1, 16)),
    )

  return holding(
    Mamba2Params,
    Cell(init, initial_state, step, probe, gated=True, elementwise=True, transition=transition, options=OPTIONS),
  )
