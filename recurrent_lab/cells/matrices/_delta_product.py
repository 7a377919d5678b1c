"""DeltaProduct: several steps of the delta rule per token, so that the transition is a product of Householder factors.

For each head, with q_t, k_t,j of length 1 and v_t,j from affine maps of x_t, and β_t,j = 2 σ(x_t w_j + b_j):

    S_t,j = (I - β_t,j k_t,j k_t,jᵀ) S_t,j-1 + β_t,j k_t,j v_t,jᵀ          j = 1 … n_h,   S_t,0 = S_{t-1},   S_t = S_t,n_h
    o_t = S_tᵀ q_t

so that ∂S_t/∂S_{t-1} = (I - β k kᵀ of step n_h) … (I - β k kᵀ of step 1) ⊗ I_V. The output is o_t of all heads side by side. The
short convolutions, the SiLU before the norm, the output norm and the output gate of the paper's layer are left out. The paper's S
is the transpose of this one.

Reference: Siems et al., "DeltaProduct: improving state-tracking in linear RNNs via Householder products" (2025), section 3.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import Activity, sigmoid
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._heads import check_heads, head_size, outer, read, split_heads, unit
from recurrent_lab.cells.matrices._delta_net import OPTIONS, scaled_sigmoid
from recurrent_lab.transitions import Dense, Transition


class DeltaProductParams(NamedTuple):
  """Parameters of DeltaProduct with n_h steps per token."""

  input_kernel: Float[Array, "I width"]  # columns of q, k_1 … k_n, v_1 … v_n, β_1 … β_n, in this order
  bias: Float[Array, "width"]  # entries of the same


def erase(state: Float[Array, "*batch K V"], k: Float[Array, "*batch K"], beta_k: Float[Array, "*batch K"]) -> Array:
  """Returns (I - β k kᵀ) S."""
  return state - outer(beta_k, jnp.einsum("...k,...kv->...v", k, state))


def check_steps(steps: int) -> None:
  """Raises a `ValueError` unless there is at least one step per token."""
  if steps < 1:
    raise ValueError(f"steps is {steps!r}; it must be a positive integer.")


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
  check_steps(steps)
  reach = 2.0 if negative_eigenvalues else 1.0

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> DeltaProductParams:
    """Draws Gaussian parameters. The options are those in `OPTIONS`. Raises `ValueError` if heads do not divide H."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    width = (1 + 2 * steps) * head_size(hidden_size, heads) * heads + steps * heads
    k_input, k_bias = jax.random.split(key)
    kernel = initializers.input_kernel(k_input, input_size, width, o)
    return DeltaProductParams(kernel, initializers.bias(k_bias, width, o))

  def initial_state(params: DeltaProductParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch heads K V"]:
    """Returns S_0 = 0."""
    size = (params.bias.shape[0] - steps * heads) // (1 + 2 * steps) // heads
    return jnp.zeros((*batch_shape, heads, size, size), params.bias.dtype)

  def parts(params: DeltaProductParams, x: Array) -> tuple[Array, list[Array], list[Array], list[Array]]:
    """Returns q, and the k, the v and the β k of all steps."""
    a = x @ params.input_kernel + params.bias
    q, *rest = (split_heads(part, heads) for part in jnp.split(a[..., : -steps * heads], 1 + 2 * steps, axis=-1))
    keys = [unit(k) for k in rest[:steps]]
    betas = jnp.split(reach * sigmoid(a[..., -steps * heads :]), steps, axis=-1)
    return unit(q), keys, rest[steps:], [beta[..., None] * k for beta, k in zip(betas, keys, strict=True)]

  def transition(params: DeltaProductParams, x: Float[Array, "*batch I"]) -> Transition:
    """Returns the product of the factors I - β k kᵀ of all steps, and what the steps leave written."""
    _, keys, values, betas = parts(params, x)
    offset = jnp.zeros_like(outer(keys[0], values[0]))
    matrix = offset + jnp.eye(offset.shape[-1], dtype=offset.dtype)
    for k, v, beta_k in zip(keys, values, betas, strict=True):
      matrix, offset = erase(matrix, k, beta_k), erase(offset, k, beta_k) + outer(beta_k, v)
    return Transition(Dense(matrix), offset)

  def step(
    params: DeltaProductParams, state: Float[Array, "*batch heads K V"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch heads K V"], Float[Array, "*batch H"]]:
    """Returns S_t and o_t. One factor after the other needs no product of matrices."""
    q, keys, values, betas = parts(params, x)
    for k, v, beta_k in zip(keys, values, betas, strict=True):
      state = erase(state, k, beta_k) + outer(beta_k, v)
    return state, read(state, q)

  def probe(params: DeltaProductParams, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activity of the β of all steps, which see only the input."""
    return {"write": scaled_sigmoid((x @ params.input_kernel + params.bias)[..., -steps * heads :], reach)}

  cell = Cell(init, initial_state, step, probe, gated=True, transition=transition, options=OPTIONS)
  return holding(DeltaProductParams, cell)
