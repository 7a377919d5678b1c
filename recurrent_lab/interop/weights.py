"""Converts weights between the lab and other libraries, as dicts of NumPy arrays. The other library need not be installed.

`import_weights` turns the arrays of another library's cell into the lab's params. `export_weights` does the reverse. Both use the
table `layouts.LAYOUTS`. Weights that are exported and imported again are the same numbers. Weights that the other library
cannot hold raise an error, so a conversion never silently changes the function.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from recurrent_lab.cell import Params
from recurrent_lab.interop.layers import check_layer, of_layer, to_layer
from recurrent_lab.interop.layouts import LAYOUTS, REFUSED, Block, Layout, Part

Arrays = dict[str, np.ndarray]


def get_layout(kind: str) -> Layout:
  """Returns the layout of a cell of another library by its full name.

  Raises:
    ValueError: for a cell that cannot be converted, with the reason, or an unknown cell, with the valid names.
  """
  if kind in REFUSED:
    raise ValueError(f"{kind} cannot be converted: {REFUSED[kind]}.")
  if kind not in LAYOUTS:
    raise ValueError(f"The lab has no table for {kind!r}; choose one of {', '.join(LAYOUTS)}.")
  return LAYOUTS[kind]


def import_weights(kind: str, arrays: Mapping[str, Any], *, layer: str | int = 0, exact: bool = True) -> Params:
  """Converts weights of another library into the lab's params, as NumPy arrays.

  Args:
    kind: the full name of the other cell, such as `torch.nn.LSTM`; a key of `LAYOUTS`.
    arrays: its weights by name, in nested dicts if that library nests them; `docs/interop.md` says how to get them. If the
      cell was built without a bias, the bias is 0.
    layer: the layer of a module whose library numbers layers, as torch writes it (`0`, `1`, `"1_reverse"`). For arrays with an
      axis of directions, as in ONNX, 0 is the first and `"0_reverse"` the second.
    exact: whether to raise an error if adding 1 to the forget bias rounds (by 6e-8 in float32 for biases near 1). Haiku,
      brainstate, DyNet and TensorFlow's BlockLSTM add 1 at run time.

  Raises:
    ValueError: for an unknown cell, a missing or unknown name, a wrong shape, different dtypes, dtypes that are not floating, or
      a conversion that is not exact.
  """
  layout = get_layout(kind)
  given = of_layer(kind, layout, flat(arrays), str(layer))
  _check_names(kind, layout, given)
  if layout.packing:
    given = layout.packing.read(given)
  hidden, heights = _sizes(layout, given)
  _check_shapes(kind, layout, given, hidden, heights)
  shares: dict[tuple[str, str], np.ndarray] = {}
  for part in layout.parts:
    for block, theirs in _blocks(part, given.get(part.name, _nothing(part, given, hidden)), hidden, heights):
      ours = block.sign * theirs
      if block.shift:
        ours = _shifted(kind, ours, block.shift, exact)
      share = block.field, block.gate
      shares[share] = shares[share] + ours if share in shares else ours
  nothing = np.zeros_like(shares["recurrent_kernel", layout.gates[0]][0])  # for a field that no array holds
  fields = {
    field: [shares.get((field, gate), nothing) for gate in _gates(layout, field)] for field in layout.params._fields
  }
  join = lambda field: np.stack if field == "peephole" else np.hstack
  return layout.params(**{field: join(field)(blocks) for field, blocks in fields.items()})


def export_weights(kind: str, params: Params, *, layer: str | int = 0, exact: bool = True) -> dict[str, Any]:
  """Converts params of the lab into weights of another library, as NumPy arrays under that library's names.

  If the other library adds two biases, the first holds the sum and the second is 0. Arguments are those of `import_weights`.

  Raises:
    ValueError: for an unknown cell, params of another cell, or numbers that the other library cannot hold, with the reason.
  """
  layout = get_layout(kind)
  check_layer(kind, layout, str(layer))
  if type(params) is not layout.params:
    raise ValueError(f"{kind} computes what {layout.params.__name__} hold, not {type(params).__name__}.{layout.note}")
  shares = _shares(kind, layout, params)
  held = {(block.field, block.gate) for part in layout.parts for line in part.grid for block in line}
  for field, gate in shares.keys() - held:
    if np.any(shares[field, gate] != 0):
      raise ValueError(f"{kind} cannot hold a {field} other than 0.{layout.note}")
  arrays: Arrays = {}
  for part in layout.parts:
    lines = []
    for line in part.grid:
      blocks = []
      for block in line:
        ours = shares[block.field, block.gate]
        shares[block.field, block.gate] = np.zeros_like(ours)  # if there is a second bias to add, it is 0
        if block.shift:
          ours = _shifted(kind, ours, -block.shift, exact)
        blocks.append(block.sign * ours)
      lines.append(np.concatenate(blocks, axis=-1))
    whole = lines[0] if len(lines) == 1 else np.concatenate(np.atleast_2d(*lines))
    if part.interleaved:
      whole = np.swapaxes(whole.reshape(*whole.shape[:-1], len(part.grid[0]), -1), -1, -2).reshape(whole.shape)
    arrays[part.name] = np.ascontiguousarray(whole.T if part.transposed else whole)
  if layout.packing:
    arrays = layout.packing.write(arrays)
  return nested(to_layer(layout, arrays, str(layer)))


def flat(tree: Mapping[Any, Any]) -> Arrays:
  """Flattens nested dicts of arrays into one dict. The levels of a name are joined by `/`, and None is left out."""
  arrays: Arrays = {}
  for name, value in tree.items():
    if isinstance(value, Mapping):
      arrays |= {f"{name}/{inner}": array for inner, array in flat(value).items()}
    elif value is not None:
      arrays[str(name)] = np.asarray(value)
  return arrays


def nested(arrays: Mapping[str, Any]) -> dict[str, Any]:
  """Nests a flat dict again: the inverse of `flat`."""
  tree: dict[str, Any] = {}
  for name, array in arrays.items():
    *levels, last = name.split("/")
    inner = tree
    for level in levels:
      inner = inner.setdefault(level, {})
    inner[last] = array
  return tree


def _gates(layout: Layout, field: str) -> str:
  """Returns the gates of a field: all gates, n alone for the bias inside the reset product, or those with a peephole."""
  return {"recurrent_bias": "n", "peephole": layout.gates.replace("g", "")}.get(field, layout.gates)


def _check_names(kind: str, layout: Layout, arrays: Arrays) -> None:
  names = {part.name for part in layout.parts}
  optional = {part.name for part in layout.parts if part.optional}
  if unknown := arrays.keys() - names:
    raise ValueError(
      f"{kind} has no array {', '.join(sorted(unknown))}; it has {', '.join(sorted(names))}.{layout.note}"
    )
  missing = names - arrays.keys()
  if missing != optional and missing:
    raise ValueError(f"{kind} also needs {', '.join(sorted(missing))}; given are {', '.join(sorted(arrays))}.")
  dtypes = {array.dtype for array in arrays.values()}
  if len(dtypes) > 1 or not all(jnp.issubdtype(dtype, jnp.floating) for dtype in dtypes):
    raise ValueError(f"The arrays have dtype {', '.join(sorted(map(str, dtypes)))}; they need one floating dtype.")


def _sizes(layout: Layout, arrays: Arrays) -> tuple[int, dict[str, int]]:
  """Returns H and the number of rows of each kernel, from the array that holds the input kernel.

  A packed recurrent kernel has the units of one head as rows.
  """
  part = next(part for part in layout.parts if part.grid[0][0].field == "input_kernel")
  shape = arrays[part.name].shape[::-1] if part.transposed else arrays[part.name].shape
  hidden = shape[-1] // len(part.grid[0]) if shape else 0
  inputs = shape[0] - hidden * (len(part.grid) - 1) if shape else 0
  packed = [arrays[p.name] for p in layout.parts if layout.packing and p.grid[0][0].field == "recurrent_kernel"]
  return hidden, {"input_kernel": inputs, "recurrent_kernel": packed[0].shape[0] if packed else hidden}


def _check_shapes(kind: str, layout: Layout, arrays: Arrays, hidden: int, heights: dict[str, int]) -> None:
  for part in layout.parts:
    width = hidden * len(part.grid[0])
    if part.grid[0][0].field in heights:
      shape: tuple[int, ...] = (sum(heights[line[0].field] for line in part.grid), width)
    else:
      shape = (width,) if len(part.grid) == 1 else (len(part.grid), width)
    shape = shape[::-1] if part.transposed else shape
    if part.name in arrays and (arrays[part.name].shape != shape or 0 in shape):
      raise ValueError(
        f"{kind}: {part.name} has shape {arrays[part.name].shape};"
        f" with {heights['input_kernel']} inputs and {hidden} units it is {shape}."
      )


def _blocks(part: Part, array: np.ndarray, hidden: int, heights: dict[str, int]) -> Iterator[tuple[Block, np.ndarray]]:
  """Yields the blocks of an array of the other library: `[rows, H]` for a kernel, `[H]` for a bias."""
  whole = array.T if part.transposed else array
  first = 0
  for line in part.grid:
    if line[0].field in heights:
      rows = whole[first : (first := first + heights[line[0].field])]
    else:
      rows = whole if len(part.grid) == 1 else whole[first]
      first += 1
    if part.interleaved:
      yield from zip(line, np.moveaxis(rows.reshape(*rows.shape[:-1], hidden, len(line)), -1, 0), strict=True)
    else:
      yield from zip(line, np.split(rows, len(line), axis=-1), strict=True)


def _nothing(part: Part, arrays: Arrays, hidden: int) -> np.ndarray:
  """Returns zeros in place of an array of biases that a module was built without. What is added at run time is added to them."""
  shape = (len(part.grid), hidden * len(part.grid[0]))
  return np.zeros(shape if len(part.grid) > 1 else shape[1:], next(iter(arrays.values())).dtype)


def _shares(kind: str, layout: Layout, params: Any) -> dict[tuple[str, str], np.ndarray]:
  """Returns the numbers of each gate in each field. Raises `ValueError` for a shape that one net cannot have."""
  inputs, rows_of_state = np.shape(params.input_kernel)[:1], np.shape(params.recurrent_kernel)[:1]
  hidden = (np.size(params.bias) // len(layout.gates),) if layout.packing else rows_of_state
  shares: dict[tuple[str, str], np.ndarray] = {}
  for field, array in params._asdict().items():
    gates = _gates(layout, field)
    rows = {"input_kernel": inputs, "recurrent_kernel": rows_of_state}.get(field, ())
    shape = (len(gates), *hidden) if field == "peephole" else (*rows, *(len(gates) * h for h in hidden))
    if np.shape(array) != shape:
      raise ValueError(f"For {kind} the {field} of one net has shape {shape}; given is {np.shape(array)}.")
    blocks = np.asarray(array) if field == "peephole" else np.split(np.asarray(array), len(gates), axis=-1)
    shares |= {(field, gate): block for gate, block in zip(gates, blocks, strict=True)}
  return shares


def _shifted(kind: str, numbers: np.ndarray, shift: int, exact: bool) -> np.ndarray:
  """Returns numbers + shift. If `exact`, raises `ValueError` where the sum rounds."""
  by = numbers.dtype.type(shift)
  shifted = numbers + by
  if exact and not np.array_equal(shifted - by, numbers, equal_nan=True):
    raise ValueError(
      f"{kind} adds 1 to the forget gate at run time, and {numbers.dtype} cannot hold every forget bias {shift:+d}"
      " exactly; exact=False rounds it."
    )
  return shifted
