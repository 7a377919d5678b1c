"""Every way in which vectors may be the biases of k gates.

A GRU that resets after the product has two biases of its candidate, one outside and one inside the product. In all other
places, two biases of a gate are added.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np


class BiasReading(NamedTuple):
  """Biases of k gates."""

  total: np.ndarray  # [k, H]: all biases of a gate
  outside: np.ndarray  # [k, H]: the part outside the reset product, if the gate is the candidate of a GRU
  inside: np.ndarray  # [k, H]: the part inside it
  words: str


def bias_readings(vectors: Sequence[np.ndarray], gates: int, hidden: int, interleaved: bool) -> Iterator[BiasReading]:
  """Yields the readings of vectors `[mH]`, taken in their order. Yields nothing if they are not k, k + 1 or 2k biases."""
  if any(vector.size % hidden for vector in vectors):
    return
  zeros = np.zeros((gates, hidden))
  if not vectors:
    yield BiasReading(zeros, zeros, zeros, "no bias")
    return
  blocks = np.concatenate([_split(vector, hidden, gates, interleaved) for vector in vectors])
  if len(blocks) == gates:
    yield BiasReading(blocks, blocks, zeros, "one bias")
    if gates == 3:
      yield BiasReading(blocks, zeros, blocks, "one bias, that of the candidate inside the reset")
  elif len(blocks) == 2 * gates:
    for first, second in _pairs(blocks, len(vectors)):
      yield BiasReading(first + second, first, second, "two biases")
      if gates == 3:
        yield BiasReading(first + second, second, first, "two biases, the first inside the reset")
  elif len(blocks) == 4 and gates == 3:
    for extra in (3, 0, 1, 2):
      own, alone = np.delete(blocks, extra, axis=0), np.broadcast_to(blocks[extra], (gates, hidden))
      yield BiasReading(own, own, alone, f"one bias, and number {extra + 1} of 4 inside the reset")
      yield BiasReading(own, alone, own, f"one bias, and number {extra + 1} of 4 outside the reset")


def _split(vector: np.ndarray, hidden: int, gates: int, interleaved: bool) -> np.ndarray:
  """Returns the blocks `[m, H]` of a vector. A vector of 2k biases is two rows of k."""
  count = vector.size // hidden
  if not interleaved or count == 1:
    return vector.reshape(count, hidden)
  rows = 2 if count == 2 * gates else 1
  return np.swapaxes(vector.reshape(rows, hidden, count // rows), 1, 2).reshape(count, hidden)


def _pairs(blocks: np.ndarray, vectors: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
  """Yields the first and second half, and what comes by turns if every bias is an array of its own."""
  half = len(blocks) // 2
  yield blocks[:half], blocks[half:]
  if vectors == len(blocks) and half > 1:
    yield blocks[::2], blocks[1::2]
