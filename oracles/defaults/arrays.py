"""Arrays of packages as fields of the lab: kernels `(in, out)`, gates in the lab's order."""

from collections.abc import Sequence

import numpy as np

from oracles.defaults.statistics import Fields


def two_biases(own: np.ndarray, recurrent: np.ndarray, outer: np.ndarray, inner: np.ndarray) -> Fields:
  """Returns the fields of a class with kernels `(out, in)` and two biases, as those of torch.

  The second bias of n in a GRU is inside of the reset product.
  """
  units = recurrent.shape[1]
  fields = {"input_kernel": own.T, "recurrent_kernel": recurrent.T}
  if recurrent.shape[0] != 3 * units:
    return {**fields, "bias": outer + inner}
  gates = np.concatenate([inner[: 2 * units], np.zeros_like(inner[2 * units :])])
  return {**fields, "bias": outer + gates, "recurrent_bias": inner[2 * units :]}


def ordered(columns: np.ndarray, theirs: str, ours: str) -> np.ndarray:
  """Returns the blocks of gates of the last axis in the lab's order."""
  blocks = dict(zip(theirs, np.split(columns, len(theirs), axis=-1), strict=True))
  return np.concatenate([blocks[gate] for gate in ours], axis=-1)


def over_both(kernel: np.ndarray, bias: np.ndarray, inputs: int) -> Fields:
  """Returns the fields of a class with one matrix over inputs and state."""
  return {"input_kernel": kernel[:inputs], "recurrent_kernel": kernel[inputs:], "bias": bias}


def opened(fields: Fields, cell: np.ndarray) -> Fields:
  """Adds what an LSTM adds to the forget gate at run time, for a class that stores biases of 0.

  Args:
    fields: the stored weights.
    cell: c_1 `[H]`, as the class computes it from x = 0, h_0 = 0 and c_0 = 1, so that it is σ of the bias of f.
  """
  assert not np.any(fields["bias"])
  shift = np.concatenate([np.zeros_like(cell), np.log(cell / (1 - cell)), np.zeros_like(cell), np.zeros_like(cell)])
  return {**fields, "bias": fields["bias"] + shift}


def side_by_side(blocks: Sequence[np.ndarray]) -> np.ndarray:
  """Joins one array per gate along the last axis."""
  return np.concatenate([np.asarray(block) for block in blocks], axis=-1)
