"""How well is a chaotic series forecast from noisy observations?

Claim (the introductions: "stock forecasting with LSTM"): a recurrent net can forecast a series. Beside it stands what needs no
net: repeating the last value, and least squares on the last 20 values. Mackey–Glass, 18 units of time ahead, in units of the
series' variance.

    persistence              mean squared error of repeating the last observation
    linear                   that of least squares on the last 20 observations

    python -m experiments.forecast

Expect: an error far below that of least squares, and least squares far below repeating.
"""

import sys

import jax

from experiments.training import After, RunSettings, build, followed_by
from experiments.training.settings import TINY
from recurrent_lab.tasks.chaos import linear_error, persistence_error
from sweepkit import Experiment, Quantity, main

SERIES, TAPS = 1000, 20
HEADLINE = {
  "final_score": "squared error over variance",
  "linear": "the same, of least squares",
  "persistence": "the same, of the last value",
}


def measure_baselines(settings: RunSettings) -> After:
  """The errors of forecasts without a net; the same for all seeds."""
  task = build(settings).task
  fitted, held_out = (task.sample(jax.random.key(i), SERIES) for i in range(2))
  errors = {"persistence": float(persistence_error(held_out)), "linear": linear_error(fitted, held_out, TAPS)}
  return lambda before, after: errors


EXPERIMENT = Experiment(
  "experiments.forecast",
  __doc__,
  followed_by(
    measure_baselines,
    dims={"persistence": (), "linear": ()},
    headline=HEADLINE,
    quantities={
      "persistence": Quantity("squared error over variance, of the last value", "1"),
      "linear": Quantity("squared error over variance, of least squares", "1"),
    },
  ),
  {
    "cells": "rnn,lstm,gru",
    "task": "mackey_glass",
    "length": "100",
    "hidden_size": "32",
    "batch": "32",
    "updates": "600",
    "stop": "never",
    "learning_rate": "0.005",
    "recurrent_init": "orthogonal",
    "forget_bias": "1",
  },
  seeds=3,
  seconds=165,
  figure="analysis.language.forecast",
  tiny={**TINY, "length": "30"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
