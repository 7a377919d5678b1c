"""Gated linear attention and HGRN2: keys write values into a matrix, each of whose rows forgets at a rate set by the input.

For each head, with q_t, k_t and v_t from affine maps of x_t:

    GLA      S_t = diag(α_t) S_{t-1} + k_t v_tᵀ,          o_t = S_tᵀ q_t / √K,   α_t = σ(x_t W_↓ W_↑ + b_α)^{1/16}
    HGRN2    S_t = diag(α_t) S_{t-1} + (1 - α_t) v_tᵀ,    o_t = S_tᵀ σ(q_t),     α_t = γ + (1 - γ) σ(x_t W_α + b_α)

so that ∂S_t/∂S_{t-1} = diag(α_t) ⊗ I_V. The output is o_t of all heads side by side. The norms and GLA's output gate are left
out.

References:
- Yang, Wang, Shen, Panda & Kim, "Gated linear attention transformers with hardware-efficient training", ICML (2024), eq. 3 and
  section 4.4. The factor 1/√K is that of the authors' code.
- Qin et al., "HGRN2: gated linear RNNs with state expansion", COLM (2024), eqs. 1 and 5. The floor γ is that of `hgrn`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._heads import check_heads, head_size, outer, read, split_heads
from recurrent_lab.cells._linear import from_parts
from recurrent_lab.cells.elementwise._hgrn import check_floor, keeping, kept
from recurrent_lab.transitions import Diagonal, Transition

OPTIONS = ("input_gain", "bias_scale", "forget_bias", "dtype")
TEMPERATURE = 16.0  # τ of GLA


class GLAParams(NamedTuple):
  """Parameters of gated linear attention. R is the rank of the map to the gate."""

  input_kernel: Float[Array, "I 3H+R"]  # columns of q, k, v, W_↓, in this order
  gate_kernel: Float[Array, "R H"]  # W_↑
  bias: Float[Array, "4H"]  # entries of q, k, v, α


class HGRN2Params(NamedTuple):
  """Parameters of HGRN2."""

  input_kernel: Float[Array, "I 3H"]  # columns of q, α, v, in this order
  bias: Float[Array, "3H"]  # entries of q, α, v


def _projected_gla(params: GLAParams, x: Array) -> tuple[Array, Array, Array, Array]:
  """Returns q, k, v and the pre-activation of α, with the heads side by side."""
  a, low = jnp.split(x @ params.input_kernel, [3 * params.gate_kernel.shape[-1]], axis=-1)
  q, k, v, b = jnp.split(params.bias, 4)
  a_q, a_k, a_v = jnp.split(a, 3, axis=-1)
  return a_q + q, a_k + k, a_v + v, low @ params.gate_kernel + b


def _probe_gla(params: GLAParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of α_t."""
  del state  # the gate sees only the input
  a = _projected_gla(params, x)[3]
  log_alpha = jax.nn.log_sigmoid(a) / TEMPERATURE
  slope = log_alpha + jax.nn.log_sigmoid(-a) - np.log(TEMPERATURE).astype(a.dtype)
  return {"forget": Activity(jnp.exp(log_alpha), slope)}


def _projected_hgrn2(params: HGRN2Params, x: Array) -> list[Array]:
  """Returns the pre-activations of q and α, and v, with the heads side by side."""
  return jnp.split(x @ params.input_kernel + params.bias, 3, axis=-1)


@variants
def gla(heads: int = 1, rank: int = 16) -> Cell:
  """Returns gated linear attention. Its state is S `[*batch, heads, K, V]` with K = V = H / heads, its output o `[*batch, H]`.

  Args:
    heads: the number of heads, which divides H.
    rank: R, the rank of the map to the gate.

  Raises:
    ValueError: for fewer than one head or a rank below 1.
  """
  check_heads(heads)
  if rank < 1:
    raise ValueError(f"rank is {rank!r}; it must be a positive integer.")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> GLAParams:
    """Draws parameters. The options are those in `OPTIONS`, and `forget_bias` is added to the bias of α.

    Raises `ValueError` if heads do not divide H.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    size = head_size(hidden_size, heads) * heads
    k_input, k_gate, k_bias = jax.random.split(key, 3)
    return GLAParams(
      input_kernel=initializers.input_kernel(k_input, input_size, 3 * size + rank, o),
      gate_kernel=initializers.input_kernel(k_gate, rank, size, o._replace(input_gain=1.0)),
      bias=initializers.add_to_gate(initializers.bias(k_bias, 4 * size, o), 3, 4, o.forget_bias),
    )

  def initial_state(params: GLAParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    size = params.gate_kernel.shape[-1] // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def parts(params: GLAParams, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
    """Returns q_t / √K, and the factors α_t, one per row, with the written k_t v_tᵀ."""
    q, k, v, a = (split_heads(part, heads) for part in _projected_gla(params, x))
    factors = jnp.exp(jax.nn.log_sigmoid(a) / TEMPERATURE)[..., None]
    return q / np.sqrt(q.shape[-1]).astype(q.dtype), Transition(Diagonal(factors), outer(k, v))

  transition, step = from_parts(parts, read)

  return holding(
    GLAParams,
    Cell(init, initial_state, step, _probe_gla, gated=True, elementwise=True, transition=transition, options=OPTIONS),
  )


@variants
def hgrn2(heads: int = 1, floor: float = 0.0) -> Cell:
  """Returns HGRN2. Its state is S `[*batch, heads, K, V]` with K = V = H / heads, its output o `[*batch, H]`.

  Args:
    heads: the number of heads, which divides H.
    floor: γ, the least α.

  Raises:
    ValueError: for fewer than one head, or unless -1 <= floor < 1.
  """
  check_heads(heads)
  check_floor(floor)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> HGRN2Params:
    """Draws parameters. The options are those in `OPTIONS`, and `forget_bias` is added to the bias of α.

    Raises `ValueError` if heads do not divide H.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    width = 3 * head_size(hidden_size, heads) * heads
    k_input, k_bias = jax.random.split(key)
    return HGRN2Params(
      input_kernel=initializers.input_kernel(k_input, input_size, width, o),
      bias=initializers.add_to_gate(initializers.bias(k_bias, width, o), 1, 3, o.forget_bias),
    )

  def initial_state(params: HGRN2Params, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    size = params.bias.shape[0] // 3 // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def parts(params: HGRN2Params, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
    """Returns σ(q_t), and the factors α_t, one per row, with the written (1 - α_t) v_tᵀ."""
    q, a, v = (split_heads(part, heads) for part in _projected_hgrn2(params, x))
    written = outer((1 - floor) * sigmoid(-a), v)
    return sigmoid(q), Transition(Diagonal(kept(a, floor)[..., None]), written)

  transition, step = from_parts(parts, read)

  def probe(params: HGRN2Params, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activity of both gates."""
    del state  # the gates see only the input
    q, a, _ = _projected_hgrn2(params, x)
    return {"forget": keeping(a, floor), "output": ACTIVATIONS["sigmoid"].activity(q)}

  return holding(
    HGRN2Params,
    Cell(init, initial_state, step, probe, gated=True, elementwise=True, transition=transition, options=OPTIONS),
  )
