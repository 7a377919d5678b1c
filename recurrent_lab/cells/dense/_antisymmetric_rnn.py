"""Antisymmetric networks: Euler steps of a differential equation whose Jacobian has eigenvalues near the imaginary axis.

    A = W - Wᵀ - γ I
    h_t = h_{t-1} + ε tanh(x_t U + h_{t-1} A + b)
    h_t = h_{t-1} + ε σ(x_t U_z + h_{t-1} A + b_z) ⊗ tanh(x_t U_h + h_{t-1} A + b_h)      gated

so that (∂h_t/∂h_{t-1})ᵀ = I + ε A diag(tanh') without the gate. W - Wᵀ has imaginary eigenvalues, which an Euler step moves out
of the unit circle by a term of order ε². The diffusion γ moves them back.

Reference: Chang, Chen, Haber & Chi, "AntisymmetricRNN: a dynamical system view on recurrent neural networks", ICLR (2019).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state
from recurrent_lab.cells import _gates

OPTIONS = ("recurrent_gain", "recurrent_init", "input_gain", "bias_scale", "dtype")


class AntisymmetricRNNParams(NamedTuple):
  """Parameters of the antisymmetric RNN."""

  input_kernel: Float[Array, "I H"]  # U
  recurrent_kernel: Float[Array, "H H"]  # W, of which only W - Wᵀ has an effect
  bias: Float[Array, "H"]  # b


class GatedAntisymmetricRNNParams(NamedTuple):
  """Parameters of the gated antisymmetric RNN, whose gate and candidate share the recurrent kernel."""

  input_kernel: Float[Array, "I 2H"]  # columns of z, h, in this order
  recurrent_kernel: Float[Array, "H H"]  # W, of which only W - Wᵀ has an effect
  bias: Float[Array, "2H"]  # entries of z, h


@variants
def antisymmetric_rnn(gated: bool = False, rate: float = 0.1, diffusion: float = 0.01) -> Cell:
  """Returns an antisymmetric RNN. Its state is h `[*batch, H]`, which is also its output.

  Args:
    gated: whether a gate scales what each unit adds.
    rate: the Euler step ε, above 0.
    diffusion: γ, 0 or more.

  Raises:
    ValueError: for a rate or a diffusion out of range.
  """
  if not rate > 0:
    raise ValueError(f"rate is {rate}; it must be above 0.")
  if not diffusion >= 0:
    raise ValueError(f"diffusion is {diffusion}; it must be 0 or more.")
  kind, blocks = (GatedAntisymmetricRNNParams, 2) if gated else (AntisymmetricRNNParams, 1)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> Any:
    """Draws parameters. The options are those in `OPTIONS`. An identity as recurrent kernel has no antisymmetric part."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    k_input, k_recurrent, k_bias = jax.random.split(key, 3)
    return kind(
      input_kernel=initializers.input_kernel(k_input, input_size, blocks * hidden_size, o),
      recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
      bias=initializers.bias(k_bias, blocks * hidden_size, o),
    )

  def affine(params: Any, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> tuple[Array, Array]:
    """Returns the part from the input, z and h, and the part from W - Wᵀ, which they share."""
    return x @ params.input_kernel + params.bias, state @ (params.recurrent_kernel - params.recurrent_kernel.T)

  def preactivations(state: Array, a: tuple[Array, Array]) -> list[Array]:
    recurrent = a[1] - diffusion * state
    return [part + recurrent for part in jnp.split(a[0], blocks, axis=-1)]

  def pointwise(
    params: Any, state: Float[Array, "*batch H"], a: tuple[Array, Array]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    *gate, candidate = preactivations(state, a)
    change = rate * tanh(candidate)
    new = state + (sigmoid(gate[0]) * change if gated else change)
    return new, new

  def probe(params: Any, state: Array, x: Array) -> dict[str, Activity]:
    *gate, candidate = preactivations(state, affine(params, state, x))
    seen = {"candidate": ACTIVATIONS["tanh"].activity(candidate)}
    return {"write": ACTIVATIONS["sigmoid"].activity(gate[0]), **seen} if gated else seen

  halves = Halves(affine, pointwise)
  return holding(kind, Cell(init, _gates.zeros, join(halves), probe, halves, whole_state, gated=gated, options=OPTIONS))
