"""The quasi-recurrent network, whose gates and candidate are convolutions of the input, here of width 1.

    f-pooling:    h_t = f_t ⊗ h_{t-1} + (1 - f_t) ⊗ z_t
    fo-pooling:   c_t = f_t ⊗ c_{t-1} + (1 - f_t) ⊗ z_t,   h_t = o_t ⊗ c_t
    ifo-pooling:  c_t = f_t ⊗ c_{t-1} + i_t ⊗ z_t,         h_t = o_t ⊗ c_t

with z_t = tanh(x_t W_z + b_z) and gates such as f_t = σ(x_t W_f + b_f). The Jacobian of the state is diag(f_t). With a width of
1, c is the whole state. A wider convolution is this cell on inputs that are put side by side.

Reference: Bradbury, Merity, Xiong & Socher, "Quasi-recurrent neural networks", ICLR (2017), eqs. 3-5.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, holding, variants, whole_state
from recurrent_lab.cells._linear import from_parts
from recurrent_lab.transitions import Diagonal, Transition

OPTIONS = ("input_gain", "bias_scale", "forget_bias", "write_bias", "dtype")
GATES = {"f": ("forget",), "fo": ("forget", "output"), "ifo": ("forget", "output", "write")}


class FPoolingQRNNParams(NamedTuple):
  """Parameters of the quasi-recurrent network with f-pooling."""

  input_kernel: Float[Array, "I 2H"]  # columns of z, f, in this order
  bias: Float[Array, "2H"]  # entries of z, f


class QRNNParams(NamedTuple):
  """Parameters of the quasi-recurrent network with fo-pooling."""

  input_kernel: Float[Array, "I 3H"]  # columns of z, f, o, in this order
  bias: Float[Array, "3H"]  # entries of z, f, o


class IFOPoolingQRNNParams(NamedTuple):
  """Parameters of the quasi-recurrent network with ifo-pooling."""

  input_kernel: Float[Array, "I 4H"]  # columns of z, f, o, i, in this order
  bias: Float[Array, "4H"]  # entries of z, f, o, i


def preactivations(params: Any, x: Array) -> tuple[Array, dict[str, Array]]:
  """Returns the pre-activation of z, and those of the gates by name."""
  gates = {FPoolingQRNNParams: GATES["f"], QRNNParams: GATES["fo"], IFOPoolingQRNNParams: GATES["ifo"]}[type(params)]
  a_z, *a = jnp.split(x @ params.input_kernel + params.bias, 1 + len(gates), axis=-1)
  return a_z, dict(zip(gates, a, strict=True))


def parts(params: Any, x: Float[Array, "*batch I"]) -> tuple[Array | None, Transition]:
  """Returns o_t, if the pooling has it, and the factors f_t with the written i_t ⊗ z_t.

  i_t = 1 - f_t unless the pooling has a gate for it.
  """
  a_z, a = preactivations(params, x)
  write = sigmoid(a["write"] if "write" in a else -a["forget"])
  opened = sigmoid(a["output"]) if "output" in a else None
  return opened, Transition(Diagonal(sigmoid(a["forget"])), write * tanh(a_z))


def pooled(state: Float[Array, "*batch H"], opened: Array | None) -> Float[Array, "*batch H"]:
  """Returns h_t."""
  return state if opened is None else opened * state


transition, step = from_parts(parts, pooled)


def probe(params: Any, state: Array, x: Array) -> dict[str, Activity]:
  """Returns the activity of the candidate and of the gates."""
  del state  # gates and candidate see only the input
  a_z, a = preactivations(params, x)
  of_gates = {name: ACTIVATIONS["sigmoid"].activity(value) for name, value in a.items()}
  return {"candidate": ACTIVATIONS["tanh"].activity(a_z), **of_gates}


@variants
def qrnn(pooling: str = "fo") -> Cell:
  """Returns a quasi-recurrent network. Its state is c `[*batch, H]`, or h with f-pooling; its output is h.

  Args:
    pooling: `f`, `fo` or `ifo`.

  Raises:
    ValueError: for another `pooling`.
  """
  check_choice("pooling", pooling, tuple(GATES))
  kind: type = {"f": FPoolingQRNNParams, "fo": QRNNParams, "ifo": IFOPoolingQRNNParams}[pooling]
  gates = GATES[pooling]
  blocks = 1 + len(gates)
  options_of_cell = tuple(name for name in OPTIONS if name != "write_bias" or "write" in gates)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> Any:
    """Draws parameters. `forget_bias` is added to f, and `write_bias` to i of ifo-pooling."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, options_of_cell)
    k_input, k_bias = jax.random.split(key)
    bias = initializers.add_to_gate(initializers.bias(k_bias, blocks * hidden_size, o), 1, blocks, o.forget_bias)
    if "write" in gates:
      bias = initializers.add_to_gate(bias, 3, blocks, o.write_bias)
    return kind(initializers.input_kernel(k_input, input_size, blocks * hidden_size, o), bias)

  def initial_state(params: Any, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
    """Returns 0, `[*batch, H]`."""
    return jnp.zeros((*batch_shape, params.bias.shape[0] // blocks), params.bias.dtype)

  return holding(
    kind,
    Cell(
      init,
      initial_state,
      step,
      probe,
      output=whole_state if pooling == "f" else None,
      gated=True,
      elementwise=True,
      transition=transition,
      options=options_of_cell,
    ),
  )
