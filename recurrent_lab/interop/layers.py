"""The arrays of one layer among those of a module, and their names. `layouts.Layers` says how a library writes them."""

from collections.abc import Mapping
import re

import numpy as np

from recurrent_lab.interop.layouts import Layers, Layout

Arrays = Mapping[str, np.ndarray]


def of_layer(kind: str, layout: Layout, arrays: Arrays, layer: str) -> dict[str, np.ndarray]:
  """Returns the arrays of one layer under their names in the table. Other arrays keep their names.

  Raises:
    ValueError: for a layer that the arrays have not, or a library that does not number layers.
  """
  check_layer(kind, layout, layer)
  layers = layout.layers
  if layers.stacked:
    return _direction(arrays, backwards=layer.endswith("_reverse"))
  if layers == Layers():
    return dict(arrays)
  numbered = {name: _parsed(layers, name) for name in arrays}
  found = {at for _, at in numbered.values() if at}
  if layer not in found:
    raise ValueError(f"The arrays have no layer {layer}; they have {', '.join(sorted(found)) or 'none at all'}.")
  return {short: arrays[name] for name, (short, at) in numbered.items() if at in ("", layer)}


def to_layer(layout: Layout, arrays: Arrays, layer: str) -> dict[str, np.ndarray]:
  """Returns the arrays under their names in a module: the inverse of `of_layer` for one layer."""
  if layout.layers.stacked:
    return {name: array[None] for name, array in arrays.items()}
  number, backwards, _ = layer.partition("_reverse")
  pattern = layout.layers.reverse if backwards else layout.layers.forward
  return {pattern.format(name=name, layer=number): array for name, array in arrays.items()}


def check_layer(kind: str, layout: Layout, layer: str) -> None:
  """Raises `ValueError` unless a module of this kind can have that layer."""
  layers = layout.layers
  if not re.fullmatch(r"\d+(_reverse)?", layer):
    raise ValueError(f"layer is {layer!r}; it must be a number, such as 1, or 1_reverse for the other direction.")
  if layers.stacked and layer not in ("0", "0_reverse"):
    raise ValueError(f"layer is {layer}, but the arrays of {kind} are those of one layer: 0, or 0_reverse.")
  if layers == Layers() and layer != "0":
    raise ValueError(f"layer is {layer}, but {kind} does not number layers; give it the arrays of one cell.")
  if layer.endswith("_reverse") and not (layers.reverse or layers.stacked):
    raise ValueError(f"layer is {layer}, but {kind} has no name for the other direction.")


def _direction(arrays: Arrays, backwards: bool) -> dict[str, np.ndarray]:
  """Returns one direction of arrays that have a leading axis of one or two directions."""
  counts = {array.shape[0] if array.ndim else 0 for array in arrays.values()}
  if not counts <= {1, 2} or len(counts) != 1:
    shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
    raise ValueError(f"The arrays must have one leading axis of 1 or 2 directions; given are {shapes}.")
  if backwards and counts == {1}:
    raise ValueError("The arrays have no layer 0_reverse; they have one direction.")
  return {name: array[int(backwards)] for name, array in arrays.items()}


def _parsed(layers: Layers, name: str) -> tuple[str, str]:
  """Returns the name in the table and the layer, such as `1_reverse`. The layer is "" for names without one."""
  for pattern, ending in ((layers.reverse, "_reverse"), (layers.forward, "")):
    expression = re.escape(pattern).replace(r"\{name\}", "(?P<name>.+?)").replace(r"\{layer\}", r"(?P<layer>\d+)")
    if pattern and (match := re.fullmatch(expression, name)):
      return match["name"], match["layer"] + ending
  return name, ""
