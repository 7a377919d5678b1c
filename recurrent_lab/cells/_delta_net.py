"""Linear attention with the delta rule: every key is written after what it stored before has been erased.

For each head, with q_t, k_t of length 1 and v_t from affine maps of x_t, and β_t = σ(x_t w_β + b_β):

    S_t = (I - β_t k_t k_tᵀ) S_{t-1} + β_t k_t v_tᵀ                                        DeltaNet
    S_t = α_t (I - β_t k_t k_tᵀ) S_{t-1} + β_t k_t v_tᵀ                                    Gated DeltaNet
    S_t = (I - β_t,j k_t,j k_t,jᵀ) S_t,j-1 + β_t,j k_t,j v_t,jᵀ   for j = 1 … n_h          DeltaProduct
    o_t = S_tᵀ q_t

    α_t = exp(-e^a softplus(x_t w_α + b_α))

so that ∂S_t/∂S_{t-1} = α_t (I - β_t k_t k_tᵀ) ⊗ I_V. With β in [0, 2] instead of [0, 1] the transition has eigenvalues down
to -1, and β = 2 makes it a reflection. The output is o_t of all heads side by side. The short convolutions, the SiLU before the
norm, the output norm and the output gate of the papers' layers are left out.

α and its initialisation are those of Mamba-2. The papers' S is the transpose of this one.

References:
- Schlag, Irie & Schmidhuber, "Linear transformers are secretly fast weight programmers", ICML (2021), section 4.2.
- Yang et al., "Parallelizing linear transformers with the delta rule over sequence length", NeurIPS (2024), section 2.2, for
  DeltaNet with normalised keys.
- Yang, Kautz & Hatamizadeh, "Gated delta networks", ICLR (2025), eq. 10.
- Grazzi et al., "Unlocking state-tracking in linear RNNs through negative eigenvalues", ICLR (2025), for β in [0, 2].
- Siems et al., "DeltaProduct: improving state-tracking in linear RNNs via Householder products" (2025), section 3.
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
from recurrent_lab.transitions import Dense, DiagonalPlusLowRank, Transition

OPTIONS = ("input_gain", "bias_scale", "dtype")

DECAY_RANGE = (1e-3, 0.1)  # softplus(b_α) at the start, as in Mamba-2
RATE_RANGE = (1.0, 16.0)  # e^a at the start, as in Mamba-2


class DeltaNetParams(NamedTuple):
  """Parameters of DeltaNet."""

  input_kernel: Float[Array, "I 3H+heads"]  # columns of q, k, v, β, in this order
  bias: Float[Array, "3H+heads"]  # entries of q, k, v, β


class GatedDeltaNetParams(NamedTuple):
  """Parameters of Gated DeltaNet."""

  input_kernel: Float[Array, "I 3H+2heads"]  # columns of q, k, v, β, α, in this order
  log_rate: Float[Array, "heads"]  # a
  bias: Float[Array, "3H+2heads"]  # entries of q, k, v, β, α


class DeltaProductParams(NamedTuple):
  """Parameters of DeltaProduct with n_h steps per token."""

  input_kernel: Float[Array, "I width"]  # columns of q, k_1 … k_n, v_1 … v_n, β_1 … β_n, in this order
  bias: Float[Array, "width"]  # entries of the same


def _write(a: Array, reach: float) -> Activity:
  """Returns β = reach · σ(a) and its log-slope."""
  value, log_slope = ACTIVATIONS["sigmoid"].activity(a)
  return Activity(reach * value, np.log(reach).astype(a.dtype) + log_slope)


@variants
def delta_net(heads: int = 1, negative_eigenvalues: bool = False) -> Cell:
  """Returns DeltaNet. Its state is S `[*batch, heads, K, V]` with K = V = H / heads.

  Args:
    heads: the number of heads, which divides H.
    negative_eigenvalues: whether β lies in [0, 2] instead of [0, 1].

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)
  reach = 2.0 if negative_eigenvalues else 1.0

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> DeltaNetParams:
    """Draws Gaussian parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    head_size(hidden_size, heads)
    k_input, k_bias = jax.random.split(key)
    width = 3 * hidden_size + heads
    return DeltaNetParams(
      input_kernel=initializers.input_kernel(k_input, input_size, width, o),
      bias=initializers.bias(k_bias, width, o),
    )

  def initial_state(params: DeltaNetParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    size = (params.bias.shape[0] - heads) // 3 // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def preactivations(params: DeltaNetParams, x: Array) -> tuple[Array, Array]:
    """Returns q, k and v side by side, and the pre-activation of β."""
    a = x @ params.input_kernel + params.bias
    return a[..., :-heads], a[..., -heads:]

  def parts(params: DeltaNetParams, x: Array) -> tuple[Array, Transition]:
    qkv, a_beta = preactivations(params, x)
    q, k, v = (split_heads(part, heads) for part in jnp.split(qkv, 3, axis=-1))
    k, beta = unit(k), reach * sigmoid(a_beta)[..., None]
    matrix = DiagonalPlusLowRank(jnp.ones_like(k), -(beta * k)[..., None], k[..., None])
    return unit(q), Transition(matrix, outer(beta * k, v))

  def transition(params: DeltaNetParams, x: Float[Array, "*batch I"]) -> Transition:
    """Returns I - β_t k_t k_tᵀ and the written β_t k_t v_tᵀ."""
    return parts(params, x)[1]

  def step(
    params: DeltaNetParams, state: Float[Array, "*batch heads K V"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch heads K V"], Float[Array, "*batch H"]]:
    """Returns S_t and o_t."""
    q, (matrix, offset) = parts(params, x)
    new = matrix.times(state) + offset
    return new, read(new, q)

  def probe(params: DeltaNetParams, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activity of β."""
    del state  # the gate sees only the input
    return {"write": _write(preactivations(params, x)[1], reach)}

  return holding(DeltaNetParams, Cell(init, initial_state, step, probe, transition=transition, options=OPTIONS))


@variants
def gated_delta_net(heads: int = 1, negative_eigenvalues: bool = False) -> Cell:
  """Returns Gated DeltaNet. Its state is S `[*batch, heads, K, V]` with K = V = H / heads.

  Args:
    heads: the number of heads, which divides H.
    negative_eigenvalues: whether β lies in [0, 2] instead of [0, 1].

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)
  reach = 2.0 if negative_eigenvalues else 1.0

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> GatedDeltaNetParams:
    """Draws parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H.

    As in Mamba-2, e^a is uniform on [1, 16], and b_α is added so that softplus(b_α) is log-uniform on [0.001, 0.1].
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    head_size(hidden_size, heads)
    k_input, k_bias, k_rate, k_decay = jax.random.split(key, 4)
    width = 3 * hidden_size + 2 * heads
    decay = jnp.exp(jax.random.uniform(k_decay, (heads,), o.dtype, *np.log(DECAY_RANGE)))
    bias = initializers.bias(k_bias, width, o)
    return GatedDeltaNetParams(
      input_kernel=initializers.input_kernel(k_input, input_size, width, o),
      log_rate=jnp.log(jax.random.uniform(k_rate, (heads,), o.dtype, *RATE_RANGE)),
      bias=bias.at[-heads:].add(decay + jnp.log(-jnp.expm1(-decay))),
    )

  def initial_state(params: GatedDeltaNetParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    size = (params.bias.shape[0] - 2 * heads) // 3 // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def preactivations(params: GatedDeltaNetParams, x: Array) -> tuple[Array, Array, Array]:
    """Returns q, k and v side by side, and the pre-activations of β and of α."""
    a = x @ params.input_kernel + params.bias
    return a[..., : -2 * heads], a[..., -2 * heads : -heads], a[..., -heads:]

  def log_decay(params: GatedDeltaNetParams, a_alpha: Array) -> Array:
    return -jnp.exp(params.log_rate) * jax.nn.softplus(a_alpha)

  def parts(params: GatedDeltaNetParams, x: Array) -> tuple[Array, Transition]:
    qkv, a_beta, a_alpha = preactivations(params, x)
    q, k, v = (split_heads(part, heads) for part in jnp.split(qkv, 3, axis=-1))
    k, beta = unit(k), reach * sigmoid(a_beta)[..., None]
    alpha = jnp.exp(log_decay(params, a_alpha))[..., None]
    matrix = DiagonalPlusLowRank(jnp.broadcast_to(alpha, k.shape), -(alpha * beta * k)[..., None], k[..., None])
    return unit(q), Transition(matrix, outer(beta * k, v))

  def transition(params: GatedDeltaNetParams, x: Float[Array, "*batch I"]) -> Transition:
    """Returns α_t (I - β_t k_t k_tᵀ) and the written β_t k_t v_tᵀ."""
    return parts(params, x)[1]

  def step(
    params: GatedDeltaNetParams, state: Float[Array, "*batch heads K V"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch heads K V"], Float[Array, "*batch H"]]:
    """Returns S_t and o_t."""
    q, (matrix, offset) = parts(params, x)
    new = matrix.times(state) + offset
    return new, read(new, q)

  def probe(params: GatedDeltaNetParams, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activities of β and of α."""
    del state  # the gates see only the input
    _, a_beta, a_alpha = preactivations(params, x)
    log_alpha = log_decay(params, a_alpha)
    forget = Activity(jnp.exp(log_alpha), log_alpha + params.log_rate + jax.nn.log_sigmoid(a_alpha))
    return {"write": _write(a_beta, reach), "forget": forget}

  return holding(GatedDeltaNetParams, Cell(init, initial_state, step, probe, transition=transition, options=OPTIONS))


@variants
def delta_product(heads: int = 1, steps: int = 2, negative_eigenvalues: bool = True) -> Cell:
  """Returns DeltaProduct. Its state is S `[*batch, heads, K, V]` with K = V = H / heads.

  Args:
    heads: the number of heads, which divides H.
    steps: n_h, the number of steps of the delta rule per token. The transition is a product of that many factors.
    negative_eigenvalues: whether β lies in [0, 2] instead of [0, 1].

  Raises:
    ValueError: for fewer than one head or step.
  """
  check_heads(heads)
  if steps < 1:
    raise ValueError(f"steps is {steps!r}; it must be a positive integer.")
  reach = 2.0 if negative_eigenvalues else 1.0

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> DeltaProductParams:
    """Draws Gaussian parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    head_size(hidden_size, heads)
    k_input, k_bias = jax.random.split(key)
    width = (1 + 2 * steps) * hidden_size + steps * heads
    return DeltaProductParams(
      input_kernel=initializers.input_kernel(k_input, input_size, width, o),
      bias=initializers.bias(k_bias, width, o),
    )

  def initial_state(params: DeltaProductParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    size = (params.bias.shape[0] - steps * heads) // (1 + 2 * steps) // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def preactivations(params: DeltaProductParams, x: Array) -> tuple[Array, Array]:
    """Returns q, the k and the v side by side, and the pre-activations of the β."""
    a = x @ params.input_kernel + params.bias
    return a[..., : -steps * heads], a[..., -steps * heads :]

  def parts(params: DeltaProductParams, x: Array) -> tuple[Array, list[Array], list[Array], list[Array]]:
    """Returns q, and the k, the v and the β k of all steps."""
    qkv, a_beta = preactivations(params, x)
    q, *rest = (split_heads(part, heads) for part in jnp.split(qkv, 1 + 2 * steps, axis=-1))
    keys = [unit(k) for k in rest[:steps]]
    betas = jnp.split(reach * sigmoid(a_beta), steps, axis=-1)
    return unit(q), keys, rest[steps:], [beta[..., None] * k for beta, k in zip(betas, keys, strict=True)]

  def erase(state: Array, k: Array, beta_k: Array) -> Array:
    """Returns (I - β k kᵀ) S."""
    return state - outer(beta_k, jnp.einsum("...k,...kv->...v", k, state))

  def transition(params: DeltaProductParams, x: Float[Array, "*batch I"]) -> Transition:
    """Returns the product of the factors I - β k kᵀ of all steps, and what the steps leave written."""
    _, keys, values, betas = parts(params, x)
    k = keys[0]
    matrix = jnp.broadcast_to(jnp.eye(k.shape[-1], dtype=k.dtype), (*k.shape, k.shape[-1]))
    offset = jnp.zeros_like(matrix)
    for k, v, beta_k in zip(keys, values, betas, strict=True):
      matrix, offset = erase(matrix, k, beta_k), erase(offset, k, beta_k) + outer(beta_k, v)
    return Transition(Dense(matrix), offset)

  def step(
    params: DeltaProductParams, state: Float[Array, "*batch heads K V"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch heads K V"], Float[Array, "*batch H"]]:
    """Returns S_t and o_t. It applies the factors one after the other, so it needs no product of matrices."""
    q, keys, values, betas = parts(params, x)
    for k, v, beta_k in zip(keys, values, betas, strict=True):
      state = erase(state, k, beta_k) + outer(beta_k, v)
    return state, read(state, q)

  def probe(params: DeltaProductParams, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activity of the β of all steps."""
    del state  # the gates see only the input
    return {"write": _write(preactivations(params, x)[1], reach)}

  return holding(DeltaProductParams, Cell(init, initial_state, step, probe, transition=transition, options=OPTIONS))
