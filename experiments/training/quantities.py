"""Quantities of a training run with units, and the remark that a longer run does not continue a shorter one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.portrait import EXPONENT, GATE, LAG
from sweepkit import Point, Quantity

QUANTITIES: Mapping[str, Quantity] = {
  "loss": Quantity("mean training loss since the last logged update", "1"),
  "gradient_norm": Quantity("mean norm of the gradient since the last logged update", "1"),
  "largest_gradient_norm": Quantity("largest norm of the gradient since the last logged update", "1"),
  "clipped_norm": Quantity("mean norm of the clipped gradient since the last logged update", "1"),
  "clipped_share": Quantity("share of the updates that were clipped since the last logged one", "1"),
  "nonfinite": Quantity("updates that were not finite and left out, so far", "updates"),
  "test_loss": Quantity("loss on held-out data", "1"),
  "score": Quantity("score of the task on held-out data, lower is better", "1"),
  "largest_exponent": EXPONENT,
  "product_growth": Quantity("slope of ln of the norm of the Jacobian product by lag", "nats per step"),
  "log_adjoint": Quantity("ln of the norm of the adjoint", "nats"),
  "log_gradient": Quantity("ln of the norm of a step's contribution to the gradient", "nats"),
  "gate_value": Quantity("mean of the nonlinearity", "1"),
  "gate_slope": Quantity("mean of ln of the slope of the nonlinearity", "nats"),
  "solved": Quantity("whether the task was solved", "1"),
  "solved_at": Quantity("first logged update at which the task was solved", "updates"),
  "updates_run": Quantity("updates that were run", "updates"),
  "final_score": Quantity("score at the end, lower is better", "1"),
  "best_score": Quantity("best score, lower is better", "1"),
  "nonfinite_updates": Quantity("updates that were not finite and left out", "updates"),
  "update": Quantity("updates so far", "updates"),
  "watched_update": Quantity("updates so far", "updates"),
  "lag": LAG,
  "gradient_lag": LAG,
  "gate": GATE,
}


def longer_runs(missing: Sequence[Point], stored: Sequence[Point]) -> Iterator[str]:
  """Says why runs that differ from stored ones in a larger number of updates alone do not continue them."""
  kind = lambda point: point.without("updates")
  done: dict[Point, list[Any]] = {}
  for point in stored:
    done.setdefault(kind(point), []).append(point["updates"])
  found = {
    (str(point["cell"]), max(shorter), point["updates"])
    for point in missing
    if (shorter := [updates for updates in done.get(kind(point), []) if updates < point["updates"]])
  }
  for cell, before, updates in sorted(found):
    yield (
      f"{cell}: {updates} updates are asked for and a run of {before} is stored, but no run goes on from the end of a shorter "
      "one: its random numbers, the updates at which it is logged and may stop, and the decay of its learning rate come from all "
      "its settings, so it starts at its first update."
    )
