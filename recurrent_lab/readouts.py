"""The readout of a recurrent net.

    o_t = g(s_t V + b)          g = identity or softmax

V is the transpose of W_o in the introductions. `with_readout` adds a readout to a cell and returns a cell, so measurements of
parameters include the readout. To measure adjoints of the state, apply `readout` inside the loss instead.

Reference: Elman, "Finding structure in time", Cognitive Science 14 (1990).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab._chain import wrapped
from recurrent_lab._checks import check_choice, check_key
from recurrent_lab.cell import Cell, Params, variants

READOUTS: Mapping[str, Callable[[Array], Array]] = {"identity": lambda a: a, "softmax": jax.nn.softmax}


class ReadoutParams(NamedTuple):
  """Parameters of a readout o = g(s V + b)."""

  kernel: Float[Array, "H O"]  # V
  bias: Float[Array, "O"]  # b


class WithReadoutParams(NamedTuple):
  """Parameters of a cell under `with_readout`."""

  cell: Params  # the params of the cell
  readout: ReadoutParams  # the params of the readout


def init_readout(key: Key[Array, ""], hidden_size: int, output_size: int, dtype: Any = jnp.float32) -> ReadoutParams:
  """Draws a Gaussian kernel with standard deviation 1 / √H and a zero bias. Raises `ValueError` for a size below 1."""
  check_key(key)
  o = initializers.parse_options({"hidden_size": hidden_size, "output_size": output_size}, {"dtype": dtype})
  return ReadoutParams(
    kernel=initializers.input_kernel(key, hidden_size, output_size, o), bias=jnp.zeros((output_size,), o.dtype)
  )


def readout(
  params: ReadoutParams, states: Float[Array, "*batch H"], activation: str = "identity"
) -> Float[Array, "*batch O"]:
  """Computes o = g(s V + b) with g = `activation`, a name in `READOUTS`. Raises `ValueError` for another name.

  `states` is `[..., H]`; the result is `[..., O]`.
  """
  check_choice("Readout", activation, READOUTS)
  return READOUTS[activation](states @ params.kernel + params.bias)


@variants
def with_readout(cell: Cell, output_size: int, activation: str = "identity") -> Cell:
  """Adds a readout of size `output_size` to a cell. Params are `WithReadoutParams(cell, readout)`.

  Raises:
    ValueError: for an `activation` that is not a name in `READOUTS`.
  """
  check_choice("Readout", activation, READOUTS)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> WithReadoutParams:
    k_cell, k_readout = jax.random.split(key)
    dtype = options.get("dtype", jnp.float32)
    return WithReadoutParams(
      cell=cell.init(k_cell, input_size, hidden_size, **options),
      readout=init_readout(k_readout, hidden_size, output_size, dtype),
    )

  return wrapped(
    cell, WithReadoutParams, init, leave=lambda params, output: readout(params.readout, output, activation)
  )
