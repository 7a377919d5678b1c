"""Every way in which the arrays of a recurrent layer may hold its kernels and biases, by their shapes alone.

Kernels may be one matrix for the input and one for the state, one for both, or one per gate or group of gates. They are
`(in, out)` or `(out, in)`, with the units of a gate side by side or the gates of a unit. Arrays of single gates are taken in the
order in which they are given, the same order in every group.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from recurrent_lab.interop.identification.bias_readings import BiasReading, bias_readings

Matrices = dict[str, np.ndarray]


class Arrangement(NamedTuple):
  """Kernels and biases of k gates, whose names are not known yet."""

  input_kernel: np.ndarray  # [k, I, H]
  recurrent_kernel: np.ndarray  # [k, H, H]
  biases: BiasReading
  words: str  # how the arrays were read


class Kernels(NamedTuple):
  """Kernels of k gates, and the arrays that hold them."""

  input_kernel: np.ndarray  # [k, I, H]
  recurrent_kernel: np.ndarray  # [k, H, H]
  names: frozenset[str]
  interleaved: bool
  words: str


def arrangements(arrays: Mapping[str, np.ndarray], inputs: int, hidden: int) -> Iterator[Arrangement]:
  """Yields the arrangements of arrays for nets with that many inputs and units, in float64."""
  plain = {name: _without_directions(np.asarray(array, np.float64)) for name, array in arrays.items()}
  for kernels in _kernels(plain, inputs, hidden):
    vectors = [array.reshape(-1) for name, array in plain.items() if name not in kernels.names]
    for biases in bias_readings(vectors, len(kernels.input_kernel), hidden, kernels.interleaved):
      words = "; ".join(filter(None, (kernels.words, biases.words)))
      yield Arrangement(kernels.input_kernel, kernels.recurrent_kernel, biases, words)


def _without_directions(array: np.ndarray) -> np.ndarray:
  """Returns an array without leading axes of length 1, as ONNX has for the direction. A matrix stays one."""
  while array.ndim > 2 and array.shape[0] == 1:
    array = array[0]
  return array


def _kernels(arrays: Matrices, inputs: int, hidden: int) -> Iterator[Kernels]:
  matrices, owners = _matrices(arrays, inputs, hidden)
  for chosen in _choices(matrices):
    names = frozenset(owners[name] for name in chosen)
    for first in ("the input", "the state"):
      yield from _joint(chosen, names, inputs, hidden, first)
    for of_input, of_state in _splits(chosen, inputs, hidden):
      yield from _separate(of_input, of_state, names, inputs, hidden)


def _matrices(arrays: Matrices, inputs: int, hidden: int) -> tuple[Matrices, dict[str, str]]:
  """Returns the arrays that may be kernels, and the name of the array behind each. Arrays of three axes are cut into gates."""
  matrices: Matrices = {}
  owners: dict[str, str] = {}
  rows = (inputs, hidden, inputs + hidden)
  for name, array in arrays.items():
    pieces = {name: array} if array.ndim == 2 else {}
    if array.ndim == 3:
      fitting = [axis for axis in (0, 2, 1) if {*rows, hidden} >= set(np.delete(array.shape, axis))]
      gates = np.moveaxis(array, fitting[0], 0) if fitting else array[:0]
      pieces = {f"{name}[{j}]": gate for j, gate in enumerate(gates)}
    for piece, matrix in pieces.items():
      if any(_oriented(matrix, length, hidden, flip) is not None for length in rows for flip in (False, True)):
        matrices[piece], owners[piece] = matrix, name
  return matrices, owners


def _choices(matrices: Matrices) -> Iterator[Matrices]:
  """Yields all matrices, and all but one of them, which may be biases in the shape of a kernel."""
  yield matrices
  for left_out in matrices if len(matrices) > 2 else ():
    yield {name: matrix for name, matrix in matrices.items() if name != left_out}


def _oriented(matrix: np.ndarray, rows: int, hidden: int, transposed: bool) -> np.ndarray | None:
  """Returns a kernel `[rows, mH]`, or None if the matrix has another shape."""
  kernel = matrix.T if transposed else matrix
  fits = kernel.shape[0] == rows and kernel.shape[1] % hidden == 0 and 0 < kernel.shape[1] <= 4 * hidden
  return kernel if fits else None


def _blocks(matrices: Matrices, rows: int, hidden: int, transposed: bool, interleaved: bool) -> np.ndarray | None:
  """Returns the blocks `[k, rows, H]` of matrices side by side, or None if one does not fit."""
  found = []
  for matrix in matrices.values():
    kernel = _oriented(matrix, rows, hidden, transposed)
    if kernel is None:
      return None
    gates = kernel.shape[1] // hidden
    if interleaved:
      found.append(np.moveaxis(kernel.reshape(rows, hidden, gates), 2, 0))
    else:
      found.append(np.moveaxis(kernel.reshape(rows, gates, hidden), 1, 0))
  blocks = np.concatenate(found) if found else np.zeros((0, rows, hidden))
  return blocks if 1 <= len(blocks) <= 4 else None


def _joint(chosen: Matrices, names: frozenset[str], inputs: int, hidden: int, first: str) -> Iterator[Kernels]:
  """Yields kernels of matrices that hold the rows of the input and those of the state."""
  for transposed in (False, True):
    for interleaved in (False, True):
      blocks = _blocks(chosen, inputs + hidden, hidden, transposed, interleaved)
      if blocks is None or (interleaved and len(blocks) == len(chosen)):
        continue
      if first == "the input":
        of_input, of_state = blocks[:, :inputs], blocks[:, inputs:]
      else:
        of_state, of_input = blocks[:, :hidden], blocks[:, hidden:]
      words = f"{_list(chosen)} {_axes(transposed)} with {first} first{_order(interleaved)}"
      yield Kernels(of_input, of_state, names, interleaved, words)


def _splits(chosen: Matrices, inputs: int, hidden: int) -> Iterator[tuple[Matrices, Matrices]]:
  """Yields matrices for the input and for the state: by their shapes, by halves and by turns."""
  names, half = list(chosen), len(chosen) // 2
  fits = lambda name, rows: any(_oriented(chosen[name], rows, hidden, flip) is not None for flip in (False, True))
  ways = [([n for n in names if fits(n, inputs)], [n for n in names if fits(n, hidden)])]
  ways = [way for way in ways if not set(way[0]) & set(way[1])]
  if len(names) % 2 == 0:
    ways += [(names[:half], names[half:]), (names[half:], names[:half])]
    ways += [(names[::2], names[1::2]), (names[1::2], names[::2])]
  seen = []
  for way in ways:
    if way not in seen and all(way):
      seen.append(way)
      yield {name: chosen[name] for name in way[0]}, {name: chosen[name] for name in way[1]}


def _separate(
  of_input: Matrices, of_state: Matrices, names: frozenset[str], inputs: int, hidden: int
) -> Iterator[Kernels]:
  """Yields kernels of matrices for the input and others for the state."""
  for flip_input in (False, True):
    for flip_state in (False, True):
      for interleaved in (False, True):
        input_kernel = _blocks(of_input, inputs, hidden, flip_input, interleaved)
        recurrent_kernel = _blocks(of_state, hidden, hidden, flip_state, interleaved)
        if input_kernel is None or recurrent_kernel is None or len(input_kernel) != len(recurrent_kernel):
          continue
        if interleaved and len(input_kernel) == len(of_input):
          continue
        words = (
          f"input from {_list(of_input)} {_axes(flip_input)}, state from {_list(of_state)} {_axes(flip_state)}"
          f"{_order(interleaved)}"
        )
        yield Kernels(input_kernel, recurrent_kernel, names, interleaved, words)


def _list(matrices: Matrices) -> str:
  return ", ".join(matrices)


def _axes(transposed: bool) -> str:
  return "(out, in)" if transposed else "(in, out)"


def _order(interleaved: bool) -> str:
  return ", gates interleaved by unit" if interleaved else ""
