"""The readout of a recurrent net.

    o_t = g(s_t V + b)          g = identity or softmax

V is the introduction's W_o, transposed. `with_readout` puts it on a cell and returns a cell, so that the readout takes part
in every measurement of parameters; where the adjoints of the state are measured, apply `readout` inside the loss instead.

Reference: Elman, "Finding structure in time", Cognitive Science 14 (1990).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab._chain import wrapped
from recurrent_lab._checks import check_choice
from recurrent_lab.cell import Cell, Params, variants

READOUTS: Mapping[str, Callable[[Array], Array]] = {"identity": lambda a: a, "softmax": jax.nn.softmax}


class ReadoutParams(NamedTuple):
  """Parameters of a readout o = g(s V + b)."""

  kernel: Float[Array, "H O"]  # V
  bias: Float[Array, "O"]  # b


class WithReadoutParams(NamedTuple):
  """Parameters of a cell under `with_readout`."""

  cell: Params  # of the cell itself
  readout: ReadoutParams  # of what is read from its output


def init_readout(key: Key[Array, ""], hidden_size: int, output_size: int, dtype: Any = jnp.float32) -> ReadoutParams:
  """A gaussian kernel of standard deviation 1 / √H and a zero bias; raises `ValueError` for a size below 1."""
  o = initializers.parse_options({"hidden_size": hidden_size, "output_size": output_size}, {"dtype": dtype})
  return ReadoutParams(
    kernel=initializers.input_kernel(key, hidden_size, output_size, o), bias=jnp.zeros((output_size,), o.dtype)
  )


def readout(
  params: ReadoutParams, states: Float[Array, "*batch H"], activation: str = "identity"
) -> Float[Array, "*batch O"]:
  """o = g(s V + b) with g = `activation`, a name in `READOUTS`; raises `ValueError` for another name."""
  check_choice("Readout", activation, READOUTS)
  return READOUTS[activation](states @ params.kernel + params.bias)


@variants
def with_readout(cell: Cell, output_size: int, activation: str = "identity") -> Cell:
  """The cell whose output is the readout of `cell`'s output; params are `WithReadoutParams(cell, readout)`.

  Raises:
    ValueError: for an activation that is no name in `READOUTS`.
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
