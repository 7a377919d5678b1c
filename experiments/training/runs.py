"""A block of training runs: all its seeds at once under `vmap`, logged, checkpointed, watched, and resumed where they stopped.

    results/<experiment>/runs/<block>/metrics.jsonl      one row per logged update: loss, gradient norms, score, ...
                                      dynamics.jsonl     the gradient dynamics at a few of them
                                      checkpoints/       the last two states

A run that was killed resumes from its last checkpoint when it is launched again, or starts again if other code wrote the
checkpoint. Batches come from the run's key and the number of the update. So on CPU the parameters and all rows, except for
samples per second, end up bit for bit as if the run had not been interrupted.
"""

from collections.abc import Sequence
from pathlib import Path
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.portrait.own import TABLE
from experiments.training.journals import arrays, logged_updates, metrics, watched_updates
from experiments.training.programs import LOG, Block, prepare
from experiments.training.settings import SETTINGS, RunSettings
from recurrent_lab.tasks import TASKS, Task
from recurrent_lab.training import TrainState
from sweepkit import Point
from sweepkit.code import identity
from sweepkit.code.scope import scope_of
from sweepkit.execution import signals
from sweepkit.execution.progress import progress, say
from sweepkit.store import CheckpointError, checkpoints, files, journal, locks
from sweepkit.words import count

CALL = 20  # updates in one call


def final_states(kind: type[RunSettings], points: Sequence[Point], folder: Path) -> TrainState:
  """Returns the last states of a block that was trained in `folder`, to measure or to use: its seeds on the leading axis.

  Args:
    kind: what the settings of the points are read as.
    points: those of the block.
    folder: of the block's run.

  Raises:
    CheckpointError: if there is no checkpoint, the last one is damaged, or it is of other runs.
  """
  block = prepare(kind, points)
  restored = checkpoints.restore(folder / "checkpoints", block.start(block.keys), block.config)
  if restored is None:
    raise CheckpointError(f"{folder} holds no checkpoint; train it first.")
  _, states, problems = restored
  if problems:  # an older state is not the last one
    raise CheckpointError(f"{problems[0]} Launch its experiment again to compute it again.")
  return states


def _start_again_if_code_changed(folder: Path, code: str) -> None:
  """Removes what other code has left in the folder of a run, so that the run does not resume from it."""
  before = checkpoints.code(folder / "checkpoints")
  if before in (None, code):
    return
  say(f"{folder.name} was in training by code {before}, and now it is {code}; it is trained again.")
  for name in ("metrics.jsonl", "dynamics.jsonl"):  # before the checkpoints: without its rows a checkpoint is refused
    (folder / name).unlink(missing_ok=True)
  files.remove_folder(folder / "checkpoints")


def _code(settings: RunSettings) -> str:
  """The code of the runs with these settings."""
  entries = TABLE.get(settings.cell), TASKS.get(settings.task)
  return identity.of(scope_of(SETTINGS), train, type(settings), *entries)


class _Runs:
  """A block of runs in training: their states, and what was logged so far. The caller holds the lock of the folder."""

  def __init__(self, block: Block, folder: Path) -> None:
    self.block, self.folder = block, folder
    self.settings = block.settings
    self.task: Task = block.settings.make_task()
    self.labels = logged_updates(self.settings.updates)
    self.watched = watched_updates(self.settings.updates) if self.settings.watched else []
    self.config = block.config | {"code": _code(self.settings)}
    _start_again_if_code_changed(folder, self.config["code"])
    self.done = 0
    self.states: TrainState = block.start(block.keys)
    if restored := checkpoints.restore(folder / "checkpoints", self.states, self.config):
      self.done, self.states, problems = restored
      for problem in problems:
        say(problem)
    self.rows, self.dynamics = (journal.rows(folder / name) for name in ("metrics.jsonl", "dynamics.jsonl"))
    if self.done and self.done not in [row["step"] for row in self.rows]:
      raise CheckpointError(
        f"{folder / 'metrics.jsonl'} has no row for step {self.done}, at which its checkpoint is; "
        f"remove {folder} to start again."
      )

  def watch(self) -> None:
    """Measures the gradient dynamics, if they are due and not measured yet."""
    step = self.done
    if step in self.watched and not any(row["step"] == step for row in self.dynamics):
      seen = {name: np.asarray(a) for name, a in self.block.programs.watch(self.states.params, self.block.keys).items()}
      journal.append(self.folder / "dynamics.jsonl", self.dynamics, {"step": step} | seen)

  def save(self) -> None:
    """Writes a checkpoint."""
    checkpoints.save(self.folder / "checkpoints", self.done, self.states, self.config)

  def is_over(self) -> bool:
    """Returns whether all updates are run, or all seeds have solved the task and may stop."""
    scores = np.array([row["score"] for row in self.rows if row["step"] <= self.done], np.float64)
    solved = (scores.reshape(-1, len(self.block.keys)) < self.task.solved_below).any(axis=0)
    return self.done >= self.labels[-1] or (self.settings.stop == "solved" and bool(solved.all()))

  def _next_flossing(self, done: int) -> int:
    """The update after which the next bout of flossing follows."""
    every = self.settings.floss_every
    return (done // every + 1) * every if every else self.labels[-1]

  def advance(self) -> tuple[int, str]:
    """Runs the updates up to the next row and logs it; returns how many they are, and what to say of them."""
    programs, seeds, begin = self.block.programs, len(self.block.keys), time.perf_counter()
    step = next(label for label in self.labels if label > self.done)
    states, log = self.states, {name: jnp.zeros(seeds) for name in LOG}
    first = self.done
    while first < step:
      signals.stop_if_asked()
      if self.settings.floss_every and first and first % self.settings.floss_every == 0:
        states = programs.floss(states)
      last = min(first + CALL, step, self._next_flossing(first))
      states, log = programs.advance(states, log, last - first)
      jax.block_until_ready(log)
      first = last
    row = metrics(states, log, programs.evaluate(states.params, self.block.keys))
    updates = step - self.done
    rate = updates * self.settings.batch * seeds / (time.perf_counter() - begin)
    journal.append(self.folder / "metrics.jsonl", self.rows, {"step": step, **row, "samples_per_second": rate})
    self.states, self.done = states, step
    return updates, f"loss {np.mean(row['loss']):.3g}, lowest score {np.min(row['score']):.3g}"


def train(
  kind: type[RunSettings], points: Sequence[Point], folder: Path, checkpoint_seconds: float
) -> dict[str, np.ndarray]:
  """Trains a block of seeds and returns what was logged and watched; NaN for what lies after the end of the runs.

  Args:
    kind: what the settings of the points are read as.
    points: those of the block.
    folder: where the runs keep their files.
    checkpoint_seconds: time between two checkpoints, in seconds.

  Raises:
    CheckpointError: if another process trains in this folder, or its checkpoints are of other runs.
  """
  block = prepare(kind, points)
  with locks.lock(folder):
    runs = _Runs(block, folder)
    runs.watch()
    last_save = time.monotonic()
    total = runs.labels[-1]
    try:
      done, may_end = total if runs.is_over() else runs.done, runs.settings.stop == "solved"
      with progress(total, "update", initial=done, inner=True, at_most=may_end) as advance:
        advance(0, f"{folder.parents[1].name} {runs.settings.cell}")
        while not runs.is_over():
          updates, note = runs.advance()
          advance(updates, note=note)
          runs.watch()
          if time.monotonic() - last_save >= checkpoint_seconds:
            runs.save()
            last_save = time.monotonic()
    finally:
      # Also where the runs were asked to stop: between two rows there is always a whole state.
      runs.save()
  if left_out := int(np.sum(runs.states.nonfinite)):
    say(f"{folder.name}: {count(left_out, 'update')} not finite and left out.")
  return arrays(len(points), runs.rows, runs.dynamics, runs.labels, runs.watched, runs.task.solved_below)


def parameters(kind: type[RunSettings], points: Sequence[Point], folder: Path) -> list[tuple[Any, Any]]:
  """Returns (the parameters before training, those after it) of every seed of a block that was trained in `folder`."""
  block = prepare(kind, points)
  nets = block.start(block.keys).params, final_states(kind, points, folder).params
  return [tuple(jax.tree.map(lambda a, seed=seed: a[seed], net) for net in nets) for seed in range(len(points))]
