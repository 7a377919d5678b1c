"""Computes blocks of points: plain data in, arrays or an error out.

A block of a sweep starts before the outcome of the previous block is handed out, so that the devices do not wait for the disk. A
block of a `RunMeasure` is left to that measure.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import contextlib
from functools import partial
from pathlib import Path
import time
from typing import Any, NamedTuple

import jax
import numpy as np

from sweepkit.execution import devices, signals
from sweepkit.execution.progress import say
from sweepkit.measure import Measure, Measured, RunMeasure, point_key
from sweepkit.points import Point, key_words, label, static_part
from sweepkit.settings import traced_names
from sweepkit.store.blocks import STATUS


def traced_arguments(points: Sequence[Point], names: Sequence[str]) -> tuple[Any, ...]:
  """Returns the parts of points that a compiled program takes as arguments."""
  seeds = np.array([point["seed"] for point in points], np.uint32)
  words = np.array([key_words(point) for point in points], np.uint32)
  float_dtype = np.float64 if points[0]["x64"] else np.float32
  having = [name for name in names if name in points[0]]  # some settings belong to other values of the first one
  values = {name: np.array([point[name] for point in points], float_dtype) for name in having}
  return seeds, words, values


def measure_block(measure: Measure, static: Point, seeds: Any, words: Any, values: Any) -> Mapping[str, Any]:
  """Computes the measure of a block of points, with the points on the leading axis."""

  def one(seed: Any, words: Any, values: Any) -> Mapping[str, Any]:
    return measure.run(static, point_key(seed, words), values)

  return jax.vmap(one)(seeds, words, values)


def status(measure: Measured, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
  """Returns the `STATUS` of every point.

  It is `nonfinite` if the point holds a NaN or +inf where that is not an answer, else `updates_dropped` if it counts any, and
  else `ok`.
  """
  bad = np.zeros(next(iter(arrays.values())).shape[0], bool)
  for name, array in arrays.items():
    wrong = np.zeros(array.shape, bool)
    if name not in measure.may_be_nan:
      wrong |= np.isnan(array)
    if name not in measure.may_be_infinite:
      wrong |= np.isposinf(array)
    bad |= wrong.reshape(len(bad), -1).any(axis=1)
  dropped = arrays[measure.dropped] > 0 if measure.dropped else np.zeros_like(bad)
  names = np.where(bad, "nonfinite", np.where(dropped, "updates_dropped", "ok"))
  return np.array([STATUS.index(name) for name in names], np.int8)


class Outcome(NamedTuple):
  """The arrays of some points, or the error instead, and the effort for the provenance."""

  points: list[Point]
  arrays: dict[str, np.ndarray]
  error: Exception | None
  effort: dict[str, Any]


ERRORS = (RuntimeError, MemoryError, FloatingPointError)


def _begun(group: devices.Group, points: list[Point], traced: Sequence[str]) -> Callable[[float], Outcome]:
  """Starts computing points. Returns a function that waits for them, given the time from which they had the devices."""
  begin = time.perf_counter()
  arguments = traced_arguments(points, traced)
  started = None
  with contextlib.suppress(*ERRORS):  # the error is raised again below, unless only two blocks at once were too large
    started = devices.start(group, arguments)

  def finish(free_since: float) -> Outcome:
    try:
      arrays, error = devices.finish(group, arguments, started), None
    except ERRORS as raised:
      arrays, error = {}, raised
    compiled, group.compile_seconds = group.compile_seconds, 0
    effort = {
      "wall_seconds": round(time.perf_counter() - max(begin, free_since), 3),
      "compile_seconds": round(compiled, 3),
      "chunk_halvings": group.halvings,
    }
    return Outcome(points, arrays, error, effort)

  return finish


def _program_name(static: Point, identity: Callable[[Point], str | None]) -> str | None:
  """Names the program of a kind of points: its code and the settings that it holds as constants."""
  code = identity(static)
  return None if code is None else f"{code} {static.content_hash}"


def _compile_next(groups: dict[Point, devices.Group], current: Point, firsts: Mapping[Point, Any]) -> None:
  """Begins to compile the program after the current one."""
  order = list(groups)
  for static in order[order.index(current) + 1 :][:1]:
    if not groups[static].programs:
      devices.compile_ahead(groups[static], firsts[static])


def swept(
  measure: Measure,
  chunk: int,
  planned: Iterable[list[Point]],
  queue: Iterable[list[Point]],
  identity: Callable[[Point], str | None] = lambda point: None,
) -> Iterator[Outcome]:
  """Computes blocks of points. Each block starts before the outcome of the previous block is handed out.

  Args:
    measure: what is computed.
    chunk: most points in a call.
    planned: all blocks that may come, by which programs are compiled ahead.
    queue: the blocks to compute, as they are claimed.
    identity: names all code that computes a point, so that its program can be kept; None where it must not be.
  """
  traced = traced_names(measure.settings)
  firsts: dict[Point, list[Point]] = {}
  for points in planned:
    firsts.setdefault(static_part(points[0], traced), points)
  groups = {
    static: devices.Group(
      label(static), partial(measure_block, measure, static), chunk, _program_name(static, identity)
    )
    for static in firsts
  }
  arguments = {static: traced_arguments(points, traced) for static, points in firsts.items()}
  current: Point | None = None
  pending: deque[Callable[[float], Outcome]] = deque()
  most = devices.calls_ahead(chunk)
  free_since = 0.0
  for points in queue:
    static = static_part(points[0], traced)
    group = groups[static]
    if static != current:
      current = static
      _compile_next(groups, static, arguments)
    # A pending block neither waits for a compilation nor counts it as its time.
    while pending and (signals.is_asked_to_stop() or not group.programs):
      outcome, free_since = pending.popleft()(free_since), time.perf_counter()
      yield outcome
    signals.stop_if_asked()
    pending.append(_begun(group, points, traced))
    if len(pending) > most:
      outcome, free_since = pending.popleft()(free_since), time.perf_counter()
      yield outcome
  while pending:
    outcome, free_since = pending.popleft()(free_since), time.perf_counter()
    yield outcome


def unfollowed(points: Sequence[Point], folder: Path) -> contextlib.AbstractContextManager[None]:
  """Follows no run."""
  return contextlib.nullcontext()


def kept(
  measure: RunMeasure,
  out: Path,
  checkpoint_seconds: float,
  queue: Iterable[list[Point]],
  name: Callable[[Sequence[Point]], str],
  follow: Callable[[Sequence[Point], Path], contextlib.AbstractContextManager[None]] = unfollowed,
) -> Iterator[Outcome]:
  """Runs the blocks of a measure that keeps files, in folders of these names. A block that runs out of memory is split in two.

  `follow` is entered with the points and the folder of every run.
  """
  for block in queue:
    parts, halvings = [block], 0
    while parts:
      signals.stop_if_asked()
      points, begin, error = parts.pop(0), time.perf_counter(), None
      arrays: dict[str, np.ndarray] = {}
      try:
        folder = out / "runs" / name(points)
        with follow(points, folder):
          arrays = dict(measure.run(points, folder, checkpoint_seconds))
      except ERRORS as raised:
        if devices.is_out_of_memory(raised) and len(points) > 1:
          half, halvings = (len(points) + 1) // 2, halvings + 1
          parts[:0] = [points[:half], points[half:]]
          say(f"{label(points[0])}: out of memory with {len(points)} points; going on with {half}.")
          continue
        error = raised
      effort = {"wall_seconds": round(time.perf_counter() - begin, 3), "chunk_halvings": halvings}
      yield Outcome(points, arrays, error, effort)
