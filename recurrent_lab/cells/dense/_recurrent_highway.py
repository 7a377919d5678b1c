"""The recurrent highway network: several gated layers within one step.

    s^0 = h_{t-1}
    n^l = tanh(x_t W_n [l = 1] + s^{l-1} U_n^l + b_n^l)
    z^l = σ(x_t W_z [l = 1] + s^{l-1} U_z^l + b_z^l)
    s^l = z^l ⊗ n^l + (1 - z^l) ⊗ s^{l-1},        h_t = s^L

with coupled gates, as in the paper's experiments.

Reference: Zilly, Srivastava, Koutník & Schmidhuber, "Recurrent highway networks", ICML (2017), eq. 6-9.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding, variants, whole_state
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import ONE_GATE


class RecurrentHighwayParams(NamedTuple):
  """Parameters of a recurrent highway network with L layers."""

  input_kernel: Float[Array, "I 2H"]  # columns of n, z, in this order
  recurrent_kernel: Float[Array, "H 2LH"]  # columns of n, z of every layer, layer by layer
  bias: Float[Array, "2LH"]  # entries of n, z of every layer


@variants
def recurrent_highway(depth: int = 3) -> Cell:
  """Returns a recurrent highway network. Its state is h `[*batch, H]`, which is also its output.

  Args:
    depth: the number L of layers within a step.

  Raises:
    ValueError: if the depth is below 1.
  """
  if depth < 1:
    raise ValueError(f"depth is {depth}; it must be at least 1 layer.")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> RecurrentHighwayParams:
    """Draws parameters. The options are those in `ONE_GATE`. Every z writes, so `forget_bias` is subtracted from its bias."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, ONE_GATE)
    k_input, k_recurrent, k_bias = jax.random.split(key, 3)
    bias = initializers.bias(k_bias, 2 * depth * hidden_size, o)
    for layer in range(depth):
      bias = initializers.add_to_gate(bias, 2 * layer + 1, 2 * depth, -jnp.asarray(o.forget_bias))
    return RecurrentHighwayParams(
      input_kernel=initializers.input_kernel(k_input, input_size, 2 * hidden_size, o),
      recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 2 * depth, o),
      bias=bias,
    )

  def layers(
    params: RecurrentHighwayParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Array, list[tuple[Array, Array]]]:
    """Returns h_t and the pre-activations (n, z) of every layer."""
    seen, kernels, biases = [], jnp.split(params.recurrent_kernel, depth, axis=-1), jnp.split(params.bias, depth)
    for layer, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
      a = state @ kernel + bias
      a_n, a_z = jnp.split(a + x @ params.input_kernel if layer == 0 else a, 2, axis=-1)
      z = sigmoid(a_z)
      state = z * tanh(a_n) + (1 - z) * state
      seen.append((a_n, a_z))
    return state, seen

  def step(
    params: RecurrentHighwayParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    new, _ = layers(params, state, x)
    return new, new

  def probe(params: RecurrentHighwayParams, state: Array, x: Array) -> dict[str, Activity]:
    found: dict[str, Activity] = {}
    for layer, (a_n, a_z) in enumerate(layers(params, state, x)[1], start=1):
      found[f"write {layer}"] = ACTIVATIONS["sigmoid"].activity(a_z)
      found[f"candidate {layer}"] = ACTIVATIONS["tanh"].activity(a_n)
    return found

  return holding(
    RecurrentHighwayParams, Cell(init, _gates.zeros, step, probe, output=whole_state, gated=True, options=ONE_GATE)
  )
