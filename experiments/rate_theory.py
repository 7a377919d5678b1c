"""Theory of the whole Lyapunov spectrum of the large random rate network, for a gain and a leak.

The black lines of `rate_network` for leaks below 1, whose equations take minutes. No net is simulated: seeds are random draws of
the slopes of one unit over time, over which the theory averages (see `recurrent_lab.theory.rate_network`).

    python -m experiments.rate_theory
    python -m experiments.rate_theory --ws=3 --leak=0.1 --draws=4096 --seeds=1

Expect: at δ = 1 and g = 3 the published 0.3096, 0.1526, 0.02511 and 0.2872 of λ₁, positive share, entropy rate and dimension
(Clark, 2026) to 1 %. A smaller leak makes all of them smaller.
"""

from collections.abc import Sequence
import dataclasses
from pathlib import Path
import sys

import numpy as np

from experiments.portrait import EXPONENT
from experiments.rate_network import CELL, GAIN_AND_LEAK, UNIT_QUANTITIES
from recurrent_lab import theory
from sweepkit import Experiment, Point, Quantity, RunMeasure, main
from sweepkit.points import read
from sweepkit.settings import Setting

POINTS = 16  # thresholds at which the distribution is kept


@dataclasses.dataclass(frozen=True)
class Theory:
  """The settings of a spectrum in theory."""

  ws: float
  leak: float
  draws: int
  seed: int


def spectra(points: Sequence[Point], folder: Path, checkpoint_seconds: float) -> dict[str, np.ndarray]:
  """The spectra of a gain and a leak, one per seed, their distribution on one grid of exponents from 2 λ₁ below 0 up to λ₁."""
  rows = []
  for point in points:
    asked = read(Theory, point)
    found = theory.rate_spectrum(asked.ws, asked.leak, POINTS, asked.draws, asked.seed)
    rows.append(
      {
        "exponent": found.exponent[:POINTS],
        "share_above": found.share_above[:POINTS],
        "largest_exponent": found.largest,
        "mean_exponent": found.mean,
        "positive_share": found.positive_share,
        "entropy_rate": found.entropy_rate,
        "dimension": found.dimension,
      }
    )
  return {name: np.stack([np.asarray(row[name], np.float64) for row in rows]) for name in rows[0]}


def check(point: Point) -> None:
  """Raises a `ValueError` for a gain or a leak outside of the theory."""
  asked = read(Theory, point)
  theory.rate_largest_exponent(asked.ws, asked.leak)


MEASURE = RunMeasure(
  run=spectra,
  settings={
    **GAIN_AND_LEAK,
    "draws": Setting(
      int,
      "8192",
      "values of the slope over units and times, of which means are taken",
      lambda v: v >= 256,
      "a whole number of 256 or more",
      units="1",
    ),
  },
  check=check,
  dims={
    "exponent": ("threshold",),
    "share_above": ("threshold",),
    **dict.fromkeys(("largest_exponent", *UNIT_QUANTITIES), ()),
  },
  coords=lambda point: {"threshold": list(range(POINTS))},
  headline={"largest_exponent": "nats per step", "dimension": "of Kaplan and Yorke, divided by N"},
  quantities={
    "exponent": Quantity("thresholds of exponents, falling", "nats per step"),
    "share_above": Quantity("share of the exponents above a threshold", "1"),
    "largest_exponent": EXPONENT,
    **UNIT_QUANTITIES,
    "threshold": Quantity("number of the threshold", "1"),
  },
)

EXPERIMENT = Experiment(
  "experiments.rate_theory",
  __doc__,
  MEASURE,
  {"cells": CELL, "ws": "3", "leak": "1,0.5"},
  allowed={"cells": (CELL,)},
  seeds=3,
  x64=True,
  seconds=168,
  figure="analysis.landmarks.rate_network",
  drawn_beside="rate_network",
  tiny={"ws": "2,3", "leak": "1"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
