"""A block of training runs: all its seeds at once under `vmap`, logged, checkpointed, watched, and resumed where they stopped.

    results/<experiment>/runs/<block>/metrics.jsonl      one row per logged update: loss, gradient norms, score, ...
                                      dynamics.jsonl     the gradient dynamics at a few of them
                                      checkpoints/       the last two states

A killed run that is launched again goes on from its last checkpoint, or anew if other code has written it. Batches come from the
run's key and the update's number, so the parameters and all rows (but for samples per second) end up bit for bit as if it had not
been interrupted, on CPU.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
import time
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

from sweepkit.store import checkpoints, files, journal, locks
from sweepkit.code import identity as codes
from sweepkit.execution import signals
from sweepkit.store.attributes import Quantity
from experiments.training.dynamics import DIMS, gate_names
from sweepkit.store.files import CheckpointError
from sweepkit.points import Point, Setting
from experiments.training.settings import SETTINGS, build, initial_params
from experiments.training.quantities import QUANTITIES, longer_runs
from experiments.portrait.net import Measure
from experiments.training.programs import LOG, MEANS, prepare
from sweepkit.execution.progress import progress, say
from sweepkit.words import count
from recurrent_lab.training import TrainState

ROWS = 50  # logged updates of a run, evenly spaced
WATCHED = (0, 1, 2, 5, 10, 20, 35, 50)  # those at which the gradient dynamics are measured; 0 is before training
CALL = 20  # updates in one call


def logged_updates(updates: int) -> list[int]:
  """The updates after which a row is written."""
  return sorted({round(updates * (i + 1) / ROWS) for i in range(ROWS)} - {0})


def watched_updates(updates: int) -> list[int]:
  logged = [0, *logged_updates(updates)]
  return [logged[i] for i in WATCHED if i < len(logged)]


def _metrics(states: TrainState, log: dict[str, Array], evaluation: tuple[Array, Array]) -> dict[str, np.ndarray]:
  """A row: means over the finite updates since the last one, and the state of affairs after them."""
  means = {name: np.where(log["finite"] > 0, log[name], np.nan) for name in MEANS}
  test_loss, score = evaluation
  return {
    "loss": means["loss"],
    "gradient_norm": means["gradient_norm"],
    "largest_gradient_norm": np.asarray(log["largest_gradient_norm"]),
    "clipped_norm": means["clipped_norm"],
    "clipped_share": means["clipped_share"],
    "nonfinite": np.asarray(states.nonfinite),
    "test_loss": np.asarray(test_loss),
    "score": np.asarray(score),
  }


def final_states(points: Sequence[Point], folder: Path) -> TrainState:
  """The last states of a block that was trained in `folder`, to measure or to use: its seeds on the leading axis.

  Raises:
    CheckpointError: if there is no checkpoint, the last one is damaged, or it is of other runs.
  """
  _, start, keys, config = prepare(points)
  restored = checkpoints.restore(folder / "checkpoints", start(keys), config)
  if restored is None:
    raise CheckpointError(f"{folder} holds no checkpoint; train it first.")
  _, states, problems = restored
  if problems:  # an older state is not the last one
    raise CheckpointError(f"{problems[0]} Launch its experiment again to make it anew.")
  return states


def _start_anew_if_code_changed(folder: Path, code: str) -> None:
  """Removes what other code has left in the folder of a run, which a checkpoint would go on with."""
  before = checkpoints.code(folder / "checkpoints")
  if before in (None, code):
    return
  say(f"{folder.name} was in training by code {before}, and now it is {code}; it is trained anew.")
  for name in ("metrics.jsonl", "dynamics.jsonl"):  # before the checkpoints: without its rows a checkpoint is refused
    (folder / name).unlink(missing_ok=True)
  files.remove_folder(folder / "checkpoints")


def train(points: Sequence[Point], folder: Path, checkpoint_seconds: float) -> dict[str, np.ndarray]:
  """Trains a block of seeds and returns what was logged and watched; NaN for what lies after the end of the runs.

  Raises:
    CheckpointError: if another process trains in this folder, or its checkpoints are of other runs.
  """
  point: Any = points[0]
  programs, start, keys, config = prepare(points)
  task = build(point).task
  labels, watched = logged_updates(point["updates"]), watched_updates(point["updates"])
  with locks.lock(folder):
    config |= {"code": codes.of(train, *codes.parts_of(point))}
    _start_anew_if_code_changed(folder, config["code"])
    states, done = start(keys), 0
    restored = checkpoints.restore(folder / "checkpoints", states, config)
    if restored:
      done, states, problems = restored
      for problem in problems:
        say(problem)
    rows, dynamics = (journal.rows(folder / name) for name in ("metrics.jsonl", "dynamics.jsonl"))
    if done and done not in [row["step"] for row in rows]:
      raise CheckpointError(
        f"{folder / 'metrics.jsonl'} has no row for step {done}, at which its checkpoint is; remove {folder} to start anew."
      )

    def watch(step: int) -> None:
      if step in watched and not any(row["step"] == step for row in dynamics):
        seen = {name: np.asarray(a) for name, a in programs.watch(states.params, keys).items()}
        journal.append(folder / "dynamics.jsonl", dynamics, {"step": step} | seen)

    def save() -> None:
      checkpoints.save(folder / "checkpoints", done, states, config)

    def is_over() -> bool:
      scores = [row["score"] for row in rows if row["step"] <= done]
      solved = (np.array(scores, np.float64).reshape(-1, len(points)) < task.solved_below).any(axis=0)
      return done >= labels[-1] or (point["stop"] == "solved" and bool(solved.all()))

    watch(done)
    last_save = time.monotonic()
    try:
      with progress(labels[-1], "update", initial=labels[-1] if is_over() else done, inner=True) as advance:
        advance(0, f"{folder.parents[1].name} {point['cell']}")
        while not is_over():
          begin = time.perf_counter()
          step = next(label for label in labels if label > done)
          advanced, log = states, {name: jnp.zeros(len(points)) for name in LOG}
          for first in range(done, step, CALL):
            signals.stop_if_asked()
            advanced, log = programs.advance(advanced, log, min(CALL, step - first))
            jax.block_until_ready(log)
          row = _metrics(advanced, log, programs.evaluate(advanced.params, keys))
          rate = (step - done) * point["batch"] * len(points) / (time.perf_counter() - begin)
          journal.append(folder / "metrics.jsonl", rows, {"step": step, **row, "samples_per_second": rate})
          advance(step - done, note=f"loss {np.mean(row['loss']):.3g}, lowest score {np.min(row['score']):.3g}")
          states, done = advanced, step
          watch(step)
          if time.monotonic() - last_save >= checkpoint_seconds:
            save()
            last_save = time.monotonic()
    finally:
      # Whether the runs are over or were asked to stop; between two rows there is always a whole state.
      save()
  left_out = int(np.sum(states.nonfinite))
  if left_out:
    say(f"{folder.name}: {count(left_out, 'update')} not finite and left out.")
  return _arrays(points, rows, dynamics, labels, watched, task.solved_below)


CURVES = (
  "loss",
  "gradient_norm",
  "largest_gradient_norm",
  "clipped_norm",
  "clipped_share",
  "nonfinite",
  "test_loss",
  "score",
)


def _arrays(
  points: Sequence[Point],
  rows: list[dict[str, Any]],
  dynamics: list[dict[str, Any]],
  labels: list[int],
  watched: list[int],
  solved_below: float,
) -> dict[str, np.ndarray]:
  """What the journals hold as arrays with a leading axis of seeds, padded with NaN to all updates that could be logged."""

  def over_seeds(written: list[dict[str, Any]], name: str, length: int) -> np.ndarray:
    values = np.swapaxes(journal.column(written, name), 0, 1)
    padding = [(0, 0), (0, length - values.shape[1])] + [(0, 0)] * (values.ndim - 2)
    return np.pad(values, padding, constant_values=np.nan).astype(np.float32)

  arrays = {name: over_seeds(rows, name, len(labels)) for name in CURVES}
  arrays |= {name: over_seeds(dynamics, name, len(watched)) for name in DIMS}
  is_solved = arrays["score"] < solved_below
  solved = is_solved.any(axis=1)
  last = np.full(len(points), len(rows) - 1)
  at_end = lambda name: arrays[name][np.arange(len(points)), last]
  return arrays | {
    "solved": solved.astype(np.float32),
    "solved_at": np.where(solved, np.array(labels)[is_solved.argmax(axis=1)], np.nan).astype(np.float32),
    "updates_run": np.full(len(points), labels[len(rows) - 1], np.float32),
    "final_score": at_end("score"),
    "best_score": np.fmin.reduce(arrays["score"], axis=1),
    "nonfinite_updates": at_end("nonfinite"),
  }


def coords(point: Point) -> dict[str, list[Any]]:
  p: Any = point
  run = build(point)
  params = jax.eval_shape(lambda key: initial_params(point, key), jax.random.key(0))
  return {
    "update": logged_updates(p["updates"]),
    "watched_update": watched_updates(p["updates"]),
    "lag": list(range(run.task.steps + 1)),
    "gradient_lag": list(range(run.task.steps)),
    "gate": gate_names(run.cell, params.cell, run.task.input_size),
  }


HEADLINE = {"final_score": "of the task, lower is better", "solved": "share of seeds", "solved_at": "updates"}

TRAIN = Measure(
  run=train,
  dims=dict.fromkeys(CURVES, ("update",))
  | {name: ("watched_update", *axes) for name, axes in DIMS.items()}
  | dict.fromkeys(("solved", "solved_at", "updates_run", "final_score", "best_score", "nonfinite_updates"), ()),
  coords=coords,
  may_be_infinite=("gradient_norm", "largest_gradient_norm"),  # norms that no float is as large as
  dropped="nonfinite_updates",
  may_be_nan=(*CURVES, *DIMS, "solved_at"),  # a run that ends with a score that is NaN has failed
  settings=SETTINGS,
  check=build,
  keeps_files=True,
  remarks=longer_runs,
  headline=HEADLINE,
  quantities=QUANTITIES,
)


After = Callable[[Any, Any], Mapping[str, Any]]  # (parameters before training, those after it) -> {name: array}


def followed_by(
  after: Callable[[Point], After],
  dims: Mapping[str, Sequence[str]],
  coords: Callable[[Point], dict[str, list[Any]]] = lambda point: {},
  settings: Mapping[str, Setting] = SETTINGS,
  headline: Mapping[str, str] = HEADLINE,
  quantities: Mapping[str, Quantity] = MappingProxyType({}),
) -> Measure:
  """`TRAIN`, and then what `after(point)` measures on the nets of every seed: arrays whose axes are `dims`, with labels from
  `coords` or those of `TRAIN`.
  """

  def run(points: Sequence[Point], folder: Path, checkpoint_seconds: float) -> dict[str, np.ndarray]:
    arrays = train(points, folder, checkpoint_seconds)
    block, measure = prepare(points), after(points[0])
    nets = block.start(block.keys).params, final_states(points, folder).params
    each = [measure(*jax.tree.map(lambda a, seed=seed: a[seed], nets)) for seed in range(len(points))]
    return arrays | {name: np.stack([measured[name] for measured in each]).astype(np.float32) for name in each[0]}

  return TRAIN._replace(
    run=run,
    dims={**TRAIN.dims, **dims},
    coords=lambda point: TRAIN.coords(point) | coords(point),
    settings=settings,
    headline=headline,
    quantities={**QUANTITIES, **quantities},
  )
