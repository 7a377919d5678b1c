"""The gated recurrent unit.

    r_t = σ(x_t W_r + h_{t-1} U_r + b_r)
    z_t = σ(x_t W_z + h_{t-1} U_z + b_z)
    n_t = tanh(x_t W_n + b_n + r_t ⊗ (h_{t-1} U_n + b_hn))     reset after the product
    n_t = tanh(x_t W_n + b_n + (r_t ⊗ h_{t-1}) U_n)            reset before it
    h_t = (1 - z_t) ⊗ n_t + z_t ⊗ h_{t-1}

References: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP (2014), for the reset before the
product. The reset after the product is the form of cuDNN, torch and Flax.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import Activation, Activity, get_activation
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state


class GRUParams(NamedTuple):
  """Parameters of the GRU that resets after the product."""

  input_kernel: Float[Array, "I kH"]  # columns of r, z, n, in this order
  recurrent_kernel: Float[Array, "H kH"]  # columns of r, z, n
  bias: Float[Array, "kH"]  # entries of r, z, n
  recurrent_bias: Float[Array, "H"]  # b_hn, inside the reset product


class ResetBeforeGRUParams(NamedTuple):
  """Parameters of the GRU that resets before the product."""

  input_kernel: Float[Array, "I kH"]  # columns of r, z, n, in this order
  recurrent_kernel: Float[Array, "H kH"]  # columns of r, z, n
  bias: Float[Array, "kH"]  # entries of r, z, n


def initial_state(
  params: GRUParams | ResetBeforeGRUParams, batch_shape: tuple[int, ...] = ()
) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.recurrent_kernel.shape[0]), params.bias.dtype)


@variants
def gru(reset: str = "after", activation: str | Activation = "tanh", gate: str | Activation = "sigmoid") -> Cell:
  """Returns a GRU. Its state is h `[*batch, H]`, which is also its output.

  Args:
    reset: `after` or `before`, whether the reset gate acts after or before the recurrent product.
    activation: the nonlinearity of the candidate n_t, a name in `ACTIVATIONS` or an activation of the module `parametric`.
    gate: the nonlinearity of r and z.

  Raises:
    ValueError: for another value of an argument.
  """
  check_choice("reset", reset, ("after", "before"))
  f, of_gates = get_activation(activation), get_activation(gate)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> GRUParams | ResetBeforeGRUParams:
    """Draws parameters. The options are those of `InitOptions`. `forget_bias` is added to z, so larger remembers longer."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options)
    k_input, k_recurrent, k_bias, k_inner = jax.random.split(key, 4)
    outer = ResetBeforeGRUParams(
      input_kernel=initializers.input_kernel(k_input, input_size, 3 * hidden_size, o),
      recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 3, o),
      bias=initializers.add_to_gate(initializers.bias(k_bias, 3 * hidden_size, o), 1, 3, o.forget_bias),
    )
    return outer if reset == "before" else GRUParams(*outer, initializers.bias(k_inner, hidden_size, o))

  def affine(params: Any, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> tuple[Array, Array]:
    """Returns the parts from the input, r, z, n, and those from the state: r, z and, with the reset after, n."""
    kernel = params.recurrent_kernel
    if reset == "before":
      return x @ params.input_kernel + params.bias, state @ kernel[:, : 2 * state.shape[-1]]
    inner = jnp.concatenate([jnp.zeros(2 * state.shape[-1], kernel.dtype), params.recurrent_bias])
    return x @ params.input_kernel + params.bias, state @ kernel + inner

  def preactivations(params: Any, state: Array, a: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    (x_r, x_z, x_n), (u_r, u_z, *u_n) = (jnp.split(part, part.shape[-1] // state.shape[-1], axis=-1) for part in a)
    a_r = x_r + u_r
    if reset == "after":
      return a_r, x_z + u_z, x_n + of_gates.function(a_r) * u_n[0]
    return a_r, x_z + u_z, x_n + (of_gates.function(a_r) * state) @ params.recurrent_kernel[:, 2 * state.shape[-1] :]

  def pointwise(
    params: Any, state: Float[Array, "*batch H"], a: tuple[Array, Array]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    _, a_z, a_n = preactivations(params, state, a)
    z = of_gates.function(a_z)
    new = (1 - z) * f.function(a_n) + z * state
    return new, new

  def probe(params: Any, state: Array, x: Array) -> dict[str, Activity]:
    a_r, a_z, a_n = preactivations(params, state, affine(params, state, x))
    return {"reset": of_gates.activity(a_r), "update": of_gates.activity(a_z), "candidate": f.activity(a_n)}

  halves = Halves(affine, pointwise)
  kind = GRUParams if reset == "after" else ResetBeforeGRUParams
  apart = halves if reset == "after" else None
  return holding(kind, Cell(init, initial_state, join(halves), probe, apart, whole_state, gated=True))
