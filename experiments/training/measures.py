"""Training runs as measures: what every run stores, and runs whose trained nets are measured afterwards."""

from collections.abc import Callable, Mapping, Sequence
import dataclasses
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jax
import numpy as np

from experiments.training.build import build, check_settings, initial_params
from experiments.training.dynamics import DIMS, gate_names
from experiments.training.journals import CURVES, logged_updates, watched_updates
from experiments.training.quantities import QUANTITIES, longer_runs
from experiments.training.runs import parameters, train
from experiments.training.settings import SETTINGS, RunSettings
from sweepkit import Point, Quantity, RunMeasure
from sweepkit.measure import AnyMeasure
from sweepkit.points import read
from sweepkit.settings import Settings


def coords(kind: type[RunSettings], point: Point) -> dict[str, list[Any]]:
  """The labels of the axes of a run."""
  settings = read(kind, point)
  run = build(settings)
  params = jax.eval_shape(partial(initial_params, settings), jax.random.key(0))
  return {
    "update": logged_updates(settings.updates),
    "watched_update": watched_updates(settings.updates),
    "lag": list(range(run.task.steps + 1)),
    "gradient_lag": list(range(run.task.steps)),
    "gate": gate_names(run.cell, params.cell, run.task.input_size),
  }


def check(kind: type[RunSettings], point: Point) -> None:
  """Raises a `ValueError` if the settings of a run do not go together, or its cell cannot have them."""
  check_settings(read(kind, point))


HEADLINE = {"final_score": "of the task, lower is better", "solved": "share of seeds", "solved_at": "updates"}

TRAIN = RunMeasure(
  run=partial(train, RunSettings),
  settings=SETTINGS,
  dims=dict.fromkeys(CURVES, ("update",))
  | {name: ("watched_update", *axes) for name, axes in DIMS.items()}
  | dict.fromkeys(("solved", "solved_at", "updates_run", "final_score", "best_score", "nonfinite_updates"), ()),
  coords=partial(coords, RunSettings),
  may_be_infinite=("gradient_norm", "largest_gradient_norm"),  # norms that no float is as large as
  dropped="nonfinite_updates",
  may_be_nan=(*CURVES, *DIMS, "solved_at"),  # a run that ends with a score that is NaN has failed
  check=partial(check, RunSettings),
  remarks=longer_runs,
  may_end_early=lambda point: point.get("stop") == "solved",
  headline=HEADLINE,
  quantities=QUANTITIES,
  group="Training",
)


def trained_as(kind: type[RunSettings], settings: Settings) -> RunMeasure:
  """Returns `TRAIN` for runs with other settings, such as those that make a task of their own.

  Args:
    kind: what the settings of a point are read as.
    settings: the flags.
  """
  return dataclasses.replace(
    TRAIN, run=partial(train, kind), coords=partial(coords, kind), check=partial(check, kind), settings=settings
  )


After = Callable[[Any, Any], Mapping[str, Any]]  # (parameters before training, those after it) -> {name: array}


def followed_by(
  after: Callable[[Any], After],
  dims: Mapping[str, Sequence[str]],
  coords: Callable[[Point], dict[str, list[Any]]] = lambda point: {},
  kind: type[RunSettings] = RunSettings,
  settings: Settings = SETTINGS,
  headline: Mapping[str, str] = HEADLINE,
  quantities: Mapping[str, Quantity] = MappingProxyType({}),
) -> RunMeasure:
  """Returns `TRAIN`, followed by a measurement of the nets of every seed.

  Args:
    after: `settings -> (parameters before, parameters after) -> {name: array}`; the settings are of type `kind`.
    dims: name of each of these arrays -> names of its axes.
    coords: `point -> {axis name: labels}` of the axes that `TRAIN` has not.
    kind: what the settings of a point are read as.
    settings: the flags.
    headline: what a summary shows.
    quantities: what the arrays are, with units.
  """
  return dataclasses.replace(
    TRAIN,
    run=partial(train_and_measure, kind, after),
    dims={**TRAIN.dims, **dims},
    coords=lambda point: _coords(kind, point) | coords(point),
    check=partial(check, kind),
    settings=settings,
    headline=headline,
    quantities={**QUANTITIES, **quantities},
  )


_coords = coords


def train_and_measure(
  kind: type[RunSettings],
  after: Callable[[Any], After],
  points: Sequence[Point],
  folder: Path,
  checkpoint_seconds: float,
) -> dict[str, np.ndarray]:
  """Trains a block of runs, and then measures the nets of every seed as `followed_by` says."""
  arrays = train(kind, points, folder, checkpoint_seconds)
  measure = after(read(kind, points[0]))
  each = [measure(*nets) for nets in parameters(kind, points, folder)]
  return arrays | {name: np.stack([measured[name] for measured in each]).astype(np.float32) for name in each[0]}


def settings_kind(measure: AnyMeasure) -> type[RunSettings] | None:
  """Returns what the settings of the runs of a measure are read as; None if it trains no nets."""
  arguments = measure.run.args if isinstance(measure.run, partial) else ()
  kinds = [kind for kind in arguments if isinstance(kind, type) and issubclass(kind, RunSettings)]
  return kinds[0] if kinds else None
