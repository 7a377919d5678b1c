"""Describes a curve in words that hold whatever its values are: where it crosses 0, and which way it goes.

A curve is its places, in increasing order, and a value at each of them; NaN is a place without a value. Values may be
infinite. Every sentence about a curve that the lab prints, draws or judges by comes from here.

>>> against_zero([1, 2, 3], [-1.0, 1.0, 2.0], "W_s")
'rises above 0 at W_s = 1.5'
>>> against_zero([1, 2, 3], [0.5, 1.0, 2.0], "W_s")
'stays above 0 from W_s = 1 to 3'
"""

from collections.abc import Sequence
import itertools
import math
from typing import NamedTuple

MOST = 3  # crossings that are listed one by one


class Crossing(NamedTuple):
  """A change of sign.

  Attributes:
    before, after: the places between which it happens; equal where a straight line between two values is 0.
    rises: whether the values are above 0 after it.
  """

  before: float
  after: float
  rises: bool


def short(value: float) -> str:
  """Three digits, thousands in full; – for what was not measured."""
  if not math.isfinite(value):
    return "–" if math.isnan(value) else "∞" if value > 0 else "-∞"
  return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def crossings(places: Sequence[float], values: Sequence[float]) -> list[Crossing]:
  """Every change of sign, by linear interpolation between neighbours.

  Next to an infinite value, or across places without a value, nothing can be interpolated: the two places stand for it.
  A curve that touches 0 and turns back does not cross it.
  """
  known = [i for i, value in enumerate(values) if not math.isnan(value)]
  signed = [i for i in known if values[i] != 0]
  found = []
  for i, j in itertools.pairwise(signed):
    a, b = values[i], values[j]
    if (a > 0) == (b > 0):
      continue
    zeros = [places[k] for k in known if i < k < j]
    if zeros:
      before, after = zeros[0], zeros[-1]
    elif math.isfinite(a) and math.isfinite(b) and j == i + 1:
      before = after = places[i] + (places[j] - places[i]) * (a / (a - b))
    else:
      before, after = places[i], places[j]
    found.append(Crossing(before, after, b > 0))
  return found


def _described(crossing: Crossing, axis: str) -> str:
  verb = "rises above 0" if crossing.rises else "falls below 0"
  if crossing.before == crossing.after:
    return f"{verb} at {axis} = {short(crossing.before)}"
  return f"{verb} between {axis} = {short(crossing.before)} and {short(crossing.after)}"


def _gaps(values: Sequence[float]) -> str:
  missing = sum(map(math.isnan, values))
  return f" (no value at {missing} of {len(values)} places)" if missing else ""


def _known(places: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
  """The places at which there is a value, and these values."""
  pairs = [(place, value) for place, value in zip(places, values, strict=True) if not math.isnan(value)]
  return [place for place, _ in pairs], [value for _, value in pairs]


def against_zero(places: Sequence[float], values: Sequence[float], axis: str) -> str:
  """Says on which side of 0 a curve lies and where it crosses: `rises above 0 at W_s = 1.5`. Missing values are counted."""
  at, known = _known(places, values)
  if not known:
    return "has no value"
  gaps = _gaps(values)
  if len(known) == 1:
    side = "above 0" if known[0] > 0 else "below 0" if known[0] < 0 else "0"
    return f"is {side} at {axis} = {short(at[0])}, its one value{gaps if len(values) > 1 else ''}"
  span = f"{axis} = {short(at[0])} to {short(at[-1])}"
  if not any(known):
    return f"is 0 from {span}{gaps}"
  found = crossings(places, values)
  if len(found) > MOST:
    return f"crosses 0 {len(found)} times from {span}{gaps}"
  if found:
    return ", ".join(_described(crossing, axis) for crossing in found) + gaps
  zeros = [short(place) for place, value in zip(at, known, strict=True) if value == 0]
  side = "above" if max(known) > 0 else "below"
  if not zeros:
    return f"stays {side} 0 from {span}{gaps}"
  where = f"{axis} = {zeros[0]}" if len(zeros) == 1 else f"{len(zeros)} places"
  return f"touches 0 at {where} and is {side} it elsewhere from {span}{gaps}"


def trend(places: Sequence[float], values: Sequence[float], axis: str) -> str:
  """Says which way a curve goes, and between which values.

  Such as `rises from -1 to 0.5`, or `goes from 1 to 2 with a lowest of -3 at W_s = 4`.
  """
  at, known = _known(places, values)
  if not known:
    return "has no value"
  gaps = _gaps(values)
  if len(known) == 1:
    return f"is {short(known[0])} at {axis} = {short(at[0])}, its one value{gaps if len(values) > 1 else ''}"
  if at[0] != places[0] or at[-1] != places[-1]:
    gaps = f" ({axis} = {short(at[0])} to {short(at[-1])} only)"
  first, last = known[0], known[-1]
  ends = f"from {short(first)} to {short(last)}"
  pairs = list(itertools.pairwise(known))
  if all(a == b for a, b in pairs):
    return f"stays at {short(first)}{gaps}"
  if all(a <= b for a, b in pairs):
    return f"rises {ends}{gaps}"
  if all(a >= b for a, b in pairs):
    return f"falls {ends}{gaps}"
  turns = []
  for name, extreme in (("lowest", min(known)), ("highest", max(known))):
    if short(extreme) not in (short(first), short(last)):
      turns.append(f"a {name} of {short(extreme)} at {axis} = {short(at[known.index(extreme)])}")
  return f"goes {ends}{' with ' + ' and '.join(turns) if turns else ', up and down'}{gaps}"
