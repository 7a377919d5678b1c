"""The preview of a launch (`--dry_run`): its grid in words, what is stored of it already, and the time that the rest may take.

All of it is counted from the axes and from the JSON of the stored blocks. No point of the grid is listed.
"""

from collections.abc import Iterator, Mapping, Sequence
import itertools
from typing import Any, NamedTuple

from sweepkit import combinations
from sweepkit.code.identity import Codes
from sweepkit.execution.devices import TILE
from sweepkit.experiment import MACHINE, Experiment, default_axes
from sweepkit.measure import AnyMeasure, RunMeasure
from sweepkit.plan import MOST_CHECKED, Plan
from sweepkit.points import Point, label
from sweepkit.settings import Value, dimension, dimensions, traced_names
from sweepkit.store.blocks import UNKNOWN, block_paths, read_meta
from sweepkit.store.files import ResultsError
from sweepkit.words import count, duration, number

MOST_SHAPES = 24  # kinds of points whose shapes are shown; the labels of a kind take some hundredths of a second


class Stored(NamedTuple):
  """Facts about the blocks of a folder, from their JSON.

  Attributes:
    done: the number of points of the plan that are stored.
    outdated: the number of other points of the plan that other code computed.
    damaged: the number of blocks whose JSON cannot be read.
    rates: the first setting and the sizes of a point -> (seconds, points) of all blocks with these.
  """

  done: int
  outdated: int
  damaged: int
  rates: Mapping[tuple[Value, ...], tuple[float, int]]


def static_names(measure: AnyMeasure) -> list[str]:
  """Returns the dimensions of the settings that determine a program."""
  traced = traced_names(measure.settings)
  return [name for name in dimensions(measure.settings) if name not in traced]


def _size_names(measure: AnyMeasure) -> list[str]:
  """Returns the dimensions of the first setting and of the settings that have a symbol, such as H."""
  first, *_ = measure.settings
  return [dimension(name, measure.settings) for name, one in measure.settings.items() if name == first or one.symbol]


def stored(measure: AnyMeasure, plan: Plan) -> Stored:
  """Counts what is stored of a plan. The arrays are not read, so that a damaged one is noticed by the launch only.

  Raises:
    SchemaError: if a block has another schema.
  """
  codes, names = Codes(measure), _size_names(measure)
  done, outdated, damaged = set[int](), set[int](), 0
  rates: dict[tuple[Value, ...], tuple[float, int]] = {}
  for path in block_paths(plan.out):
    try:
      meta = read_meta(path)
    except ResultsError as error:
      if type(error) is not ResultsError:
        raise
      damaged += 1
      continue
    found, first = meta["points"], meta["points"][0]
    places = {place for point in found if (place := plan.points.place(point)) is not None}
    is_current = plan.keeps_other_code or meta.get("code", UNKNOWN) in (UNKNOWN, codes.of(Point(first)))
    (done if is_current else outdated).update(places)
    kind = tuple(first[name] for name in names if name in first)
    seconds, points = rates.get(kind, (0.0, 0))
    rates[kind] = seconds + _seconds(meta["provenance"]), points + len(found)
  return Stored(len(done), len(outdated - done), damaged, rates)


def _seconds(provenance: Mapping[str, Any]) -> float:
  """Returns the time that a block took, without that of compiling its program where the block has waited for it."""
  wall, compiling = (float(provenance.get(name, 0.0)) for name in ("wall_seconds", "compile_seconds"))
  return wall - compiling if wall > compiling else wall


def _stored_line(plan: Plan, found: Stored) -> str:
  others = [
    f"{count(found.outdated, 'point')} of other code, which a launch computes again" if found.outdated else "",
    f"{count(found.damaged, 'file')} that cannot be read" if found.damaged else "",
  ]
  beside = " and ".join(filter(None, others))
  return f"  stored already: {number(found.done)} of {count(plan.points.size, 'point')}" + (
    f"; beside them {beside}" if beside else ""
  )


def _rate(experiment: Experiment, plan: Plan, found: Stored) -> tuple[float, str] | None:
  """Returns the seconds per point and where they come from; None if nothing is known."""
  names = _size_names(experiment.measure)
  if 0 < plan.points.combinations(names) <= len(found.rates):
    kinds = [tuple(point[name] for name in names if name in point) for point in plan.points.firsts(names)]
    if all(kind in found.rates for kind in kinds):
      each = [seconds / points for seconds, points in map(found.rates.__getitem__, kinds)]
      points = sum(found.rates[kind][1] for kind in kinds)
      return sum(each) / len(each), f"at the rate of the {count(points, 'point')} of these sizes stored here"
  if experiment.seconds is None:
    return None
  axes, settings = default_axes(experiment), experiment.measure.settings
  points = experiment.seeds
  for values in axes.values():
    points *= len(values)
  others = [
    name
    for name, one in settings.items()
    if one.symbol and set(axes[name]) != set(plan.axes[dimension(name, settings)])
  ]
  rate = f"at the rate of the default grid ({duration(experiment.seconds)} for {count(points, 'point')} on {MACHINE})"
  return experiment.seconds / points, rate + (f", whose {' and '.join(others)} differ" if others else "")


def _time_line(experiment: Experiment, plan: Plan, found: Stored) -> str:
  left, (shard, shards) = plan.points.size - found.done, plan.shard
  known = _rate(experiment, plan, found)
  if known is None or not left:
    return f"  expected time: {'not known' if left else 'none'}"
  seconds, source = known
  share = f", and {duration(left * seconds / shards)} for shard {shard}/{shards}" if shards > 1 else ""
  ends = ""
  if isinstance(experiment.measure, RunMeasure) and experiment.measure.may_end_early(plan.points[0]):
    ends = "; a run ends as soon as it is solved, so that this depends on when it is"
  return f"  expected time: about {duration(left * seconds)} in one process{share}, {source}{ends}"


def _shapes(measure: AnyMeasure, plan: Plan) -> Iterator[str]:
  """Yields a line for every kind of point with the shapes of its arrays. Floats do not change shapes."""
  settings = measure.settings
  whole = [dimension(name, settings) for name, one in settings.items() if not one.traced and one.kind is not float]
  sizes = [dimension(name, settings) for name, one in settings.items() if one.symbol]
  for point in itertools.islice(plan.points.firsts(whole), MOST_SHAPES):
    labels = measure.coords(point)
    shapes = ", ".join(f"{name} {[len(labels[axis]) for axis in axes]}" for name, axes in measure.dims.items())
    of = ", ".join(f"{name}={point[name]}" for name in sizes)
    yield f"  a point of {label(point)} ({of}): {shapes}"
  if (more := plan.points.combinations(whole) - MOST_SHAPES) > 0:
    yield f"  and {count(more, 'combination')} more of settings that may change these shapes"


def _calls(measure: AnyMeasure, plan: Plan) -> int:
  """Returns the number of calls of the plan's shard."""
  tile = 1 if isinstance(measure, RunMeasure) else TILE
  shard, shards = plan.shard
  return len(range(shard, plan.points.calls(static_names(measure), plan.chunk, tile), shards))


def describe(experiment: Experiment, plan: Plan) -> str:
  """Describes a launch in words: its points and calls, its axes, the shapes of a point's arrays, what is stored, and the time."""
  measure: Any = experiment.measure
  found = stored(measure, plan)
  lines: Sequence[str] = [
    f"{experiment.name}: {count(plan.points.size, 'point')} in {count(_calls(measure, plan), 'call')} -> {plan.out}",
    *combinations.described(plan.axes, plan.brought, plan.zipped, plan.seeds),
    *_shapes(measure, plan),
    _stored_line(plan, found),
    _time_line(experiment, plan, found),
  ]
  unchecked = f"  Of the combinations of settings, {MOST_CHECKED} were tried; a launch tries all before it begins."
  return "\n".join(dict.fromkeys([*lines, *([] if plan.is_checked else [unchecked])]))  # equal shapes are shown once
