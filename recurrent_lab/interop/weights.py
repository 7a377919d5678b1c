"""Weights to and from other libraries, as dicts of NumPy arrays: only the library in hand need be installed.

`import_weights` turns the arrays of a cell of another library into the lab's params, `export_weights` turns params into
such arrays; both read `LAYOUTS`. What goes out and comes back is the same number for number, and what the other
library cannot hold is refused: a conversion never changes the function without a word.
"""

from collections.abc import Iterator, Mapping
import re
from typing import Any

import jax.numpy as jnp
import numpy as np

from recurrent_lab.cell import Params
from recurrent_lab.interop.layouts import LAYOUTS, REFUSED, Block, Layout, Part

Arrays = dict[str, np.ndarray]


def get_layout(kind: str) -> Layout:
  """The layout of a cell of another library, by full name; raises `ValueError` with the reason or the valid names."""
  if kind in REFUSED:
    raise ValueError(f"{kind} cannot be converted: {REFUSED[kind]}.")
  if kind not in LAYOUTS:
    raise ValueError(f"The lab has no table for {kind!r}; choose one of {', '.join(LAYOUTS)}.")
  return LAYOUTS[kind]


def import_weights(kind: str, arrays: Mapping[str, Any], *, layer: str | int = 0, exact: bool = True) -> Params:
  """The lab's params, in NumPy arrays, that hold these weights of another library.

  Args:
    kind: the other cell's full name, such as `torch.nn.LSTM`; one of the keys of `LAYOUTS`.
    arrays: its weights by name, in nested dicts where that library nests; `docs/interop.md` says how to get them.
      A bias that the cell was built without is 0.
    layer: torch only: which layer, as torch writes it (`0`, `1`, `"1_reverse"`).
    exact: refuse where adding Haiku's 1 to the forget bias rounds (by 6e-8 in float32 for biases near 1).

  Raises:
    ValueError: for an unknown cell, a missing or unknown name, a shape that does not fit, mixed dtypes or dtypes
      that are not floating, or where the conversion is not exact.
  """
  layout = get_layout(kind)
  given = _one_layer(kind, flat(arrays), str(layer))
  _check_names(kind, layout, given)
  hidden, heights = _sizes(layout, given)
  _check_shapes(kind, layout, given, hidden, heights)
  shares: dict[tuple[str, str], np.ndarray] = {}
  for part in layout.parts:
    if part.name not in given:
      continue
    for block, theirs in _blocks(part, given[part.name], hidden, heights):
      ours = block.sign * theirs
      if block.shift:
        ours = _shifted(kind, ours, block.shift, exact)
      share = block.field, block.gate
      shares[share] = shares[share] + ours if share in shares else ours
  nothing = np.zeros_like(shares["recurrent_kernel", layout.gates[0]][0])
  fields = {
    field: [shares.get((field, gate), nothing) for gate in _gates(layout, field)] for field in layout.params._fields
  }
  return layout.params(**{field: np.concatenate(blocks, axis=-1) for field, blocks in fields.items()})


def export_weights(kind: str, params: Params, *, layer: str | int = 0, exact: bool = True) -> dict[str, Any]:
  """The weights of a cell of another library, in NumPy arrays under its names, that hold these params of the lab.

  Where the other library sums two biases, the first takes all and the second is 0. Arguments are as in `import_weights`.

  Raises:
    ValueError: for an unknown cell, params of another cell, or numbers the other library cannot hold, with the reason.
  """
  layout = get_layout(kind)
  _check_layer(kind, str(layer))
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
        shares[block.field, block.gate] = np.zeros_like(ours)  # a second bias that is summed gets nothing
        if block.shift:
          ours = _shifted(kind, ours, -block.shift, exact)
        blocks.append(block.sign * ours)
      lines.append(np.concatenate(blocks, axis=-1))
    whole = lines[0] if len(lines) == 1 else np.concatenate(np.atleast_2d(*lines))
    arrays[part.name] = np.ascontiguousarray(whole.T if part.transposed else whole)
  if kind.startswith("torch."):
    return {f"{name}_l{layer}": array for name, array in arrays.items()}
  return nested(arrays)


def flat(tree: Mapping[Any, Any]) -> Arrays:
  """Nested dicts of arrays as one of NumPy arrays; the levels of a name are joined by `/`, and None is left out."""
  arrays: Arrays = {}
  for name, value in tree.items():
    if isinstance(value, Mapping):
      arrays |= {f"{name}/{inner}": array for inner, array in flat(value).items()}
    elif value is not None:
      arrays[str(name)] = np.asarray(value)
  return arrays


def nested(arrays: Mapping[str, Any]) -> dict[str, Any]:
  """The inverse of `flat`."""
  tree: dict[str, Any] = {}
  for name, array in arrays.items():
    *levels, last = name.split("/")
    inner = tree
    for level in levels:
      inner = inner.setdefault(level, {})
    inner[last] = array
  return tree


def _gates(layout: Layout, field: str) -> str:
  """The gates that share a field: all, but for the bias inside the reset product."""
  return "n" if field == "recurrent_bias" else layout.gates


def _one_layer(kind: str, arrays: Arrays, layer: str) -> Arrays:
  """The arrays of one layer of a torch module, without its number; those of other libraries as they are."""
  _check_layer(kind, layer)
  if not kind.startswith("torch."):
    return arrays
  numbered = {name: re.fullmatch(r"(.*)_l(\d+(?:_reverse)?)", name) for name in arrays}
  layers = {match[2] for match in numbered.values() if match}
  if layer not in layers:
    raise ValueError(f"The arrays have no layer {layer}; they have {', '.join(sorted(layers)) or 'none at all'}.")
  return {
    match[1] if match else name: arrays[name] for name, match in numbered.items() if not match or match[2] == layer
  }


def _check_layer(kind: str, layer: str) -> None:
  if not kind.startswith("torch.") and layer != "0":
    raise ValueError(f"layer is {layer}, but only torch numbers its layers; give {kind} the arrays of one cell.")
  if not re.fullmatch(r"\d+(_reverse)?", layer):
    raise ValueError(f"layer is {layer!r}; it must be a number, such as 1, or 1_reverse for the other direction.")


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
  """(H, the rows of each kernel), read from the arrays that hold the input kernel."""
  part = next(part for part in layout.parts if part.grid[0][0].field == "input_kernel")
  shape = arrays[part.name].shape[::-1] if part.transposed else arrays[part.name].shape
  hidden = shape[-1] // len(part.grid[0]) if shape else 0
  inputs = shape[0] - hidden * (len(part.grid) - 1) if shape else 0
  return hidden, {"input_kernel": inputs, "recurrent_kernel": hidden}


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
  """Every block of an array of theirs, `[rows, H]` of a kernel and `[H]` of a bias."""
  whole = array.T if part.transposed else array
  first = 0
  for line in part.grid:
    if line[0].field in heights:
      rows = whole[first : (first := first + heights[line[0].field])]
    else:
      rows = whole if len(part.grid) == 1 else whole[first]
      first += 1
    yield from zip(line, np.split(rows, len(line), axis=-1), strict=True)


def _shares(kind: str, layout: Layout, params: Any) -> dict[tuple[str, str], np.ndarray]:
  """Every gate's share of every field; raises `ValueError` for a shape that one net of its gates has not."""
  inputs, hidden = np.shape(params.input_kernel)[:1], np.shape(params.recurrent_kernel)[:1]
  shares: dict[tuple[str, str], np.ndarray] = {}
  for field, array in params._asdict().items():
    gates = _gates(layout, field)
    rows = {"input_kernel": inputs, "recurrent_kernel": hidden}.get(field, ())
    shape = (*rows, *(len(gates) * h for h in hidden))
    if np.shape(array) != shape:
      raise ValueError(f"For {kind} the {field} of one net has shape {shape}; given is {np.shape(array)}.")
    shares |= {
      (field, gate): block for gate, block in zip(gates, np.split(np.asarray(array), len(gates), axis=-1), strict=True)
    }
  return shares


def _shifted(kind: str, numbers: np.ndarray, shift: int, exact: bool) -> np.ndarray:
  """numbers + shift; raises `ValueError` if that rounds and must not."""
  by = numbers.dtype.type(shift)
  shifted = numbers + by
  if exact and not np.array_equal(shifted - by, numbers, equal_nan=True):
    raise ValueError(
      f"{kind} adds 1 to the forget gate at run time, and {numbers.dtype} cannot hold every forget bias {shift:+d}"
      " exactly; exact=False rounds it."
    )
  return shifted
