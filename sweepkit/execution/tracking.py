"""Sends the rows of runs to a tracker of experiments as they are logged (`--track`).

A tracker works in a thread of its own, so a slow one does not slow a run down. If it fails or does not answer, one sentence says
so, and the runs go on without it. Nothing of a tracker is imported unless it is asked for.

A block of runs is one run of the tracker, which bears the name of the block. A number that every seed has is one curve per seed,
such as `loss/seed_3`. Arrays of a seed, such as a norm by lag, are left out. A run that resumes is sent from its first row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
from importlib.util import find_spec
import math
from pathlib import Path
import queue
import threading
from typing import Any, NamedTuple

from sweepkit.execution.progress import say
from sweepkit.experiment import Experiment
from sweepkit.measure import RunMeasure
from sweepkit.options import UsageError
from sweepkit.points import Point
from sweepkit.store import journal

SECONDS = 60.0  # that a launch waits, at the end of a run, for a tracker to take all rows


class Run(NamedTuple):
  """A run of a tracker.

  Attributes:
    log: `(numbers, step)`.
    finish: ends it, when all rows are sent.
  """

  log: Callable[[dict[str, float], int], Any]
  finish: Callable[[], Any]


class About(NamedTuple):
  """Description of a run for its tracker.

  Attributes:
    project: the name of the experiment.
    name: the name of the block.
    folder: of the run.
    settings: those that its points share, and their seeds.
    first: the step of the first row.
  """

  project: str
  name: str
  folder: Path
  settings: Mapping[str, Any]
  first: int


def _trackio(about: About) -> Run:
  import trackio

  run = trackio.init(
    project=about.project,
    name=about.name,
    config=dict(about.settings),
    embed=False,
    auto_log_cpu=False,
    auto_log_gpu=False,
  )
  return Run(lambda numbers, step: run.log(numbers, step=step), run.finish)


def _wandb(about: About) -> Run:
  import wandb

  run = wandb.init(
    project=about.project,
    name=about.name,
    config=dict(about.settings),
    dir=about.folder,
    settings=wandb.Settings(console="off", login_timeout=20),  # a prompt for an account must not stay open
  )
  return Run(lambda numbers, step: run.log(numbers, step=step), run.finish)


def _tensorboard(about: About) -> Run:
  from tensorboardX import SummaryWriter

  writer = SummaryWriter(str(about.folder), purge_step=about.first)  # rows of an earlier launch are not shown twice

  def log(numbers: dict[str, float], step: int) -> None:
    for name, value in numbers.items():
      writer.add_scalar(name, value, step)
    writer.flush()

  return Run(log, writer.close)


# Name of a tracker -> its package, and what opens a run of it.
TRACKERS: Mapping[str, tuple[str, Callable[[About], Run]]] = {
  "trackio": ("trackio", _trackio),
  "wandb": ("wandb", _wandb),
  "tensorboard": ("tensorboardX", _tensorboard),
}


def checked(experiment: Experiment, name: str | None) -> str | None:
  """Returns the name of a tracker, if there is one. Imports nothing of it.

  Raises:
    UsageError: if its package is not installed, or the experiment has no runs.
  """
  if name is None:
    return None
  if not isinstance(experiment.measure, RunMeasure):
    raise UsageError(f"--track: {experiment.name} has no training runs, whose rows a tracker gets.")
  package, _ = TRACKERS[name]
  if find_spec(package) is None:
    raise UsageError(f'--track: {package} is not installed; pip install ".[{name}]" installs it.')
  return name


def _labels(points: Sequence[Point]) -> list[str]:
  """Names of the points of a block: their seeds, unless points differ in other settings too."""
  seeds = [point["seed"] for point in points]
  return [f"seed_{seed}" if len(set(seeds)) == len(seeds) else f"point_{i}" for i, seed in enumerate(seeds)]


def numbers(row: Mapping[str, Any], labels: Sequence[str]) -> dict[str, float]:
  """Returns the numbers of a row of a journal by the name of their curve; NaN and arrays of a point are left out."""
  found = {}
  for name, value in row.items():
    if name == "step":
      continue
    each = {name: value}
    if isinstance(value, list):
      each = {f"{name}/{label}": one for label, one in zip(labels, value, strict=False)}
    for curve, one in each.items():
      if one is not None and not isinstance(one, list) and not math.isnan(float(one)):
        found[curve] = float(one)
  return found


class Tracker:
  """The tracker of a launch."""

  def __init__(self, name: str, project: str) -> None:
    self.name, self.project = name, project
    self._has_failed = False

  @contextlib.contextmanager
  def follow(self, points: Sequence[Point], folder: Path) -> Iterator[None]:
    """Sends the rows that are logged in the folder of a run; its points share their settings.

    Args:
      points: those of the block.
      folder: of the run.
    """
    rows: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
    sent: dict[Path, int] = {}
    thread = threading.Thread(target=self._send, args=(points, folder, rows), daemon=True)

    def note(path: Path, written: Sequence[Mapping[str, Any]]) -> None:
      if path.parent != folder or self._has_failed:
        return
      for row in written[sent.get(path, 0) :]:
        rows.put(row)
      sent[path] = len(written)
      if not thread.ident:
        thread.start()

    try:
      with journal.watched_by(note):
        yield
    finally:
      rows.put(None)
      if thread.ident:
        thread.join(0 if self._has_failed else SECONDS)
        if thread.is_alive():
          self._fail(f"did not answer for {SECONDS:g} s")

  def _send(self, points: Sequence[Point], folder: Path, rows: "queue.SimpleQueue[Mapping[str, Any] | None]") -> None:
    """Opens a run of the tracker and logs the rows that come, until there are no more."""
    labels = _labels(points)
    run = None
    try:
      while (row := rows.get()) is not None:
        if run is None:
          settings = {**points[0].without("seed"), "seeds": [point["seed"] for point in points]}
          run = TRACKERS[self.name][1](About(self.project, folder.name, folder, settings, row["step"]))
        run.log(numbers(row, labels), row["step"])
      if run is not None:
        run.finish()
    except BaseException as error:  # a tracker may even ask to exit
      self._fail(f"failed ({' '.join(f'{type(error).__name__}: {error}'.split())[:300]})")

  def _fail(self, how: str) -> None:
    if not self._has_failed:
      self._has_failed = True
      say(f"--track: {self.name} {how}; the runs go on without it.")
