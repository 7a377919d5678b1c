"""Linear attention with the delta rule: every key is written after what it stored before has been erased.

For each head, with q_t, k_t of length 1 and v_t from affine maps of x_t, and a number β_t = σ(x_t w_β + b_β):

    S_t = (I - β_t k_t k_tᵀ) S_{t-1} + β_t k_t v_tᵀ                    DeltaNet
    S_t = α_t (I - β_t k_t k_tᵀ) S_{t-1} + β_t k_t v_tᵀ                Gated DeltaNet, α_t = exp(-e^a softplus(x_t w_α + b_α))
    o_t = S_tᵀ q_t

so that ∂S_t/∂S_{t-1} = α_t (I - β_t k_t k_tᵀ) ⊗ I_V. With β = 2 σ(·) in [0, 2] the transition has eigenvalues down to -1, and
β = 2 makes it a reflection. The output is o_t of all heads side by side. The short convolutions, the SiLU before the norm, the
output norm and the output gate of the papers' layers are left out. α and its initialisation are those of Mamba-2. The papers' S
is the transpose of this one.

References:
- Schlag, Irie & Schmidhuber, "Linear transformers are secretly fast weight programmers", ICML (2021), section 4.2.
- Yang et al., "Parallelizing linear transformers with the delta rule over sequence length", NeurIPS (2024), section 2.2, for
  DeltaNet with normalised keys.
- Yang, Kautz & Hatamizadeh, "Gated delta networks", ICLR (2025), eq. 10.
- Grazzi et al., "Unlocking state-tracking in linear RNNs through negative eigenvalues", ICLR (2025), for β in [0, 2].
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
from recurrent_lab.cells._linear import from_parts
from recurrent_lab.transitions import DiagonalPlusLowRank, Transition

OPTIONS = ("input_gain", "bias_scale", "dtype")
GATED_OPTIONS = ("input_gain", "bias_scale", "timescale", "dtype")

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


def scaled_sigmoid(a: Array, reach: float) -> Activity:
  """Returns β = reach · σ(a) and its log-slope."""
  value, log_slope = ACTIVATIONS["sigmoid"].activity(a)
  return Activity(reach * value, np.log(reach).astype(a.dtype) + log_slope)


def _decay_biases(key: Key[Array, ""], heads: int, o: initializers.InitOptions) -> Float[Array, "heads"]:
  """Returns b_α with softplus(b_α) log-uniform on `DECAY_RANGE`, divided by the timescale."""
  decay = jnp.exp(jax.random.uniform(key, (heads,), o.dtype, *np.log(DECAY_RANGE)))
  decay = decay / jnp.asarray(o.timescale, o.dtype)
  return decay + jnp.log(-jnp.expm1(-decay))


def _log_alpha(params: GatedDeltaNetParams, a: Array) -> Array:
  return -jnp.exp(params.log_rate) * jax.nn.softplus(a)


def _forgetting(params: GatedDeltaNetParams, a: Array) -> Activity:
  """Returns the activity of α. Its log-slope is ln |dα/da|."""
  log_alpha = _log_alpha(params, a)
  return Activity(jnp.exp(log_alpha), log_alpha + params.log_rate + jax.nn.log_sigmoid(a))


@variants
def delta_net(heads: int = 1, gated: bool = False, negative_eigenvalues: bool = False) -> Cell:
  """Returns DeltaNet. Its state is S `[*batch, heads, K, V]` with K = V = H / heads.

  Args:
    heads: the number of heads, which divides H.
    gated: whether S decays by α, as in Gated DeltaNet.
    negative_eigenvalues: whether β lies in [0, 2] instead of [0, 1].

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)
  gates = heads * (1 + gated)
  reach = 2.0 if negative_eigenvalues else 1.0
  options_of_cell = GATED_OPTIONS if gated else OPTIONS

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> Any:
    """Draws parameters. The options are those in `OPTIONS`, or in `GATED_OPTIONS`. Raises `ValueError` if heads do not divide H.

    As in Mamba-2, e^a is uniform on [1, 16], and b_α is added so that softplus(b_α) is log-uniform on [0.001, 0.1].
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, options_of_cell)
    width = 3 * head_size(hidden_size, heads) * heads + gates
    k_input, k_bias, k_rate, k_decay = jax.random.split(key, 4)
    kernel, bias = initializers.input_kernel(k_input, input_size, width, o), initializers.bias(k_bias, width, o)
    if not gated:
      return DeltaNetParams(kernel, bias)
    log_rate = jnp.log(jax.random.uniform(k_rate, (heads,), o.dtype, *RATE_RANGE))
    return GatedDeltaNetParams(kernel, log_rate, bias.at[-heads:].add(_decay_biases(k_decay, heads, o)))

  def initial_state(params: Any, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    size = (params.bias.shape[0] - gates) // 3 // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def parts(params: Any, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
    """Returns q_t, and α_t (I - β_t k_t k_tᵀ) with the written β_t k_t v_tᵀ."""
    a = x @ params.input_kernel + params.bias
    q, k, v = (split_heads(part, heads) for part in jnp.split(a[..., :-gates], 3, axis=-1))
    k = unit(k)
    written = reach * sigmoid(a[..., -gates:][..., :heads])[..., None] * k  # β k
    alpha = jnp.exp(_log_alpha(params, a[..., -heads:]))[..., None] if gated else jnp.ones((), a.dtype)
    matrix = DiagonalPlusLowRank(jnp.broadcast_to(alpha, k.shape), -(alpha * written)[..., None], k[..., None])
    return unit(q), Transition(matrix, outer(written, v))

  transition, step = from_parts(parts, read)

  def probe(params: Any, state: Array, x: Array) -> dict[str, Activity]:
    a = (x @ params.input_kernel + params.bias)[..., -gates:]
    write = {"write": scaled_sigmoid(a[..., :heads], reach)}
    return {**write, "forget": _forgetting(params, a[..., heads:])} if gated else write

  kind = GatedDeltaNetParams if gated else DeltaNetParams
  return holding(
    kind, Cell(init, initial_state, step, probe, gated=True, transition=transition, options=options_of_cell)
  )
