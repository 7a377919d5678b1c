"""The task of the BPTT benchmark, in NumPy, so that every peer starts from the same numbers.

The loss is the mean of the squares of all outputs, and its gradient that with respect to all parameters, in float32.
Parameters have the lab's names, shapes and order of gates.
"""

from typing import NamedTuple

import numpy as np

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


class Shape(NamedTuple):
  batch: int
  steps: int
  inputs: int
  hidden: int


class Problem(NamedTuple):
  input_kernel: np.ndarray  # [I, k H]
  recurrent_kernel: np.ndarray  # [H, k H]
  bias: np.ndarray  # [k H]
  recurrent_bias: np.ndarray  # [H], for the GRU
  xs: np.ndarray  # [T, B, I]


def problem(cell: str, shape: Shape) -> Problem:
  """Kernels of standard deviation 1/√(fan in), biases of 0.1 (0 in the reset product: nnx has none), inputs of 1."""
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
  """Of all matrix products: forward x W and h U; backward what returns to h, and both kernels' gradients."""
  batch, steps, inputs, hidden = shape
  return 2.0 * batch * steps * GATES[cell] * hidden * (2 * inputs + 3 * hidden)


def traffic(cell: str, shape: Shape) -> float:
  """Bytes that must pass through memory where nothing stays in a cache: inputs, gates and outputs, once each way."""
  batch, steps, inputs, hidden = shape
  return 2 * 4.0 * batch * steps * (inputs + (GATES[cell] + 1) * hidden)


def parameters(cell: str, shape: Shape) -> int:
  """How many numbers the lab's parameters are."""
  _, _, inputs, hidden = shape
  return GATES[cell] * hidden * (inputs + hidden + 1) + (hidden if cell == "gru" else 0)


def facts(cell: str, shape: Shape, loss: float, recurrent_gradient: np.ndarray, count: int) -> dict[str, object]:
  """What a contender tells of itself; all that compute the same function give the same numbers under `check`."""
  check = {"loss": loss, "gradient_norm": float(np.linalg.norm(recurrent_gradient))}
  return {"check": check, "parameters": count, "flops": flops(cell, shape), "bytes": traffic(cell, shape)}
