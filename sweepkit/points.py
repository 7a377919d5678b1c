"""The grid of a sweep as plain data: flag text -> values -> points -> blocks.

A point is a flat dict of everything that determines its numbers. Its random key comes from that content, so a result does
not depend on the order, shard or block in which it was computed.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
import hashlib
import itertools
import json
import math
from typing import Any, NamedTuple

import numpy as np

from recurrent_lab.cells import CELLS
from recurrent_lab.initializers import RECURRENT_INITS

Value = float | int | str | bool
Point = dict[str, Value]


class Setting(NamedTuple):
  """One quantity that a sweep can fix or vary.

  Attributes:
    kind: the type of a value.
    default: its default, in flag syntax.
    help: one line, with units.
    check: what a value must satisfy.
    allowed: the same in words.
    traced: whether points that differ in it share one compiled program.
    canonical: of a text: what a point holds for it, such as a file's name with the hash of what is in it; raises `ValueError`.
    units: of its values; 1 for a number without a unit, "" for a name.
  """

  kind: type
  default: str
  help: str
  check: Callable[[Any], bool]
  allowed: str
  traced: bool = False
  canonical: Callable[[str], str] = str
  units: str = ""


def one_of(names: Sequence[str]) -> tuple[Callable[[Any], bool], str]:
  return lambda name: name in names, "one of " + ", ".join(names)


INPUTS = ("white", "zero")

FINITE = (math.isfinite, "a finite number")
NON_NEGATIVE = (lambda v: math.isfinite(v) and v >= 0, "a finite number of 0 or more")
POSITIVE_INT = (lambda v: v >= 1, "a whole number of 1 or more")

# The names are those of the flags and of the dimensions of the results.
SETTINGS: Mapping[str, Setting] = {
  "cells": Setting(str, "rnn,lstm,gru", "cells to compare", *one_of(tuple(CELLS))),
  "hidden_size": Setting(int, "64", "units H", *POSITIVE_INT, units="1"),
  "input_size": Setting(int, "16", "inputs I", *POSITIVE_INT, units="1"),
  "seq_len": Setting(int, "200", "steps T", lambda v: v >= 4, "a whole number of 4 or more", units="steps"),
  "input": Setting(
    str,
    "white",
    "white: Gaussian, independent at every step; zero: none, from a Gaussian initial state",
    *one_of(INPUTS),
  ),
  "recurrent_init": Setting(str, "gaussian", "the recurrent kernel at gain 1", *one_of(tuple(RECURRENT_INITS))),
  "ws": Setting(float, "1", "recurrent gain W_s: entries have standard deviation W_s / √H", *FINITE, True, units="1"),
  "input_scale": Setting(float, "1", "standard deviation of the inputs", *NON_NEGATIVE, True, units="1"),
  "bias_scale": Setting(float, "0", "standard deviation of the biases", *NON_NEGATIVE, True, units="1"),
  "bias": Setting(float, "0", "added to the bias of every pre-activation", *FINITE, True, units="1"),
  "forget_bias": Setting(float, "0", "bias of the gate that keeps the state (LSTM f, GRU z)", *FINITE, True, units="1"),
}

# The dimension of a setting is named in the singular where the flag takes a list of names.
DIMENSION = {"cells": "cell"}


def dimension(setting: str) -> str:
  return DIMENSION.get(setting, setting)


def _number(text: str, kind: type) -> float | int:
  """The number that a text names, without the sign of -0: equal numbers are one value."""
  try:
    value = float(text)
  except ValueError:
    raise ValueError(f"{text!r} is not a number") from None
  if kind is int:
    exact = Decimal(text)
    if not value.is_integer() or exact != exact.to_integral_value():
      raise ValueError(f"{text!r} is not a whole number")
    return int(exact)
  return value + 0.0


def number_text(text: str) -> str:
  """The shortest spelling of the number that a text names: `1` for `1.0`, `1e0` and `+1`.

  Raises:
    ValueError: if it names none.
  """
  return repr(_number(text, float)).removesuffix(".0")


RANGE_DIGITS = 12  # significant; beyond what float32 tells apart, and short enough to be named in a list or a selection


def decimal_texts(values: Sequence[float], digits: int = 15) -> list[str]:
  """Numbers of a program as the decimals that were meant: 0.1 + 0.2 is 0.3, and `np.arange(-0.3, 0.35, 0.1)` holds 0.

  A number with more than `digits` significant digits (15, or 6 of what was stored as float32) was computed. If there is one,
  evenly spaced numbers become the range between their rounded ends, and others are rounded one by one.
  """
  numbers = [float(value) for value in values]
  is_computed = any(float(f"{number:.{digits}g}") != number for number in numbers)
  if is_computed and all(map(math.isfinite, numbers)):
    kept, largest, steps = min(digits, RANGE_DIGITS), max(map(abs, numbers)), np.diff(numbers)
    if len(numbers) > 2 and np.all(np.abs(steps - steps.mean()) <= 10.0**-kept * largest):
      places = kept - 1 - math.floor(math.log10(largest))
      first, last = (Fraction(repr(round(end, places))) for end in (numbers[0], numbers[-1]))
      numbers = _even(first, last, len(numbers))
    numbers = [float(f"{number:.{kept}g}") for number in numbers]
  return [number_text(repr(number)) for number in numbers]


def _even(first: Fraction, last: Fraction, count: int) -> list[float]:
  """So many numbers from the first to the last: in exact arithmetic, so that one between -0.3 and 0.3 is 0 and not 6e-17."""
  return [float(first + i * (last - first) / (count - 1)) for i in range(count)]


def _range(text: str, kind: type) -> list[float | int]:
  parts = text.split(":")
  is_log = len(parts) == 4 and parts[2] == "log"
  if len(parts) != 3 and not is_log:
    raise ValueError(f"{text!r} is not a range; a range is start:stop:count or start:stop:log:count")
  start, stop, count = float(_number(parts[0], float)), float(_number(parts[1], float)), int(_number(parts[-1], int))
  if not (math.isfinite(start) and math.isfinite(stop)):
    raise ValueError(f"{text!r} has an end that is not finite")
  if start >= stop:
    raise ValueError(f"{text!r} is an empty or reversed range; its start must be below its stop")
  if count < 2:
    raise ValueError(f"{text!r} has {count} values; a range has 2 or more")
  if is_log and start <= 0:
    raise ValueError(f"{text!r} is logarithmic from {start:g}; a logarithmic range starts above 0")
  if is_log:
    values = np.geomspace(start, stop, count).tolist()
  else:
    values = _even(Fraction(repr(start)), Fraction(repr(stop)), count)
  middle = [_number(f"{value:.{RANGE_DIGITS}g}", kind) for value in values[1:-1]]
  return [_number(parts[0], kind), *middle, _number(parts[1], kind)]


def parse_axis(name: str, text: str, settings: Mapping[str, Setting] = SETTINGS) -> tuple[Value, ...]:
  """The values of a setting from its flag: a list (`0.5,1,-1.5`) or a range (`start:stop:count`, `start:stop:log:count`).

  The values of a list are the decimals as written. Those between the ends of a range are exact to 12 digits: `0.1:0.7:7` is
  `0.1,0.2,0.3,0.4,0.5,0.6,0.7`. Equal values (1, 1.0 and 1e0; 0 and -0) are one, however often they are given.

  Raises:
    ValueError: saying which value is wrong and what is allowed.
  """
  setting = settings[name]
  items = [item.strip() for item in text.split(",")]
  if not all(items):
    raise ValueError(f"{text!r} has an empty value; give a list such as 0.5,1 or a range such as 0:2:5")
  values: list[Value] = []
  for item in items:
    if setting.kind is str:
      values.append(setting.canonical(item))
    elif ":" in item:
      values.extend(_range(item, setting.kind))
    else:
      values.append(_number(item, setting.kind))
  for value in values:
    if not setting.check(value):
      raise ValueError(f"{value!r} is not allowed; it must be {setting.allowed}")
  return tuple(dict.fromkeys(values))


def expand(axes: Mapping[str, Sequence[Value]], seeds: int, x64: bool) -> list[Point]:
  """Every combination of the values of all settings with seeds 0 … seeds-1, the seed running fastest."""
  names = [dimension(name) for name in axes]
  combinations = itertools.product(*axes.values(), range(seeds))
  return [dict(zip([*names, "seed"], combination, strict=True)) | {"x64": x64} for combination in combinations]


def content_hash(content: Any) -> str:
  """The SHA-256, in hex, of plain data in canonical JSON."""
  text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
  return hashlib.sha256(text.encode()).hexdigest()


def key_words(point: Point) -> tuple[int, int]:
  """64 bits of the point's hash, to be folded into its random key."""
  digest = content_hash(point)
  return int(digest[:8], 16), int(digest[8:16], 16)


def traced_names(settings: Mapping[str, Setting]) -> tuple[str, ...]:
  """The dimensions of the settings that a program takes as arguments."""
  return tuple(dimension(name) for name, setting in settings.items() if setting.traced)


TRACED = traced_names(SETTINGS)


def static_part(point: Point, traced: Sequence[str] = TRACED) -> Point:
  """What determines the compiled program: everything but the traced settings and the seed."""
  return {name: value for name, value in point.items() if name not in (*traced, "seed")}


def blocks(points: Sequence[Point], chunk: int, traced: Sequence[str] = TRACED, tile: int = 1) -> list[list[Point]]:
  """Splits points into blocks that are computed and stored as a unit: one program each, at most `chunk` points, nearly even.

  A block is a whole number of tiles, but for the last of a group; a chunk of less than a tile is a smaller tile.
  """
  tile = min(tile, chunk)
  chunk -= chunk % tile
  groups: dict[str, list[Point]] = {}
  for point in points:
    groups.setdefault(content_hash(static_part(point, traced)), []).append(point)
  result: list[list[Point]] = []
  for group in groups.values():
    size = math.ceil(len(group) / math.ceil(len(group) / chunk))
    size += -size % tile
    result.extend(group[i : i + size] for i in range(0, len(group), size))
  return result
