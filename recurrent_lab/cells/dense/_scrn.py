"""The structurally constrained recurrent network: slow context units beside the hidden units of an RNN.

    s_t = (1 - α) x_t B + α s_{t-1}
    h_t = σ(x_t A + s_t P + r_{t-1} R + b_h)          r = h in the paper, r = y with feedback="output"
    y_t = tanh(h_t U + s_t V + b_y)

The context has as many units as the hidden layer. The paper's output is a softmax over words.

Reference: Mikolov, Joulin, Chopra, Mathieu & Ranzato, "Learning longer memory in recurrent neural networks" (2015), eq. 3-5.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._gates import WITHOUT_GATES


class SCRNParams(NamedTuple):
  """Parameters of the structurally constrained network."""

  input_kernel: Float[Array, "I 2H"]  # columns of s (B), h (A), in this order
  recurrent_kernel: Float[Array, "H H"]  # R
  context_kernel: Float[Array, "H 2H"]  # columns of h (P), y (V)
  output_kernel: Float[Array, "H H"]  # U
  bias: Float[Array, "2H"]  # entries of h, y


class SCRNState(NamedTuple):
  """The state of the structurally constrained network."""

  context: Float[Array, "*batch H"]  # s
  fed_back: Float[Array, "*batch H"]  # r


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> SCRNParams:
  """Draws parameters. The options are those in `WITHOUT_GATES`; only R has the recurrent gain."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, WITHOUT_GATES)
  k_input, k_recurrent, k_context, k_output, k_bias = jax.random.split(key, 5)
  return SCRNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, 2 * hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
    context_kernel=initializers.input_kernel(k_context, hidden_size, 2 * hidden_size, o),
    output_kernel=initializers.input_kernel(k_output, hidden_size, hidden_size, o),
    bias=initializers.bias(k_bias, 2 * hidden_size, o),
  )


def initial_state(params: SCRNParams, batch_shape: tuple[int, ...] = ()) -> SCRNState:
  """Returns s_0 = r_0 = 0, each `[*batch, H]`."""
  zeros = jnp.zeros((*batch_shape, params.recurrent_kernel.shape[0]), params.bias.dtype)
  return SCRNState(zeros, zeros)


@variants
def scrn(feedback: str = "hidden", decay: float = 0.95) -> Cell:
  """Returns the network. Its state is an `SCRNState`, and its output is y `[*batch, H]`.

  Args:
    feedback: `hidden` or `output`, what the recurrent kernel sees.
    decay: α in [0, 1], the share of the context that is kept. The paper uses 0.95.

  Raises:
    ValueError: for another feedback, or a decay outside of [0, 1].
  """
  check_choice("feedback", feedback, ("hidden", "output"))
  if not 0 <= decay <= 1:
    raise ValueError(f"decay is {decay}; it must lie in [0, 1].")

  def preactivations(params: SCRNParams, state: SCRNState, x: Float[Array, "*batch I"]) -> tuple[Array, Array, Array]:
    """Returns s_t and the pre-activations of h and y."""
    x_s, x_h = jnp.split(x @ params.input_kernel, 2, axis=-1)
    context = (1 - decay) * x_s + decay * state.context
    s_h, s_y = jnp.split(context @ params.context_kernel + params.bias, 2, axis=-1)
    a_h = x_h + s_h + state.fed_back @ params.recurrent_kernel
    return context, a_h, sigmoid(a_h) @ params.output_kernel + s_y

  def step(
    params: SCRNParams, state: SCRNState, x: Float[Array, "*batch I"]
  ) -> tuple[SCRNState, Float[Array, "*batch H"]]:
    context, a_h, a_y = preactivations(params, state, x)
    output = tanh(a_y)
    return SCRNState(context, sigmoid(a_h) if feedback == "hidden" else output), output

  def probe(params: SCRNParams, state: SCRNState, x: Array) -> dict[str, Activity]:
    _, a_h, a_y = preactivations(params, state, x)
    return {"hidden": ACTIVATIONS["sigmoid"].activity(a_h), "output": ACTIVATIONS["tanh"].activity(a_y)}

  return holding(SCRNParams, Cell(init, initial_state, step, probe, options=WITHOUT_GATES))
