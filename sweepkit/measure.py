"""Measures of a sweep: a pure function of one point, or a long run of a block of points that keeps files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sweepkit.points import Point
from sweepkit.settings import Settings

if TYPE_CHECKING:
  from jaxtyping import Array
  import numpy as np


class Quantity(NamedTuple):
  """Meaning and unit of a number.

  Attributes:
    long_name: in a few words.
    units: nats, nats per step, steps, ...; 1 for a number without a unit; "" for a name.
  """

  long_name: str
  units: str = ""


def no_labels(point: Point) -> dict[str, list[Any]]:
  """The labels of a measure whose arrays have no axes."""
  return {}


def no_check(point: Point) -> None:
  """Allows every point."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
  """Description of the arrays that both kinds of measure share.

  Attributes:
    settings: flag -> setting that a sweep can fix or vary. The first setting names the blocks.
    dims: name of an array -> names of its axes, after that of the points.
    coords: `point -> {axis name: labels}`.
    may_be_infinite: names whose +inf is an answer and not a failure, such as the memory length of a norm that never falls.
    may_be_nan: names whose NaN means that there is nothing to report, such as rows after the end of a run.
    dropped: the name of a count of updates that were left out. A point where it is above 0 has the status `updates_dropped`.
    check: raises a `ValueError` for a point whose settings do not go together.
    headline: numbers that a summary shows: name -> unit, the most important first. An array is shown by its first entry.
    quantities: what the arrays and the labels of their axes are, with units: the attributes of the dataset.
    group: the heading under which a listing shows its experiments.
  """

  settings: Settings
  dims: Mapping[str, Sequence[str]]
  coords: Callable[[Point], dict[str, list[Any]]] = no_labels
  may_be_infinite: Sequence[str] = ()
  may_be_nan: Sequence[str] = ()
  dropped: str | None = None
  check: Callable[[Point], Any] = no_check
  headline: Mapping[str, str] = dataclasses.field(default_factory=dict)
  quantities: Mapping[str, Quantity] = dataclasses.field(default_factory=dict)
  group: str = "Measurements"


@dataclasses.dataclass(frozen=True)
class Measure(Measured):
  """A measurement of one point.

  Attributes:
    run: `(static, key, values) -> {name: array}`, pure, to be jitted and vmapped over a block. `static` is the part of the point
      that determines the program, `key` is the random key of the point, and `values` are the traced settings as arrays.
  """

  run: "Callable[[Point, Array, Mapping[str, Array]], Mapping[str, Array]]"


def no_remarks(missing: Sequence[Point], stored: Sequence[Point]) -> Iterable[str]:
  """Says nothing."""
  return ()


def never(point: Point) -> bool:
  """Says that a run takes all its steps."""
  return False


@dataclasses.dataclass(frozen=True)
class RunMeasure(Measured):
  """A measurement that takes too long for one call and keeps files, such as a training run. Its blocks hold all seeds of a point.

  Attributes:
    run: `(points, folder, checkpoint_seconds) -> {name: array}` for a whole block, the points on the leading axis of every array.
      An interrupted run is called again with the same arguments and resumes from what it left in `folder`.
    remarks: `(points to compute, points stored) -> sentences` that a launch prints before it computes.
    may_end_early: whether the run of a point may end before all its steps are done, so that its expected time is uncertain.
  """

  run: "Callable[[Sequence[Point], Path, float], Mapping[str, np.ndarray]]"
  remarks: Callable[[Sequence[Point], Sequence[Point]], Iterable[str]] = no_remarks
  may_end_early: Callable[[Point], bool] = never


AnyMeasure = Measure | RunMeasure


def point_key(seed: Any, words: Any) -> "Array":
  """Returns the random key of a point, from its seed and the 64 bits of its content (`points.key_words`)."""
  import jax  # a page of help does without

  return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), words[0]), words[1])
