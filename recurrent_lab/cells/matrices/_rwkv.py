"""The recurrences of RWKV-6 and RWKV-7: a matrix of keys and values that decays by another factor for every key channel.

RWKV-6 (Finch), for each head, with r_t, k_t, v_t, d_t from affine maps of x_t and a learned bonus u:

    o_t = (S_{t-1} + diag(u) k_t v_tᵀ)ᵀ r_t
    S_t = diag(w_t) S_{t-1} + k_t v_tᵀ                                   w_t = exp(-exp(d_t))

RWKV-7 (Goose), for each head, with r_t, k_t, v_t, d_t, c_t from affine maps of x_t and learned ξ, α, ρ:

    w_t = exp(-e^{-1/2} σ(d_t))         decay, at least 0.545
    a_t = σ(c_t)                        in-context learning rate
    κ_t = k_t ⊗ ξ,  divided by its length                                the key that is erased
    k̃_t = k_t ⊗ (1 + α ⊗ (a_t - 1))                                      the key that is written
    S_t = (diag(w_t) - (a_t ⊗ κ_t) κ_tᵀ) S_{t-1} + k̃_t v_tᵀ
    o_t = S_tᵀ r_t + (r_tᵀ (ρ ⊗ k̃_t)) v_t

The output is o_t of all heads side by side. S is the transpose of RWKV-7's wkv. The papers' layers also mix x_t with x_{t-1},
make d_t and c_t by low-rank maps with a tanh, and norm and gate the output. These parts are left out. RWKV-7 adds the bonus
after the norm.

References: Peng et al., "Eagle and Finch: RWKV with matrix-valued states and dynamic recurrence", COLM (2024), section 4.2;
Peng et al., "RWKV-7 'Goose' with expressive dynamic state evolution" (2025), section 4.1.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._heads import check_heads, head_size, outer, read, split_heads, unit
from recurrent_lab.cells._linear import advance, from_parts
from recurrent_lab.transitions import Diagonal, DiagonalPlusLowRank, Transition

OPTIONS = ("input_gain", "bias_scale", "timescale", "dtype")

LOG_SCALE = -0.5  # ln w = -e^{-1/2} σ(d)


class RWKV6Params(NamedTuple):
  """Parameters of the recurrence of RWKV-6."""

  input_kernel: Float[Array, "I 4H"]  # columns of r, k, v, d, in this order
  bonus: Float[Array, "H"]  # u
  bias: Float[Array, "4H"]  # entries of r, k, v, d


class RWKV7Params(NamedTuple):
  """Parameters of the recurrence of RWKV-7."""

  input_kernel: Float[Array, "I 5H"]  # columns of r, k, v, d, c, in this order
  removal: Float[Array, "H"]  # ξ
  replacement: Float[Array, "H"]  # α
  bonus: Float[Array, "H"]  # ρ
  bias: Float[Array, "5H"]  # entries of r, k, v, d, c


def _positions(hidden_size: int) -> np.ndarray:
  """Returns n / (H - 1) for the channels n = 0 … H - 1."""
  return np.arange(hidden_size) / max(hidden_size - 1, 1)


def probe_rwkv6(params: RWKV6Params, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the decay w. Its log-slope is ln |dw/dd| = d - e^d."""
  del state  # the decay sees only the input
  d = jnp.split(x @ params.input_kernel + params.bias, 4, axis=-1)[3]
  return {"forget": Activity(jnp.exp(-jnp.exp(d)), d - jnp.exp(d))}


def probe_rwkv7(params: RWKV7Params, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activities of the decay w and of the learning rate a."""
  del state  # both see only the input
  *_, d, c = jnp.split(x @ params.input_kernel + params.bias, 5, axis=-1)
  gate = ACTIVATIONS["sigmoid"]
  scaled = np.exp(LOG_SCALE).astype(d.dtype) * sigmoid(d)
  return {"forget": Activity(jnp.exp(-scaled), LOG_SCALE + gate.log_slope(d) - scaled), "write": gate.activity(c)}


@variants
def rwkv6(heads: int = 1) -> Cell:
  """Returns the recurrence of RWKV-6. Its state is S `[*batch, heads, K, V]` with K = V = H / heads.

  Args:
    heads: the number of heads, which divides H.

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> RWKV6Params:
    """Draws parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H.

    As in the first layer of the authors' code, the bias of d rises from -6 to -1 over the channels, which then remember 400 down
    to 3 steps, and the bonus is 0, 0.1, -0.1 in turn.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    head_size(hidden_size, heads)
    k_input, k_bias = jax.random.split(key)
    decay = jnp.asarray(-6 + 5 * _positions(hidden_size) ** 0.7, o.dtype) - jnp.log(jnp.asarray(o.timescale, o.dtype))
    return RWKV6Params(
      input_kernel=initializers.input_kernel(k_input, input_size, 4 * hidden_size, o),
      bonus=jnp.asarray(0.1 * ((np.arange(hidden_size) + 1) % 3 - 1), o.dtype),
      bias=initializers.add_to_gate(initializers.bias(k_bias, 4 * hidden_size, o), 3, 4, decay),
    )

  def initial_state(params: RWKV6Params, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    size = params.bonus.shape[0] // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def parts(params: RWKV6Params, x: Array) -> tuple[Array, Array, Transition]:
    """Returns r, k v^T and the transition."""
    r, k, v, d = (split_heads(a, heads) for a in jnp.split(x @ params.input_kernel + params.bias, 4, axis=-1))
    written = outer(k, v)
    return r, written, Transition(Diagonal(jnp.exp(-jnp.exp(d))[..., None]), written)

  def transition(params: RWKV6Params, x: Float[Array, "*batch I"]) -> Transition:
    """Returns the factors w_t, the same for all values, and the written k_t v_tᵀ."""
    return parts(params, x)[2]

  def step(
    params: RWKV6Params, state: Float[Array, "*batch heads K V"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch heads K V"], Float[Array, "*batch H"]]:
    """Returns S_t and o_t, which reads the old state and the new key, so that `from_parts` does not serve it."""
    r, written, change = parts(params, x)
    bonus = split_heads(params.bonus, heads)[..., None]
    return advance(change, state), read(state + bonus * written, r)

  return holding(
    RWKV6Params,
    Cell(init, initial_state, step, probe_rwkv6, gated=True, elementwise=True, transition=transition, options=OPTIONS),
  )


@variants
def rwkv7(heads: int = 1) -> Cell:
  """Returns the recurrence of RWKV-7. Its state is S `[*batch, heads, K, V]` with K = V = H / heads.

  Args:
    heads: the number of heads, which divides H.

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> RWKV7Params:
    """Draws parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H.

    As in the first layer of the authors' code, the bias of d rises from -6.5 to -1.5 over the channels, ξ = 0.85, α = 1, ρ = 0.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    head_size(hidden_size, heads)
    k_input, k_bias = jax.random.split(key)
    decay = initializers.stretched(jnp.asarray(-6.5 + 5 * _positions(hidden_size) ** 0.85, o.dtype), o)
    return RWKV7Params(
      input_kernel=initializers.input_kernel(k_input, input_size, 5 * hidden_size, o),
      removal=jnp.full((hidden_size,), 0.85, o.dtype),
      replacement=jnp.ones((hidden_size,), o.dtype),
      bonus=jnp.zeros((hidden_size,), o.dtype),
      bias=initializers.add_to_gate(initializers.bias(k_bias, 5 * hidden_size, o), 3, 5, decay),
    )

  def initial_state(params: RWKV7Params, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    size = params.bonus.shape[0] // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def parts(params: RWKV7Params, x: Float[Array, "*batch I"]) -> tuple[tuple[Array, Array], Transition]:
    """Returns r_t with the bonus of o_t, and diag(w_t) - (a_t ⊗ κ_t) κ_tᵀ with the written k̃_t v_tᵀ."""
    r, k, v, d, c = jnp.split(x @ params.input_kernel + params.bias, 5, axis=-1)
    a = sigmoid(c)
    w = jnp.exp(-np.exp(LOG_SCALE).astype(d.dtype) * sigmoid(d))
    new_key = k * (1 + params.replacement * (a - 1))
    r, k, v, w, a, new_key = (split_heads(part, heads) for part in (r, k * params.removal, v, w, a, new_key))
    k = unit(k)
    matrix = DiagonalPlusLowRank(w, -(a * k)[..., None], k[..., None])
    bonus = jnp.sum(r * split_heads(params.bonus, heads) * new_key, axis=-1, keepdims=True) * v
    return (r, bonus.reshape(*bonus.shape[:-2], -1)), Transition(matrix, outer(new_key, v))

  transition, step = from_parts(parts, lambda state, seen: read(state, seen[0]) + seen[1])

  return holding(
    RWKV7Params, Cell(init, initial_state, step, probe_rwkv7, gated=True, transition=transition, options=OPTIONS)
  )
