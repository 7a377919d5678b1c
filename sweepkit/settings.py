"""Settings of a sweep: their types, defaults and allowed values, and how flag text becomes values."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

Value = float | int | str | bool
Check = tuple[Callable[[Any], bool], str]  # what a value must satisfy, and the same in words

NO_TABLE: Mapping[str, Any] = MappingProxyType({})


class Reference(NamedTuple):
  """A text setting that refers to something outside of the point, such as a file.

  Attributes:
    find: `(text, results folder)`: called before the text is parsed, to find what an earlier launch in that folder referred to.
    is_same: `(stored value, value asked for)`: whether both refer to the same thing.
    shown: the text without what belongs to this machine, such as the folder of a file.
  """

  find: Callable[[str, Path], None]
  is_same: Callable[[str, str], bool]
  shown: Callable[[str], str]


class Setting(NamedTuple):
  """A quantity that a sweep can fix or vary. Its name is that of its flag.

  Attributes:
    kind: the type of a value.
    default: its default, in flag syntax.
    help: one line, with units.
    check: what a value must satisfy.
    allowed: the same in words.
    traced: whether points that differ in it share one compiled program.
    units: of its values; 1 for a number without a unit, "" for a name.
    dimension: its name in points and datasets, where the flag has another, such as a plural.
    is_axis: whether datasets keep it as a dimension where it has a single value.
    symbol: the letter under which a listing shows it as a size, such as H.
    table: what the names of a text setting stand for. A dataset orders the names as the table does, and the code of a point
      includes the entry that it uses.
    canonical: turns a text into the value that a point holds, such as a file's name with a hash of its content. Raises
      `ValueError`.
    reference: set where the text refers to something outside of the point.
    brings: value -> the settings that only points with this value have, such as those of an object of the user. Raises
      `ValueError`.
    absent: the value, in flag syntax, at which a dataset shows the points that lack the setting; empty if all points have it.
  """

  kind: type
  default: str
  help: str
  check: Callable[[Any], bool]
  allowed: str
  traced: bool = False
  units: str = ""
  dimension: str = ""
  is_axis: bool = False
  symbol: str = ""
  table: Mapping[str, Any] = NO_TABLE
  canonical: Callable[[str], str] = str
  reference: Reference | None = None
  brings: Callable[[Any], "Settings"] | None = None
  absent: str = ""


Settings = Mapping[str, Setting]  # name of the flag -> setting


def one_of(names: Sequence[str]) -> Check:
  """Allows these names."""
  return lambda name: name in names, "one of " + ", ".join(names)


FINITE: Check = (math.isfinite, "a finite number")
NON_NEGATIVE: Check = (lambda v: math.isfinite(v) and v >= 0, "a finite number of 0 or more")
POSITIVE: Check = (lambda v: 0 < v < math.inf, "a finite number above 0")
POSITIVE_INT: Check = (lambda v: v >= 1, "a whole number of 1 or more")
NON_NEGATIVE_INT: Check = (lambda v: v >= 0, "a whole number of 0 or more")


def dimension(name: str, settings: Settings) -> str:
  """Returns the name of a setting in points and datasets."""
  return settings[name].dimension or name


def dimensions(settings: Settings) -> list[str]:
  """Returns the names of all settings in points and datasets."""
  return [dimension(name, settings) for name in settings]


def traced_names(settings: Settings) -> tuple[str, ...]:
  """Returns the dimensions of the settings that a program takes as arguments."""
  return tuple(dimension(name, settings) for name, setting in settings.items() if setting.traced)


def _number(text: str, kind: type) -> float | int:
  """Returns the number that a text names, without the sign of -0: equal numbers are one value."""
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
  """Returns the shortest spelling of a number: `1` for `1.0`, `1e0` and `+1`.

  Raises:
    ValueError: if the text is not a number.
  """
  return repr(_number(text, float)).removesuffix(".0")


RANGE_DIGITS = 12  # significant: more than float32 distinguishes, and short enough to type in a list or a selection


def decimal_texts(values: Sequence[float], digits: int = 15) -> list[str]:
  """Spells numbers of a program as the decimals that were meant: 0.1 + 0.2 is 0.3, and `np.arange(-0.3, 0.35, 0.1)` holds 0.

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
  """Returns `count` evenly spaced numbers, in exact arithmetic: the middle of -0.3 and 0.3 is 0 and not 6e-17."""
  return [float(first + i * (last - first) / (count - 1)) for i in range(count)]


def _count(text: str, parts: Sequence[str]) -> int:
  """Returns the number of values of a range.

  Raises:
    ValueError: for a step in its place, with the range that is meant.
  """
  try:
    return int(_number(parts[-1], int))
  except ValueError:
    numbers = [_number(part, float) for part in (parts[0], parts[1], parts[-1])]
    meant = ""
    if len(parts) == 3 and all(map(math.isfinite, numbers)) and numbers[-1]:
      start, stop, step = (Fraction(repr(number)) for number in numbers)
      steps = (stop - start) / step
      meant = f", as in {parts[0]}:{parts[1]}:{steps + 1}" if steps.denominator == 1 and steps > 0 else ""
    raise ValueError(
      f"{text!r} ends with {parts[-1]}, where the number of values belongs and not a step{meant}"
    ) from None


def _range(text: str, kind: type) -> list[float | int]:
  parts = text.split(":")
  is_log = len(parts) == 4 and parts[2] == "log"
  if len(parts) == 3 and parts[2] == "log":
    raise ValueError(f"{text!r} does not say how many values it has; {text}:12 has 12")
  if len(parts) != 3 and not is_log:
    raise ValueError(f"{text!r} is not a range; a range is start:stop:count or start:stop:log:count")
  start, stop, count = float(_number(parts[0], float)), float(_number(parts[1], float)), _count(text, parts)
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


def parse_axis(name: str, text: str, settings: Mapping[str, Setting], keeps_equal: bool = False) -> tuple[Value, ...]:
  """Parses the values of a setting from its flag: a list (`0.5,1,-1.5`) or a range (`start:stop:count`, `start:stop:log:count`).

  The values of a list are the decimals as written. Those between the ends of a range are exact to 12 digits: `0.1:0.7:7` is
  `0.1,0.2,0.3,0.4,0.5,0.6,0.7`. Equal values (1, 1.0 and 1e0; 0 and -0) are one, however often they are given, unless
  `keeps_equal`: those of a setting that goes together with others may repeat.

  Raises:
    ValueError: saying which value is wrong and what is allowed.
  """
  setting = settings[name]
  if setting.kind is not str and text.strip().startswith(("[", "(")):
    raise ValueError(f"{text!r} has brackets; a list is {text.strip('[]() ')}")
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
  return tuple(values if keeps_equal else dict.fromkeys(values))
