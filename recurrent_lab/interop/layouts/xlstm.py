"""xlstm: the sLSTM of its layer, with any number of heads.

The names of the layer mislead: `fgate` feeds the input gate and `igate` the forget gate, because the layer names what it
concatenates `i, f, z, o` but fills it from `fgate, igate, zgate, ogate`. The table follows what is computed.

Each gate has a kernel `[heads, K, K]`, so the input kernel is block-diagonal. The recurrent kernel is `[heads, 4K, K]` in the
vanilla backend and `[heads, K, 4K]` in the CUDA backend, which also orders the bias by head first: the state dict of one
backend is not that of the other. The layer's convolution (`conv1d_kernel_size`) must be 0, and its group norm acts on what the
lab's cell puts out.

With several heads, the cell is `recurrent_lab.cells.matrices.slstm(heads)`.
"""

from collections.abc import Mapping

import numpy as np

from recurrent_lab.cells.matrices import SLSTMParams
from recurrent_lab.interop.layouts.layout import Layout, Packing, Part, row

GATES = {"i": "fgate.weight", "f": "igate.weight", "z": "zgate.weight", "o": "ogate.weight"}
KERNEL, BIAS = "slstm_cell._recurrent_kernel_", "slstm_cell._bias_"


def read(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Returns dense input kernels `[H, H]` (out, in), the recurrent kernel `[K, 4H]` by gate and head, and the bias by gate.

  Raises:
    ValueError: if an array has not the shape of a layer with heads.
  """
  kernel = arrays.get(KERNEL)
  if (
    kernel is None
    or kernel.ndim != 3
    or (kernel.shape[2] * 4 != kernel.shape[1] and kernel.shape[1] * 4 != kernel.shape[2])
  ):
    shape = None if kernel is None else kernel.shape
    raise ValueError(f"{KERNEL} must have the shape (heads, 4K, K) or (heads, K, 4K); given is {shape}.")
  heads, size = kernel.shape[0], min(kernel.shape[1:])
  for name in GATES.values():
    if name in arrays and arrays[name].shape != (heads, size, size):
      raise ValueError(f"{name} must have the shape {(heads, size, size)}; given is {arrays[name].shape}.")
  if BIAS in arrays and arrays[BIAS].shape != (4 * heads * size,):
    raise ValueError(f"{BIAS} must have the shape {(4 * heads * size,)}; given is {arrays[BIAS].shape}.")
  dense = {name: _diagonal(array) if name in GATES.values() else array for name, array in arrays.items()}
  if kernel.shape[1] > kernel.shape[2]:
    by_gate = kernel.reshape(heads, 4, size, size).transpose(3, 1, 0, 2)
  else:
    by_gate = kernel.reshape(heads, size, 4, size).transpose(1, 2, 0, 3)
    if BIAS in arrays:
      dense[BIAS] = arrays[BIAS].reshape(heads, 4, size).transpose(1, 0, 2).reshape(-1)
  return {**dense, KERNEL: by_gate.reshape(size, 4 * heads * size)}


def write(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Returns the arrays of the vanilla backend from dense ones: the inverse of `read`.

  Raises:
    ValueError: if an input kernel is not block-diagonal over the heads.
  """
  size, hidden = arrays[KERNEL].shape[0], arrays[KERNEL].shape[1] // 4
  heads = hidden // size
  packed = dict(arrays)
  for name in GATES.values():
    blocks = arrays[name].reshape(heads, size, heads, size)
    packed[name] = np.ascontiguousarray(np.stack([blocks[head, :, head] for head in range(heads)]))
    if arrays[name].shape != (hidden, hidden) or np.any(_diagonal(packed[name]) != arrays[name]):
      raise ValueError(f"The input kernel must be block-diagonal over the {heads} heads, as in xlstm's layer.")
  by_head = arrays[KERNEL].reshape(size, 4, heads, size).transpose(2, 1, 3, 0)
  return {**packed, KERNEL: np.ascontiguousarray(by_head.reshape(heads, 4 * size, size))}


def _diagonal(blocks: np.ndarray) -> np.ndarray:
  """Returns the block-diagonal matrix of blocks `[heads, K, K]`."""
  heads, size = blocks.shape[:2]
  dense = np.zeros((heads, size, heads, size), blocks.dtype)
  dense[np.arange(heads), :, np.arange(heads)] = blocks
  return dense.reshape(heads * size, heads * size)


XLSTM: Mapping[str, Layout] = {
  "xlstm.sLSTMLayer": Layout(
    SLSTMParams,
    "ifzo",
    ("slstm",),
    (
      *(Part(name, (row("input_kernel", gate),), transposed=True) for gate, name in GATES.items()),
      Part(KERNEL, (row("recurrent_kernel", "ifzo"),)),
      Part(BIAS, (row("bias", "ifzo"),)),
    ),
    " Its convolution must be off, and its group norm is left out.",
    packing=Packing(read, write),
  )
}
