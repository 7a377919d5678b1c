"""The simple recurrent unit: a leaky integrator of the input whose gates also see their own unit's state.

    f_t = σ(x_t W_f + v_f ⊗ c_{t-1} + b_f)
    r_t = σ(x_t W_r + v_r ⊗ c_{t-1} + b_r)
    c_t = f_t ⊗ c_{t-1} + (1 - f_t) ⊗ (x_t W)
    h_t = r_t ⊗ c_t + (1 - r_t) ⊗ (x_t W_h)

In the paper the highway x_t W_h is α x_t, or α x_t W_h where sizes differ. The lab has α in the initial W_h.

Reference: Lei, Zhang, Wang, Dai & Artzi, "Simple recurrent units for highly parallelizable recurrence", EMNLP (2018), eqs. 1-4,
and section 3.2 for the initialisation and α.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell, holding

OPTIONS = ("recurrent_gain", "recurrent_init", "input_gain", "bias_scale", "forget_bias", "dtype")


class SRUParams(NamedTuple):
  """Parameters of the simple recurrent unit."""

  input_kernel: Float[Array, "I 4H"]  # columns of the candidate, f, r, the highway, in this order
  recurrent_kernel: Float[Array, "2H"]  # v_f, v_r
  bias: Float[Array, "2H"]  # entries of f, r


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> SRUParams:
  """Draws parameters. The options are those in `OPTIONS`. `forget_bias` is added to f, so larger remembers longer.

  As in the paper, the columns of the gates and the vectors v are smaller by √2, and those of the highway are larger by
  α = √(1 + 2 e^b) = √3 at b_r = 0.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_forget, k_reset, k_bias = jax.random.split(key, 4)
  scales = jnp.repeat(jnp.sqrt(jnp.asarray([1.0, 0.5, 0.5, 3.0], o.dtype)), hidden_size)
  v = [initializers.diagonal_kernel(k, hidden_size, o) for k in (k_forget, k_reset)]
  return SRUParams(
    input_kernel=scales * initializers.input_kernel(k_input, input_size, 4 * hidden_size, o),
    recurrent_kernel=jnp.sqrt(jnp.asarray(0.5, o.dtype)) * jnp.concatenate(v),
    bias=initializers.add_to_gate(initializers.bias(k_bias, 2 * hidden_size, o), 0, 2, o.forget_bias),
  )


def initial_state(params: SRUParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns c_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.bias.shape[0] // 2), params.bias.dtype)


def preactivations(params: SRUParams, state: Array, x: Array) -> tuple[Array, Array, Array, Array]:
  """Returns the candidate, the pre-activations of f and r, and the highway."""
  candidate, x_f, x_r, highway = jnp.split(x @ params.input_kernel, 4, axis=-1)
  v_f, v_r = jnp.split(params.recurrent_kernel, 2)
  b_f, b_r = jnp.split(params.bias, 2)
  return candidate, x_f + v_f * state + b_f, x_r + v_r * state + b_r, highway


def step(
  params: SRUParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
  """Returns c_t as the state and h_t as the output."""
  candidate, a_f, a_r, highway = preactivations(params, state, x)
  new = sigmoid(a_f) * state + sigmoid(-a_f) * candidate
  return new, sigmoid(a_r) * new + sigmoid(-a_r) * highway


def probe(params: SRUParams, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of both gates."""
  _, a_f, a_r, _ = preactivations(params, state, x)
  gate = ACTIVATIONS["sigmoid"]
  return {"forget": gate.activity(a_f), "output": gate.activity(a_r)}


def recommend(key: Key[Array, ""], hidden_size: int, longest: float | int) -> dict[str, Any]:
  """Recommends the forget biases of `chrono`, and Gaussian v as in the paper."""
  return {"forget_bias": initializers.chrono(key, hidden_size, longest)["forget_bias"]}


#: The simple recurrent unit. Its state is c `[*batch, H]`; its output is h `[*batch, H]`.
sru: Cell = holding(
  SRUParams,
  Cell(init, initial_state, step, probe, gated=True, recommend=recommend, elementwise=True, options=OPTIONS),
)
