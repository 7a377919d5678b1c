"""Attention without the softmax, as a recurrence: keys write values into a matrix that forgets nothing, or at a fixed rate.

For each head, with q_t, k_t and v_t from affine maps of x_t:

    linear attention    S_t = S_{t-1} + φ(k_t) v_tᵀ,   z_t = z_{t-1} + φ(k_t),   o_t = S_tᵀ φ(q_t) / (z_tᵀ φ(q_t))
    retention           S_t = γ R S_{t-1} + k_t v_tᵀ,  o_t = S_tᵀ q_t / √K

with φ(a) = elu(a) + 1 and γ = 1 - 2^{-5-n} for head number n. The exponents are 0 for linear attention and ln γ for retention. R
turns pairs of rows by the angles -10000^{-2j/K}. In the paper, keys and queries are turned by their position times these angles,
which gives the same products of queries and keys and the same outputs. The output is o_t of all heads side by side. The group
norm and the gate of RetNet are left out.

References:
- Katharopoulos, Vyas, Pappas & Fleuret, "Transformers are RNNs", ICML (2020), eqs. 16-20.
- Sun et al., "Retentive network: a successor to transformer for large language models" (2023), eqs. 3-6 and 8.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.activations import Activity
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._heads import check_heads, head_size, outer, read, split_heads
from recurrent_lab.cells._linear import from_parts, no_activities
from recurrent_lab.transitions import Dense, Diagonal, Transition

OPTIONS = ("input_gain", "bias_scale", "dtype")


class LinearAttentionParams(NamedTuple):
  """Parameters of linear attention."""

  input_kernel: Float[Array, "I 3H"]  # columns of q, k, v, in this order
  bias: Float[Array, "3H"]  # entries of q, k, v


class RetNetParams(NamedTuple):
  """Parameters of retention."""

  input_kernel: Float[Array, "I 3H"]  # columns of q, k, v, in this order
  bias: Float[Array, "3H"]  # entries of q, k, v


class LinearAttentionState(NamedTuple):
  """State of linear attention."""

  memory: Float[Array, "*batch heads K V"]  # S
  normalizer: Float[Array, "*batch heads K"]  # z


def _draw(key: Key[Array, ""], input_size: int, hidden_size: int, heads: int, options: Any) -> tuple[Array, Array]:
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  width = 3 * head_size(hidden_size, heads) * heads
  k_input, k_bias = jax.random.split(key)
  return initializers.input_kernel(k_input, input_size, width, o), initializers.bias(k_bias, width, o)


def _projected(params: Any, x: Array, heads: int) -> list[Array]:
  """Returns q, k and v of every head."""
  return [split_heads(part, heads) for part in jnp.split(x @ params.input_kernel + params.bias, 3, axis=-1)]


def _empty(params: Any, heads: int, batch_shape: tuple[int, ...]) -> Float[Array, "*batch heads K V"]:
  size = params.bias.shape[0] // 3 // heads
  return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)


def positive(a: Float[Array, "..."]) -> Activity:
  """Returns the activity of φ(a) = elu(a) + 1, which is a + 1 above 0 and e^a below."""
  return Activity(jax.nn.elu(a) + 1, jnp.minimum(a, 0))


@variants
def linear_attention(heads: int = 1) -> Cell:
  """Returns linear attention. Its state is a `LinearAttentionState` with K = V = H / heads, its output o `[*batch, H]`.

  Args:
    heads: the number of heads, which divides H.

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LinearAttentionParams:
    """Draws parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H."""
    return LinearAttentionParams(*_draw(key, input_size, hidden_size, heads, options))

  def initial_state(params: LinearAttentionParams, batch_shape: tuple[int, ...] = ()) -> LinearAttentionState:
    """Returns S_0 = 0 and z_0 = 0."""
    memory = _empty(params, heads, batch_shape)
    return LinearAttentionState(memory, memory[..., 0])

  def parts(params: LinearAttentionParams, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
    """Returns φ(q_t), and factors of 1 with the written φ(k_t) v_tᵀ and φ(k_t)."""
    q, k, v = _projected(params, x, heads)
    k = positive(k).value
    written = LinearAttentionState(outer(k, v), k)
    return positive(q).value, Transition(Diagonal(jax.tree.map(jnp.ones_like, written)), written)

  def weighted(state: LinearAttentionState, q: Float[Array, "*batch heads K"]) -> Float[Array, "*batch H"]:
    """Returns o_t."""
    return read(state.memory, q / jnp.sum(state.normalizer * q, axis=-1, keepdims=True))

  transition, step = from_parts(parts, weighted)

  def probe(params: LinearAttentionParams, state: LinearAttentionState, x: Array) -> dict[str, Activity]:
    """Returns the activity of φ at the keys and the queries."""
    del state  # keys and queries see only the input
    q, k, _ = jnp.split(x @ params.input_kernel + params.bias, 3, axis=-1)
    return {"query": positive(q), "key": positive(k)}

  return holding(
    LinearAttentionParams,
    Cell(init, initial_state, step, probe, elementwise=True, transition=transition, options=OPTIONS),
  )


def turned(gamma: np.ndarray, size: int) -> np.ndarray:
  """Returns γ R of every head, `[heads, K, K]`."""
  angles = 10000.0 ** (-np.arange(0, size, 2) / size)
  matrix = np.zeros((size, size))
  even, odd = np.arange(0, size, 2), np.arange(1, size, 2)
  matrix[even, even] = matrix[odd, odd] = np.cos(angles)
  matrix[even, odd] = np.sin(angles)
  matrix[odd, even] = -np.sin(angles)
  return gamma[:, None, None] * matrix


@variants
def retnet(heads: int = 1, rotary: bool = False) -> Cell:
  """Returns retention. Its state is S `[*batch, heads, K, V]` with K = V = H / heads, its output o `[*batch, H]`.

  Args:
    heads: the number of heads, which divides H.
    rotary: whether R turns the rows, as in the paper; H / heads is then even. Otherwise R is the identity.

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)
  gamma = 1 - 2.0 ** (-5 - np.arange(heads))

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> RetNetParams:
    """Draws parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H, or if K is odd."""
    drawn = _draw(key, input_size, hidden_size, heads, options)
    if rotary and hidden_size // heads % 2:
      raise ValueError(
        f"hidden_size is {hidden_size}; with rotary it must be an even multiple of the number of heads, {heads}."
      )
    return RetNetParams(*drawn)

  def initial_state(params: RetNetParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    return _empty(params, heads, batch_shape)

  def parts(params: RetNetParams, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
    """Returns q_t / √K, and γ R with the written k_t v_tᵀ."""
    q, k, v = _projected(params, x, heads)
    of_heads = turned(gamma, k.shape[-1]) if rotary else gamma[:, None, None]
    kept = jnp.broadcast_to(jnp.asarray(of_heads, k.dtype), (*k.shape[:-2], *of_heads.shape))
    return q / np.sqrt(k.shape[-1]).astype(k.dtype), Transition(Dense(kept) if rotary else Diagonal(kept), outer(k, v))

  transition, step = from_parts(parts, read)

  return holding(
    RetNetParams,
    Cell(init, initial_state, step, no_activities, elementwise=not rotary, transition=transition, options=OPTIONS),
  )
