"""Closed-form continuous-time networks: a gate in time between two candidates, in place of the solver of a liquid network.

    h_t = σ(-f) ⊗ tanh(g) + (1 - σ(-f)) ⊗ tanh(k)

with f, g, k affine maps of x_t and h_{t-1}, or of a layer that they share:

    z = 1.7159 tanh(0.666 (x_t W + h_{t-1} U + b))

The paper has σ(-f · t), where t is the time since the last input. Here t is one step.

Reference: Hasani et al., "Closed-form continuous-time neural networks", Nature Machine Intelligence 4 (2022), the closed-form
network with a gate in time, where k is called h. The shared layer is the paper's backbone, with the activation of the authors'
package `ncps`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, log_sech2, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state

OPTIONS = ("recurrent_gain", "recurrent_init", "input_gain", "bias_scale", "timescale", "dtype")

HEIGHT, STEEPNESS = 1.7159, 0.666  # LeCun's tanh


class CfCParams(NamedTuple):
  """Parameters of the closed-form continuous-time network."""

  input_kernel: Float[Array, "I 3H"]  # columns of f, g, k, in this order
  recurrent_kernel: Float[Array, "H 3H"]  # columns of f, g, k
  bias: Float[Array, "3H"]  # entries of f, g, k


class CfCBackboneParams(NamedTuple):
  """Parameters of the closed-form continuous-time network with a shared layer of H units."""

  input_kernel: Float[Array, "I H"]  # W
  recurrent_kernel: Float[Array, "H H"]  # U
  head_kernel: Float[Array, "H 3H"]  # from z to f, g, k, in this order
  head_bias: Float[Array, "3H"]  # entries of f, g, k
  bias: Float[Array, "H"]  # b


def initial_state(params: CfCParams | CfCBackboneParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.recurrent_kernel.shape[0]), params.bias.dtype)


def affine(
  params: CfCParams | CfCBackboneParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> Float[Array, "*batch width"]:
  """Returns the pre-activations of f, g, k, or those of the shared layer."""
  return x @ params.input_kernel + state @ params.recurrent_kernel + params.bias


def mixed(a: Float[Array, "*batch width"]) -> Float[Array, "*batch H"]:
  """Returns h_t for the pre-activations of f, g, k."""
  f, g, k = jnp.split(a, 3, axis=-1)
  late = sigmoid(f)  # 1 - σ(-f)
  return (1 - late) * tanh(g) + late * tanh(k)


def activities(a: Float[Array, "*batch width"]) -> dict[str, Activity]:
  """Returns the activities of the gate and of the candidates."""
  f, g, k = jnp.split(a, 3, axis=-1)
  gate, candidate = ACTIVATIONS["sigmoid"], ACTIVATIONS["tanh"]
  return {"gate": gate.activity(f), "early": candidate.activity(g), "late": candidate.activity(k)}


@variants
def cfc(backbone: bool = False) -> Cell:
  """Returns a closed-form continuous-time network. Its state is h `[*batch, H]`, which is also its output.

  Args:
    backbone: whether f, g, k see x and h through a shared layer of H units.

  Raises:
    ValueError: from `init`, for an option that is not in `OPTIONS`.
  """

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> CfCParams | CfCBackboneParams:
    """Draws Gaussian parameters. The options are those in `OPTIONS`. `timescale` divides f, as with t = 1 / timescale."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    k_input, k_recurrent, k_bias, k_head, k_head_bias = jax.random.split(key, 5)
    blocks = 1 if backbone else 3
    elapsed = jnp.ones((3, hidden_size), o.dtype).at[0].divide(jnp.asarray(o.timescale, o.dtype)).reshape(-1)
    below = CfCParams(
      input_kernel=initializers.input_kernel(k_input, input_size, blocks * hidden_size, o),
      recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, blocks, o),
      bias=initializers.bias(k_bias, blocks * hidden_size, o),
    )
    if not backbone:
      return CfCParams(*(elapsed * leaf for leaf in below))
    return CfCBackboneParams(
      **below._asdict(),
      head_kernel=elapsed * initializers.recurrent_kernel(k_head, hidden_size, 3, o._replace(recurrent_gain=1.0)),
      head_bias=elapsed * initializers.bias(k_head_bias, 3 * hidden_size, o),
    )

  def heads(params: CfCBackboneParams, a: Array) -> Array:
    return HEIGHT * tanh(STEEPNESS * a) @ params.head_kernel + params.head_bias

  def pointwise(
    params: CfCParams, state: Float[Array, "*batch H"], a: Float[Array, "*batch width"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    new = mixed(a)
    return new, new

  def step_through_backbone(
    params: CfCBackboneParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    new = mixed(heads(params, affine(params, state, x)))
    return new, new

  def probe(params: CfCParams, state: Array, x: Array) -> dict[str, Activity]:
    return activities(affine(params, state, x))

  def probe_through_backbone(params: CfCBackboneParams, state: Array, x: Array) -> dict[str, Activity]:
    a = affine(params, state, x)
    log_slope = np.log(HEIGHT * STEEPNESS).astype(a.dtype) + log_sech2(STEEPNESS * a)
    return {"backbone": Activity(HEIGHT * tanh(STEEPNESS * a), log_slope), **activities(heads(params, a))}

  if backbone:
    step, probes = step_through_backbone, probe_through_backbone
    cell = Cell(init, initial_state, step, probes, output=whole_state, gated=True, options=OPTIONS)
    return holding(CfCBackboneParams, cell)
  halves = Halves(affine, pointwise)
  cell = Cell(init, initial_state, join(halves), probe, halves, whole_state, gated=True, options=OPTIONS)
  return holding(CfCParams, cell)
