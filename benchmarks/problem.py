"""The task of the BPTT benchmark, in NumPy, so that every contender starts from the same numbers.

The loss is the mean square of all outputs. Its gradient is with respect to all parameters, in float32. Parameters have the lab's
names, shapes and order of gates. A net has one layer, or several of the same cell, each of which reads the outputs of the one
below.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
LAYERS = {"rnn": ("rnn",), "lstm": ("lstm",), "gru": ("gru",), "lstm_stack": ("lstm", "lstm")}


class Shape(NamedTuple):
  """Sizes of a problem."""

  batch: int
  steps: int
  inputs: int
  hidden: int


class Problem(NamedTuple):
  """Parameters of a net with k gates, and its inputs."""

  input_kernel: np.ndarray  # [I, k H]
  recurrent_kernel: np.ndarray  # [H, k H]
  bias: np.ndarray  # [k H]
  recurrent_bias: np.ndarray  # [H], for the GRU
  xs: np.ndarray  # [T, B, I]


def layers(net: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
  """Yields the cell and the sizes of every layer, from the lowest."""
  for i, cell in enumerate(LAYERS[net]):
    yield cell, shape if i == 0 else shape._replace(inputs=shape.hidden)


def problem(cell: str, shape: Shape, seed: int = 0) -> Problem:
  """Draws a problem of one layer. In a net of several layers, the seed is the number of the layer, from 0.

  Standard deviations are 1/√(fan in) for kernels, 0.1 for biases and 1 for inputs. The bias in the GRU's reset product is 0,
  because flax.nnx has none.
  """
  rng = np.random.default_rng(seed)
  batch, steps, inputs, hidden = shape
  width = GATES[cell] * hidden
  normal = lambda scale, *size: (scale * rng.standard_normal(size)).astype(np.float32)
  return Problem(
    normal(inputs**-0.5, inputs, width),
    normal(hidden**-0.5, hidden, width),
    normal(0.1, width),
    np.zeros(hidden, np.float32),
    normal(1.0, steps, batch, inputs),
  )


def flops(net: str, shape: Shape) -> float:
  """FLOPs of all matrix products: x W and h U forward; the gradients of h and of both kernels backward, and of lower outputs."""
  least = 0.0
  for i, (cell, (batch, steps, inputs, hidden)) in enumerate(layers(net, shape)):
    least += 2.0 * batch * steps * GATES[cell] * hidden * ((2 if i == 0 else 3) * inputs + 3 * hidden)
  return least


def traffic(net: str, shape: Shape) -> float:
  """Bytes that must pass through memory without caches: inputs, gates and outputs, once in each direction."""
  sizes = ((GATES[cell] + 1, *layer) for cell, layer in layers(net, shape))
  return sum(2 * 4.0 * batch * steps * (inputs + arrays * hidden) for arrays, batch, steps, inputs, hidden in sizes)


def parameters(net: str, shape: Shape) -> int:
  """Number of parameters of the lab's cells."""
  return sum(
    GATES[cell] * s.hidden * (s.inputs + s.hidden + 1) + (s.hidden if cell == "gru" else 0)
    for cell, s in layers(net, shape)
  )


def facts(cell: str, shape: Shape, loss: float, recurrent_gradient: np.ndarray, count: int) -> dict[str, object]:
  """Returns the facts of a contender. Those under `check` agree between contenders that compute the same function."""
  check = {"loss": loss, "gradient_norm": float(np.linalg.norm(recurrent_gradient))}
  return {"check": check, "parameters": count, "flops": flops(cell, shape), "bytes": traffic(cell, shape)}
