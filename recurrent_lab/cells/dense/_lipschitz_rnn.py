"""The Lipschitz network: Euler steps of a differential equation with a linear part beside the nonlinear one.

    M(K) = (1 - β) (K + Kᵀ) + β (K - Kᵀ) - γ I
    h_t = h_{t-1} + ε (h_{t-1} A + tanh(h_{t-1} W + x_t U + b))          A = M(K_A), W = M(K_W)

so that (∂h_t/∂h_{t-1})ᵀ = I + ε (A + W diag(tanh')). At β = 1 both kernels are antisymmetric apart from -γ I. At β = 1/2 they are
K - γ I with a free K. A and W may have their own β and γ.

Reference: Erichson, Azencot, Queiruga, Hodgkinson & Mahoney, "Lipschitz recurrent neural networks", ICLR (2021).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state

OPTIONS = ("recurrent_gain", "recurrent_init", "input_gain", "bias_scale", "dtype")


class LipschitzRNNParams(NamedTuple):
  """Parameters of the Lipschitz RNN."""

  input_kernel: Float[Array, "I H"]  # U
  recurrent_kernel: Float[Array, "H H"]  # K_W
  linear_kernel: Float[Array, "H H"]  # K_A
  bias: Float[Array, "H"]  # b


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LipschitzRNNParams:
  """Draws parameters. The options are those in `OPTIONS`. The recurrent gain acts on K_A and K_W."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  recurrent, linear = jnp.split(initializers.recurrent_kernel(k_recurrent, hidden_size, 2, o), 2, axis=-1)
  return LipschitzRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=recurrent,
    linear_kernel=linear,
    bias=initializers.bias(k_bias, hidden_size, o),
  )


def initial_state(params: LipschitzRNNParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)


@variants
def lipschitz_rnn(
  rate: float = 0.1,
  linear_beta: float = 0.75,
  recurrent_beta: float = 0.75,
  linear_gamma: float = 0.001,
  recurrent_gamma: float = 0.001,
) -> Cell:
  """Returns a Lipschitz RNN. Its state is h `[*batch, H]`, which is also its output.

  Args:
    rate: the Euler step ε, above 0.
    linear_beta: β of A in [1/2, 1].
    recurrent_beta: β of W in [1/2, 1].
    linear_gamma: γ of A, 0 or more.
    recurrent_gamma: γ of W, 0 or more.

  Raises:
    ValueError: for a number out of range.
  """
  if not rate > 0:
    raise ValueError(f"rate is {rate}; it must be above 0.")
  for name, value in (("linear_beta", linear_beta), ("recurrent_beta", recurrent_beta)):
    if not 0.5 <= value <= 1:
      raise ValueError(f"{name} is {value}; it must lie in [1/2, 1].")
  for name, value in (("linear_gamma", linear_gamma), ("recurrent_gamma", recurrent_gamma)):
    if not value >= 0:
      raise ValueError(f"{name} is {value}; it must be 0 or more.")

  def affine(params: LipschitzRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> Array:
    """Returns h A and the pre-activations, side by side, `[*batch, 2H]`. Both lack the terms of γ."""
    mix = lambda kernel, beta: kernel + (1 - 2 * beta) * kernel.T
    linear = state @ mix(params.linear_kernel, linear_beta)
    recurrent = state @ mix(params.recurrent_kernel, recurrent_beta)
    return jnp.concatenate([linear, recurrent + x @ params.input_kernel + params.bias], axis=-1)

  def preactivations(state: Array, a: Array) -> Array:
    return a[..., state.shape[-1] :] - recurrent_gamma * state

  def pointwise(
    params: LipschitzRNNParams, state: Float[Array, "*batch H"], a: Array
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    linear = a[..., : state.shape[-1]] - linear_gamma * state
    new = state + rate * (linear + tanh(preactivations(state, a)))
    return new, new

  def probe(params: LipschitzRNNParams, state: Array, x: Array) -> dict[str, Activity]:
    return {"drive": ACTIVATIONS["tanh"].activity(preactivations(state, affine(params, state, x)))}

  halves = Halves(affine, pointwise)
  cell = Cell(init, initial_state, join(halves), probe, halves, whole_state, options=OPTIONS)
  return holding(LipschitzRNNParams, cell)
