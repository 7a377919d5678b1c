"""Closed forms for gated cells."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float


def cell_path_exponent(forget_bias: ArrayLike) -> Float[Array, "..."]:
  """ln σ(b_f), nats per step: the growth rate of ∂c_T/∂c_0 in an LSTM whose kernels are 0.

  There f_t = σ(b_f) at every step and c_t = f_t ⊗ c_{t-1} + const, so ∂c_T/∂c_0 = σ(b_f)^T I. The memory length is
  -1 / ln σ(b_f) steps (Gers, Schmidhuber & Cummins, 2000; Tallec & Ollivier, "Can recurrent neural networks warp time?", 2018).
  """
  return jax.nn.log_sigmoid(jnp.asarray(forget_bias, dtype=float))
