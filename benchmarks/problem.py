"""The task of the BPTT benchmark, in NumPy, so that every contender starts from the same numbers.

The loss is the mean square of all outputs. Its gradient is with respect to all parameters, in float32. Parameters have the lab's
names, shapes and order of gates.
"""

from typing import NamedTuple

import numpy as np

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


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


def problem(cell: str, shape: Shape) -> Problem:
  """Draws a problem.

  Standard deviations are 1/√(fan in) for kernels, 0.1 for biases and 1 for inputs. The bias in the GRU's reset product is 0,
  because flax.nnx has none.
  """
  rng = np.random.default_rng(0)
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


def flops(cell: str, shape: Shape) -> float:
  """FLOPs of all matrix products: x W and h U forward; the gradients of h and of both kernels backward."""
  batch, steps, inputs, hidden = shape
  return 2.0 * batch * steps * GATES[cell] * hidden * (2 * inputs + 3 * hidden)


def traffic(cell: str, shape: Shape) -> float:
  """Bytes that must pass through memory without caches: inputs, gates and outputs, once in each direction."""
  batch, steps, inputs, hidden = shape
  return 2 * 4.0 * batch * steps * (inputs + (GATES[cell] + 1) * hidden)


def parameters(cell: str, shape: Shape) -> int:
  """Number of parameters of the lab's cell."""
  _, _, inputs, hidden = shape
  return GATES[cell] * hidden * (inputs + hidden + 1) + (hidden if cell == "gru" else 0)


def facts(cell: str, shape: Shape, loss: float, recurrent_gradient: np.ndarray, count: int) -> dict[str, object]:
  """Returns the facts of a contender. Those under `check` agree between contenders that compute the same function."""
  check = {"loss": loss, "gradient_norm": float(np.linalg.norm(recurrent_gradient))}
  return {"check": check, "parameters": count, "flops": flops(cell, shape), "bytes": traffic(cell, shape)}
