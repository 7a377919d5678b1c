"""The rows that a block of training runs logs, and the arrays that they become."""

from typing import Any

from jaxtyping import Array
import numpy as np

from experiments.training.dynamics import DIMS
from experiments.training.programs import MEANS
from recurrent_lab.training import TrainState
from sweepkit.store import journal

ROWS = 50  # logged updates of a run, evenly spaced
WATCHED = (0, 1, 2, 5, 10, 20, 35, 50)  # those at which the gradient dynamics are measured; 0 is before training


def logged_updates(updates: int) -> list[int]:
  """The updates after which a row is written."""
  return sorted({round(updates * (i + 1) / ROWS) for i in range(ROWS)} - {0})


def watched_updates(updates: int) -> list[int]:
  logged = [0, *logged_updates(updates)]
  return [logged[i] for i in WATCHED if i < len(logged)]


def metrics(states: TrainState, log: dict[str, Array], evaluation: tuple[Array, Array]) -> dict[str, np.ndarray]:
  """A row: means over the finite updates since the last one, and losses and scores after them."""
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


def arrays(
  seeds: int,
  rows: list[dict[str, Any]],
  dynamics: list[dict[str, Any]],
  labels: list[int],
  watched: list[int],
  solved_below: float,
) -> dict[str, np.ndarray]:
  """Returns the rows of the journals as arrays with a leading axis of seeds, padded with NaN after the end of a run."""

  def over_seeds(written: list[dict[str, Any]], name: str, length: int) -> np.ndarray:
    values = np.swapaxes(journal.column(written, name), 0, 1)
    padding = [(0, 0), (0, length - values.shape[1])] + [(0, 0)] * (values.ndim - 2)
    return np.pad(values, padding, constant_values=np.nan).astype(np.float32)

  arrays = {name: over_seeds(rows, name, len(labels)) for name in CURVES}
  if watched:
    arrays |= {name: over_seeds(dynamics, name, len(watched)) for name in DIMS}
  is_solved = arrays["score"] < solved_below
  solved = is_solved.any(axis=1)
  last = np.full(seeds, len(rows) - 1)
  at_end = lambda name: arrays[name][np.arange(seeds), last]
  return arrays | {
    "solved": solved.astype(np.float32),
    "solved_at": np.where(solved, np.array(labels)[is_solved.argmax(axis=1)], np.nan).astype(np.float32),
    "updates_run": np.full(seeds, labels[len(rows) - 1], np.float32),
    "final_score": at_end("score"),
    "best_score": np.fmin.reduce(arrays["score"], axis=1),
    "nonfinite_updates": at_end("nonfinite"),
  }
