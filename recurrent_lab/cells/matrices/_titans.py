"""Titans with a linear memory: a matrix that learns by gradient descent with momentum while the sequence runs.

For each head, with q_t, k_t of length 1 and v_t from affine maps of x_t, and with three numbers in [0, 1], α_t, η_t and θ_t, the
logistic function of affine maps of x_t:

    ∇_t = 2 k_t (k_tᵀ M_{t-1} - v_tᵀ)                  gradient of ‖M_{t-1}ᵀ k_t - v_t‖², the surprise
    S_t = η_t S_{t-1} - θ_t ∇_t                        momentum η, learning rate θ
    M_t = (1 - α_t) M_{t-1} + S_t                      forgetting α
    o_t = M_tᵀ q_t

It is linear in M and S together. For the state with the rows of M above those of S,

    A_t = [(1 - α_t) I - 2 θ_t k_t k_tᵀ    η_t I]
          [           - 2 θ_t k_t k_tᵀ     η_t I]

The output is o_t of all heads side by side. The convolutions, the SiLU, the output norm and the output gate of the paper's layer
are left out.

Reference: Behrouz, Zhong & Mirrokni, "Titans: learning to memorize at test time" (2025), eqs. 11-14, for a memory of one linear
layer. The paper's M is the transpose of this one.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._heads import check_heads, head_size, outer, read, split_heads, unit
from recurrent_lab.cells._linear import from_parts
from recurrent_lab.transitions import Dense, Transition

OPTIONS = ("input_gain", "bias_scale", "dtype")


class TitansParams(NamedTuple):
  """Parameters of Titans with a linear memory."""

  input_kernel: Float[Array, "I 3H+3heads"]  # columns of q, k, v, α, η, θ, in this order
  bias: Float[Array, "3H+3heads"]  # entries of q, k, v, α, η, θ


def descent(k: Array, v: Array, alpha: Array, eta: Array, theta: Array) -> Transition:
  """Returns A_t and what is written, 2 θ_t k_t v_tᵀ to both M and S.

  Args:
    k: the keys of length 1, `[*batch, heads, K]`.
    v: the values, `[*batch, heads, V]`.
    alpha: α_t, `[*batch, heads, 1]`.
    eta: η_t, `[*batch, heads, 1]`.
    theta: θ_t, `[*batch, heads, 1]`.
  """
  twice = jnp.concatenate([2 * theta * k] * 2, axis=-1)
  keys = jnp.concatenate([k, jnp.zeros_like(k)], axis=-1)  # the gradient reads M
  eye = jnp.eye(k.shape[-1], dtype=k.dtype)
  kept = jnp.concatenate([(1 - alpha)[..., None] * eye, jnp.zeros((*k.shape, k.shape[-1]), k.dtype)], axis=-2)
  moved = jnp.broadcast_to(eta[..., None] * jnp.concatenate([eye, eye]), kept.shape)
  return Transition(Dense(jnp.concatenate([kept, moved], axis=-1) - outer(twice, keys)), outer(twice, v))


@variants
def titans(heads: int = 1) -> Cell:
  """Returns Titans with a linear memory. Its state is M above S `[*batch, heads, 2K, V]` with K = V = H / heads.

  Args:
    heads: the number of heads, which divides H.

  Raises:
    ValueError: for fewer than one head.
  """
  check_heads(heads)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> TitansParams:
    """Draws Gaussian parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    head_size(hidden_size, heads)
    k_input, k_bias = jax.random.split(key)
    width = 3 * hidden_size + 3 * heads
    return TitansParams(
      input_kernel=initializers.input_kernel(k_input, input_size, width, o),
      bias=initializers.bias(k_bias, width, o),
    )

  def initial_state(params: TitansParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads rows V"]:
    """Returns M_0 = S_0 = 0."""
    size = (params.bias.shape[0] - 3 * heads) // 3 // heads
    return jnp.zeros((*batch_shape, heads, 2 * size, size), params.bias.dtype)

  def parts(params: TitansParams, x: Float[Array, "*batch I"]) -> tuple[Array, Transition]:
    """Returns q_t, and A_t with the written 2 θ_t k_t v_tᵀ, which both M and S take in."""
    a = x @ params.input_kernel + params.bias
    q, k, v = (split_heads(part, heads) for part in jnp.split(a[..., : -3 * heads], 3, axis=-1))
    alpha, eta, theta = (gate[..., None] for gate in jnp.split(sigmoid(a[..., -3 * heads :]), 3, axis=-1))
    return unit(q), descent(unit(k), v, alpha, eta, theta)

  transition, step = from_parts(parts, lambda state, q: read(state[..., : q.shape[-1], :], q))

  def probe(params: TitansParams, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activities of α, η and θ."""
    del state  # the gates see only the input
    a = (x @ params.input_kernel + params.bias)[..., -3 * heads :]
    names = ("forget", "momentum", "learning_rate")
    return {
      name: ACTIVATIONS["sigmoid"].activity(part) for name, part in zip(names, jnp.split(a, 3, axis=-1), strict=True)
    }

  return holding(
    TitansParams, Cell(init, initial_state, step, probe, gated=True, transition=transition, options=OPTIONS)
  )
