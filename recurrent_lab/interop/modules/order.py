"""The order of recurrent layers that only have names, and which of them are two directions of one layer.

Layers whose paths differ only in numbers are stacked by these numbers: `cells.0` and `cells.1`, `lstm` and `lstm_1`,
`LSTMCell_0` and `LSTMCell_1`. Layers whose paths differ in one of the words of `DIRECTIONS` are a pair. Any other order is the
caller's to say, because arrays do not hold it.
"""

from collections.abc import Sequence
import re
from typing import NamedTuple

from recurrent_lab.interop.modules.found import Layer, Pair

DIRECTIONS = (
  ("forward_rnn", "backward_rnn"),  # Flax
  ("forward_layer", "backward_layer"),  # Keras
  ("forward", "backward"),
  ("fwd", "bwd"),
)


class Unit(NamedTuple):
  """A module with one or several layers: all layers of a module of torch, or one layer or pair of another library."""

  name: str
  layers: tuple[Layer | Pair, ...]


def flat(layers: Sequence[Layer | Pair]) -> list[Layer]:
  """Returns all layers, those of pairs one after the other."""
  return [one for layer in layers for one in ((layer.forward, layer.backward) if isinstance(layer, Pair) else (layer,))]


def ordered(units: Sequence[Unit], chosen: Sequence[str | tuple[str, str]] | None) -> tuple[Layer | Pair, ...]:
  """Returns the layers of all units, or of the chosen ones, from the lowest to the highest.

  Raises:
    ValueError: for a name that no unit has, a direction without the other one, or units whose order their names do not say.
  """
  paired = _paired(units)
  if chosen is not None:
    return _chosen([*units, *paired], chosen)
  stems = {unit.name: _stem(unit.name) for unit in paired}
  numbers = [stem[1] for stem in stems.values()]
  if len({stem[0] for stem in stems.values()}) > 1 or len(set(numbers)) < len(numbers):
    names = ", ".join(stems)
    raise ValueError(
      f"There are {len(paired)} recurrent modules, and their names do not say how they are connected: {names}."
      " Choose some with layers=[...], the lowest first."
    )
  return tuple(layer for unit in sorted(paired, key=lambda unit: stems[unit.name][1]) for layer in unit.layers)


def _paired(units: Sequence[Unit]) -> list[Unit]:
  """Joins the units that are two directions of one layer."""
  by_name = {unit.name: unit for unit in units}
  done, found = set(), []
  for unit in units:
    if unit.name in done:
      continue
    ahead, back, whole = _both_names(unit.name)
    if not whole:
      found.append(unit)
      continue
    done |= {ahead, back}
    if missing := [name for name in (ahead, back) if name not in by_name]:
      raise ValueError(f"{unit.name} reads in one of two directions, but {missing[0]} is missing.")
    found.append(Unit(whole, (_pair(by_name[ahead], by_name[back]),)))
  return found


def _both_names(name: str) -> tuple[str, str, str]:
  """Returns the names of both directions and of the whole, or three empty texts for a layer of one direction."""
  parts = re.split(r"([./])", name)
  for words in DIRECTIONS:
    for i, part in enumerate(parts):
      if part in words:
        ahead, back = ("".join([*parts[:i], word, *parts[i + 1 :]]) for word in words)
        rest = "".join([*parts[:i], *parts[i + 2 :]]).strip("./")
        return ahead, back, rest or name
  return "", "", ""


def _pair(forward: Unit, backward: Unit) -> Pair:
  layers = [*forward.layers, *backward.layers]
  if len(layers) != 2 or not all(isinstance(layer, Layer) for layer in layers):
    raise ValueError(f"{forward.name} and {backward.name} are not a pair; each must be one layer of one direction.")
  ahead, back = flat(layers)
  if ahead.input_size != back.input_size:
    raise ValueError(
      f"{ahead.name} and {back.name} are not a pair: they take {ahead.input_size} and {back.input_size} numbers per step."
    )
  return Pair(ahead, back._replace(backwards=True))


def _chosen(units: Sequence[Unit], chosen: Sequence[str | tuple[str, str]]) -> tuple[Layer | Pair, ...]:
  by_name = {unit.name: unit for unit in units}
  names = [name for choice in chosen for name in ([choice] if isinstance(choice, str) else choice)]
  if unknown := [name for name in names if name not in by_name]:
    raise ValueError(f"layers names {unknown[0]!r}; the recurrent modules are {', '.join(by_name)}.")
  if not names or len(set(names)) < len(names):
    raise ValueError("layers must name every recurrent module once, and at least one.")
  layers: list[Layer | Pair] = []
  for choice in chosen:
    if isinstance(choice, str):
      layers += by_name[choice].layers
    elif len(choice) == 2:
      layers.append(_pair(by_name[choice[0]], by_name[choice[1]]))
    else:
      raise ValueError(f"layers holds {choice}; two directions of one layer are a pair (forward, backward).")
  return tuple(layers)


def _stem(name: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
  """Returns the parts of a path without their numbers, and the numbers. A part without a number counts as number 0."""
  parts = [re.fullmatch(r"(.*?)_?(\d*)", part) for part in re.split(r"[./]", name)]
  return tuple(part[1] for part in parts if part), tuple(int(part[2] or 0) for part in parts if part)
